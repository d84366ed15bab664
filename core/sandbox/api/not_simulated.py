"""Answers 501 to what Plivo has and the sandbox does not simulate; other paths are unknown: 404.

Source of the paths: Plivo's SDKs for Python, Go, Java and Node.
"""

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.sandbox.api.gate import ApiGate
from core.sandbox.errors import NotSimulated

#: Below /v1/Account/{auth_id}/: the path of a resource, and its methods.
_OF_ACCOUNT = """
(account itself)                                  POST
10dlc/Brand                                       GET POST
10dlc/Brand/{id}                                  GET DELETE
10dlc/Brand/{id}/usecases                         GET
10dlc/Campaign                                    GET POST
10dlc/Campaign/Import                             POST
10dlc/Campaign/{id}                               GET POST DELETE
10dlc/Campaign/{id}/Number                        GET POST
10dlc/Campaign/{id}/Number/{number}               GET DELETE
Application                                       GET POST
Application/{id}                                  GET POST DELETE
Call/{uuid}                                       POST
Call/{uuid}/DTMF                                  POST
Call/{uuid}/Play                                  POST DELETE
Call/{uuid}/Record                                POST DELETE
Call/{uuid}/Speak                                 POST DELETE
Call/{uuid}/Stream                                GET POST DELETE
Call/{uuid}/Stream/{id}                           GET DELETE
ComplianceApplication                             GET POST
ComplianceApplication/{id}                        GET POST DELETE
ComplianceApplication/{id}/Submit                 POST
ComplianceDocument                                GET POST
ComplianceDocument/{id}                           GET POST DELETE
ComplianceDocumentType                            GET
ComplianceDocumentType/{id}                       GET
ComplianceRequirement                             GET
ComplianceRequirement/{id}                        GET
Conference                                        GET DELETE
Conference/{name}                                 GET DELETE
Conference/{name}/Member/{id}                     DELETE
Conference/{name}/Member/{id}/Deaf                POST DELETE
Conference/{name}/Member/{id}/Kick                POST
Conference/{name}/Member/{id}/Mute                POST DELETE
Conference/{name}/Member/{id}/Play                POST DELETE
Conference/{name}/Member/{id}/Speak               POST DELETE
Conference/{name}/Record                          POST DELETE
EndUser                                           GET POST
EndUser/{id}                                      GET POST DELETE
Endpoint                                          GET POST
Endpoint/{id}                                     GET POST DELETE
HostedMessagingNumber                             GET POST
HostedMessagingNumber/LOA                         GET POST
HostedMessagingNumber/LOA/{id}                    GET DELETE
HostedMessagingNumber/{id}                        GET
JWT/Token                                         POST
Masking/Session                                   GET POST
Masking/Session/{uuid}                            GET POST DELETE
Media                                             GET POST
Media/{id}                                        GET
Message/{uuid}/Media                              GET DELETE
Message/{uuid}/Media/{id}                         GET
MultiPartyCall                                    GET
MultiPartyCall/{id}                               GET POST DELETE
MultiPartyCall/{id}/Member/{id2}/Play             POST DELETE
MultiPartyCall/{id}/Member/{id2}/Speak            POST DELETE
MultiPartyCall/{id}/Participant                   GET POST
MultiPartyCall/{id}/Participant/{id2}             GET POST DELETE
MultiPartyCall/{id}/Participant/{id2}/Record      POST DELETE
MultiPartyCall/{id}/Participant/{id2}/Record/Pause   POST
MultiPartyCall/{id}/Participant/{id2}/Record/Resume  POST
MultiPartyCall/{id}/Record                        POST DELETE
MultiPartyCall/{id}/Record/Pause                  POST
MultiPartyCall/{id}/Record/Resume                 POST
Number                                            GET POST
Number/{number}                                   GET POST DELETE
NumberPool/{uuid}/Number                          GET
NumberPool/{uuid}/Number/{number}                 GET POST DELETE
NumberPool/{uuid}/Shortcode                       GET
NumberPool/{uuid}/Shortcode/{number}              GET DELETE
NumberPool/{uuid}/Tollfree                        GET
NumberPool/{uuid}/Tollfree/{number}               GET POST DELETE
PhoneNumber                                       GET
PhoneNumber/Compliance                            GET POST
PhoneNumber/Compliance/Link                       POST
PhoneNumber/Compliance/Requirements               GET
PhoneNumber/Compliance/{id}                       GET PATCH DELETE
PhoneNumber/{number}                              POST
Powerpack                                         GET POST
Powerpack/{uuid}                                  GET POST DELETE
Profile                                           GET POST
Profile/{uuid}                                    GET POST DELETE
Recording                                         GET
Recording/{id}                                    GET DELETE
Subaccount                                        GET POST
Subaccount/{id}                                   GET POST DELETE
TollfreeVerification                              GET POST
TollfreeVerification/{uuid}                       GET POST DELETE
Transcription/{id}                                GET POST DELETE
Verification/Address                              GET POST
Verification/Address/{id}                         GET POST DELETE
Verification/Identity                             GET POST
Verification/Identity/{id}                        GET POST DELETE
VerifiedCallerId                                  GET POST
VerifiedCallerId/Verification/{uuid}              POST
VerifiedCallerId/{number}                         GET POST DELETE
Verify/Session                                    GET POST
Verify/Session/{uuid}                             GET POST
"""

#: Below /v1/.
_OTHERS = """
Call/{uuid}/Feedback                              POST
phlo/{id}/runs/{run}                              GET
phlo/{id}/{type}/{node}                           GET POST
phlo/{id}/{type}/{node}/members/{member}          POST
"""


class NotSimulatedApi:
    """The routes of the resources that are not simulated. They need the credentials too."""

    def __init__(self, gate: ApiGate) -> None:
        self._gate = gate

    def routes(self) -> list[Route]:
        endpoint = self._gate.guard(self.refuse)
        return [Route(path, endpoint, methods=methods) for path, methods in not_simulated()]

    async def refuse(self, request: Request) -> Response:
        path: str = request.scope["route"].path
        resource = path.removeprefix("/v1/").replace("Account/{auth_id}/", "", 1) or "Account/"
        raise NotSimulated(f"{request.method} {resource}")


def not_simulated() -> Iterator[tuple[str, list[str]]]:
    """The paths that answer 501, and their methods."""
    for prefix, table in (("/v1/Account/{auth_id}/", _OF_ACCOUNT), ("/v1/", _OTHERS)):
        for line in table.strip().splitlines():
            path, methods = line.rsplit("  ", 1)
            path = path.strip()
            whole = prefix if path.startswith("(") else f"{prefix}{path}/"
            yield whole, methods.split()

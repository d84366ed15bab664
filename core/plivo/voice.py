"""Places phone calls by the Call API. The spoken text is in `core.plivo.call_xml`."""

from collections.abc import Mapping
from typing import Any

from core.model.errors import AttemptRejected
from core.model.phone_number import PhoneNumber
from core.plivo.answers import reference_of
from core.plivo.callback_address import CallbackUrls
from core.plivo.client import PlivoClients
from core.plivo.request import AttemptRequest
from core.plivo.sdk_call import Recorder, SdkCall
from core.settings.settings import Settings

RING_SECONDS = 40


class Voice:
    """Calls the number; the answer URL asks for a key before the code is read out."""

    def __init__(self, clients: PlivoClients, settings: Settings) -> None:
        self._clients = clients
        self._settings = settings

    def arguments(self, urls: CallbackUrls, to: PhoneNumber) -> Mapping[str, Any]:
        """The arguments of `calls.create`."""
        return {
            "from_": self._settings.sender,
            "to_": to.e164,
            "answer_url": urls.answer,
            "answer_method": "POST",
            "ring_url": urls.ring,
            "hangup_url": urls.hangup,
            # A second defence beside the key press: the call hangs up on a machine.
            "machine_detection": "hangup",
            "ring_timeout": RING_SECONDS,
            "time_limit": 120,
        }

    def send(
        self, request: AttemptRequest, urls: CallbackUrls | None, record: Recorder | None
    ) -> str:
        """The call's request UUID, equal to its call UUID for one destination. Raises
        AttemptRejected, AttemptUnknown."""
        if urls is None:
            raise AttemptRejected(NO_PUBLIC_URL[0], NO_PUBLIC_URL[1])
        call = SdkCall("calls.create", self.arguments(urls, request.to), code=request.code)
        return reference_of(self._clients.send(call, record), "request_uuid")


NO_PUBLIC_URL = (
    "A call needs PUBLIC_URL: Plivo fetches what to say from this app, and cannot reach it.",
    "Start a tunnel such as ngrok to this port, set PUBLIC_URL to its https address, and restart.",
)

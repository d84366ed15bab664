"""The route that sets the cookie of a tester's browser.

POST /qa/tester   the token of a recording, as text

Only an HTTP response can set a cookie that is HttpOnly, so the page passes the token that it made.
"""

from collections.abc import Callable
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core.access.admission import Admission
from core.lab.sessions.recording import COOKIE, LIFETIME, Recordings
from core.model.errors import StoreUnavailable
from core.web.access import admitted, cross_site_refusal, is_cross_site, set_cookie
from core.web.body_limit import BodyLimit
from core.web.methods import AllowedMethods
from core.web.outage import outage

#: A token; in bytes.
_LONGEST_BODY = 100
_NO_STORE = {"Cache-Control": "no-store"}


class TesterServices(Protocol):
    """What this route uses."""

    @property
    def admission(self) -> Admission: ...
    @property
    def recordings(self) -> Recordings: ...


def routes(services: Callable[[], TesterServices]) -> list[Route]:
    """The route; `services` is called at each request."""

    async def keep_token(request: Request) -> Response:
        if is_cross_site(request):
            return cross_site_refusal()
        token = (await request.body()).decode(errors="replace")
        try:
            access = await run_in_threadpool(admitted, services().admission, request)
            is_known = await run_in_threadpool(services().recordings.is_known, token)
        except StoreUnavailable as error:
            return outage(error)
        if not (access.sees_operator_pages and is_known):
            return PlainTextResponse("There is no such recording.", 404, _NO_STORE)
        response = Response(status_code=204, headers=_NO_STORE)
        set_cookie(response, request, COOKIE, token, LIFETIME)
        return response

    app = AllowedMethods(keep_token, "POST")
    return [Route("/qa/tester", BodyLimit(app, _LONGEST_BODY, needs_length=True))]

"""Serves the simulated handset of a verification, whose number stays hidden.

/phone/{verification}/handset   for a browser that may see that verification
/handset                        the page for a phone with a link (`core.access.phone_links`)
POST   /handset/link            the link's handle, as text; sets the cookie that the others need
GET    /handset/verification    what the page needs to know; 410 once the verification has ended
POST   /handset/code            check a code, as text
ANY    /handset/phone/handset   the handset: read it, follow it, act on its calls

Decision: a cookie for /handset only, so that the handle is in no address, also not of a WebSocket.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette._utils import get_route_path
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.access.admission import Admission
from core.access.phone_links import PAGE, PhoneLinks
from core.model.clock import Clock, to_ms
from core.model.errors import StoreUnavailable
from core.model.verification import Status, View
from core.settings.settings import Settings
from core.verification.service import Verifications
from core.web.access import admitted
from core.web.body_limit import BodyLimit
from core.web.methods import AllowedMethods, Endpoint
from core.web.outage import outage
from core.web.sandbox_guard import refuse

COOKIE = "handset"
#: A handle or a code; in bytes.
_LONGEST_BODY = 1024
#: How soon an open push ends after its verification, in seconds.
_END_SECONDS = 1.0
_NO_STORE = {"Cache-Control": "no-store"}
_NO_PHONE = PlainTextResponse("There is no such phone.", 404, _NO_STORE)
_NO_LINK = {
    "cause": "This link is not valid, or its verification has expired.",
    "remedy": "Scan the code on the Verify page again.",
}


class PhoneServices(Protocol):
    """What these routes use."""

    @property
    def settings(self) -> Settings: ...
    @property
    def admission(self) -> Admission: ...
    @property
    def phone_links(self) -> PhoneLinks: ...
    @property
    def verifications(self) -> Verifications: ...
    @property
    def clock(self) -> Clock: ...


def routes(
    services: Callable[[], PhoneServices], sandbox: Callable[[], ASGIApp | None], page: str
) -> list[BaseRoute]:
    """The routes; `services` is called at each request, and `sandbox` returns the sandbox of this
    process, None where it has none. `page` is the HTML of the phone's page."""
    endpoints = _PhoneEndpoints(services, sandbox, page)
    return [
        Mount("/phone/{verification}", app=endpoints.handset_of_verification),
        Route(PAGE, AllowedMethods(endpoints.show_page, "GET", "HEAD")),
        _route(f"{PAGE}/link", endpoints.open_link, "POST"),
        _route(f"{PAGE}/verification", endpoints.describe, "GET"),
        _route(f"{PAGE}/code", endpoints.check, "POST"),
        Mount(f"{PAGE}/phone", app=endpoints.handset_of_phone),
    ]


def _route(path: str, endpoint: Endpoint, method: str) -> Route:
    app = AllowedMethods(_with_outage(endpoint), method)
    return Route(path, BodyLimit(app, _LONGEST_BODY, needs_length=True))


class _PhoneEndpoints:
    """The endpoints of the routes."""

    def __init__(
        self,
        services: Callable[[], PhoneServices],
        sandbox: Callable[[], ASGIApp | None],
        page: str,
    ) -> None:
        self._services = services
        self._sandbox = sandbox
        self._page = page

    async def show_page(self, request: Request) -> Response:
        return HTMLResponse(self._page, headers=_NO_STORE)

    async def open_link(self, request: Request) -> Response:
        """Check the handle of a link, and set the cookie."""
        handle = (await request.body()).decode(errors="replace").strip()
        result = await run_in_threadpool(self._view_of_handle, handle)
        if isinstance(result, Response):
            return result
        response = JSONResponse(_described(self._services().settings, result), headers=_NO_STORE)
        left = result.verification.expires_at - self._services().clock.now()
        response.set_cookie(
            COOKIE,
            handle,
            max_age=max(1, int(left.total_seconds())),
            path=PAGE,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return response

    async def describe(self, request: Request) -> Response:
        result = await self._view_of_cookie(request)
        if isinstance(result, Response):
            return result
        return JSONResponse(_described(self._services().settings, result), headers=_NO_STORE)

    async def check(self, request: Request) -> Response:
        """Check the code that was entered on the phone."""
        entered = (await request.body()).decode(errors="replace")
        result = await self._view_of_cookie(request)
        if isinstance(result, Response):
            return result
        address = request.client.host if request.client else None
        checked = await run_in_threadpool(
            self._services().verifications.check, result.verification.id, entered, address=address
        )
        body = {"outcome": checked.outcome.value, "checks_left": checked.checks_left}
        return JSONResponse(body, headers=_NO_STORE)

    async def handset_of_verification(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The handset of a verification that this browser may see."""
        connection = HTTPConnection(scope)
        verification = str(connection.path_params["verification"])
        result: View | Response | None
        try:
            result = await run_in_threadpool(self._view_of_visitor, connection, verification)
        except StoreUnavailable as error:
            result = outage(error)
        await self._forward(result or _NO_PHONE, b"", scope, receive, send)

    async def handset_of_phone(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The handset of the verification that the cookie names."""
        connection = HTTPConnection(scope)

        async def is_over() -> bool:
            return isinstance(await self._view_of_cookie(connection), Response)

        result = await self._view_of_cookie(connection)
        # Also for an event stream, which any HTTP client can follow.
        receive = _until(is_over, receive, f"{scope['type']}.disconnect")
        if scope["type"] == "http" and scope["method"] not in {"GET", "POST"}:
            # Its calls can be acted on; the handset itself is not the link's to empty or to set.
            result = PlainTextResponse("Only GET and POST are served here.\n", 405, _NO_STORE)
        since = b"" if isinstance(result, Response) else _since(result)
        await self._forward(result, since, scope, receive, send)

    async def _forward(
        self, result: View | Response, query: bytes, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Pass a request below a mount on to the handset of a verification; or refuse it."""
        handset, _, rest = get_route_path(scope).removeprefix("/").partition("/")
        app = self._sandbox()
        if isinstance(result, Response) or handset != "handset" or app is None:
            await refuse(
                result if isinstance(result, Response) else _NO_PHONE, scope, receive, send
            )
            return
        number = result.verification.to.digits
        path = f"/sandbox/handset/{number}" + (f"/{rest}" if rest else "")
        handset_scope = {
            **scope,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "/sandbox",
            "query_string": b"number=hidden" + query,
        }
        await app(handset_scope, receive, send)

    def _view_of_visitor(self, connection: HTTPConnection, verification: str) -> View | None:
        grant = admitted(self._services().admission, connection).grant
        return self._services().verifications.look(verification, grant)

    def _view_of_handle(self, handle: str | None) -> View | Response:
        """The pending verification of a link's handle, or the answer that refuses it."""
        verification = (
            self._services().phone_links.find(handle)
            if handle and self._sandbox() is not None
            else None
        )
        view = self._services().verifications.look(verification) if verification else None
        if view is None:
            return JSONResponse(_NO_LINK, 404, headers=_NO_STORE)
        if view.verification.status is not Status.PENDING:
            return JSONResponse({"status": view.verification.status}, 410, headers=_NO_STORE)
        return view

    async def _view_of_cookie(self, connection: HTTPConnection) -> View | Response:
        """The pending verification of the cookie's handle, or the answer that refuses it."""
        try:
            return await run_in_threadpool(self._view_of_handle, connection.cookies.get(COOKIE))
        except StoreUnavailable as error:
            return outage(error)


def _with_outage(endpoint: Endpoint) -> Endpoint:
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except StoreUnavailable as error:
            return outage(error)

    return answer


def _since(view: View) -> bytes:
    """For the query of a link: what came before its verification is not shown."""
    return f"&since={to_ms(view.verification.started_at)}".encode()


def _described(settings: Settings, view: View) -> dict[str, Any]:
    verification = view.verification
    return {
        "label": verification.to.masked,
        "length": verification.digits,
        "brand": settings.brand,
        "since_ms": to_ms(verification.started_at),
        "references": view.references,
    }


def _until(is_over: Callable[[], Awaitable[bool]], receive: Receive, disconnect: str) -> Receive:
    """`receive`, which reports a message of the type `disconnect` soon after the verification has
    ended."""
    waiting: asyncio.Future[Message] | None = None

    async def receive_until_over() -> Message:
        nonlocal waiting
        waiting = waiting or asyncio.ensure_future(receive())
        try:
            while not waiting.done():
                await asyncio.wait([waiting], timeout=_END_SECONDS)
                if not waiting.done() and await is_over():
                    waiting.cancel()
                    return {"type": disconnect, "code": 1000}
        except asyncio.CancelledError:
            waiting.cancel()
            raise
        message, waiting = waiting.result(), None
        return message

    return receive_until_over

"""Adds security headers to every response: only our own pages may frame it, browsers do not guess
its type, and other sites get no referrer (an address may contain the id of a verification)."""

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = b"content-security-policy"
_FRAMES = (_POLICY, b"frame-ancestors 'self'")
_OTHERS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin"))
#: The start of a response, and of the response to a refused websocket.
_STARTS = {"http.response.start", "websocket.http.response.start"}


class SecurityHeaders:
    """Middleware, outermost."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        can_deny = "websocket.http.response" in scope.get("extensions", {})
        is_open = False

        async def with_headers(message: Message) -> None:
            nonlocal is_open
            if message["type"] == "websocket.accept":
                is_open = True
            if message["type"] == "websocket.close" and can_deny and not is_open:
                # The server's own response to a refused websocket lacks these headers.
                await _deny(scope, receive, with_headers)
                return
            if message["type"] in _STARTS:
                message["headers"] = _secured(message.get("headers", ()))
            await send(message)

        await self._app(scope, receive, with_headers)


async def broken(request: Request, error: Exception) -> Response:
    """The response to an unexpected exception; the server logs the traceback. Starlette sends it
    past all middleware, so the headers are added here."""
    text = "This is an error of the server. Give the operator the time of this request."
    response = PlainTextResponse(text, 500)
    response.raw_headers = _secured(response.raw_headers)
    return response


def _secured(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The raw headers of a response, with those that it lacks. Their names are in lower case, as
    ASGI demands. Not by MutableHeaders, which takes a twentieth of the time of a check."""
    secured = list(headers)
    values = dict(secured)
    if b"frame-ancestors" not in values.get(_POLICY, b""):
        secured.append(_FRAMES)
    secured += [header for header in _OTHERS if header[0] not in values]
    return secured


async def _deny(scope: Scope, receive: Receive, send: Send) -> None:
    response = PlainTextResponse("This websocket is refused.", 403)
    await response(scope, receive, send)

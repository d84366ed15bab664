"""Headers that every answer carries: who may frame it, that its type is not guessed, and that a
link from it names no address of ours to others (an address may hold the id of a verification)."""

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FRAMES = "frame-ancestors 'self'"
_OTHERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
#: The start of an answer, and of one to a refused websocket.
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
                # The server's own answer to a refused websocket has no headers of ours.
                await _deny(scope, receive, with_headers)
                return
            if message["type"] in _STARTS:
                message.setdefault("headers", [])
                _add(MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, with_headers)


async def broken(request: Request, error: Exception) -> Response:
    """The answer to a mistake of ours; the server logs the traceback. Starlette sends it past all
    middleware, so it brings the headers itself."""
    response = PlainTextResponse("This is a mistake of ours. Tell the operator when it was.", 500)
    _add(response.headers)
    return response


def _add(headers: MutableHeaders) -> None:
    if "frame-ancestors" not in headers.get("content-security-policy", ""):
        headers.append("Content-Security-Policy", _FRAMES)
    for name, value in _OTHERS.items():
        headers.setdefault(name, value)


async def _deny(scope: Scope, receive: Receive, send: Send) -> None:
    response = PlainTextResponse("This websocket is refused.", 403)
    await response(scope, receive, send)

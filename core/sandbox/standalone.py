"""The sandbox as an ASGI application of its own, for the command and for tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from core.sandbox.api.answers import error
from core.sandbox.app import Sandbox


class OwnOrigin:
    """Middleware: refuses what a page of another site sends. A browser on this machine sends its
    form or opens its WebSocket without asking; what a GET returns, it keeps from that page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope.get("method") in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is None or _host_of(origin) == headers.get("host"):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(1008)(scope, receive, send)
        else:
            await error(403, "a page of another site sent this request")(scope, receive, send)


def _host_of(origin: str) -> str:
    """Empty for a malformed origin."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def standalone(sandbox: Sandbox) -> Starlette:
    """Serves every path with and without the prefix /sandbox, and runs the sandbox meanwhile."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with sandbox.running():
            yield

    mounts = [Mount("/sandbox", sandbox.asgi), Mount("/", sandbox.asgi)]
    return Starlette(routes=mounts, lifespan=lifespan, middleware=[Middleware(OwnOrigin)])

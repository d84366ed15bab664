"""Limits a route to its methods: 405 for every other one.

Without it the catch-all of the pages answers the other methods with 200, and Starlette passes a
HEAD to a route for GET. The REST API has the 405 of FastAPI instead.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

Endpoint = Callable[[Request], Awaitable[Response]]


class AllowedMethods:
    """An endpoint for `Route`: an ASGI application, which Starlette calls without the wrapping that
    it gives to functions. That wrapping takes a tenth of the time of a check."""

    def __init__(self, endpoint: Endpoint, *methods: str) -> None:
        self._endpoint = endpoint
        self._methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in self._methods:
            response = await self._endpoint(Request(scope, receive))
        else:
            response = self._method_not_allowed()
        await response(scope, receive, send)

    def _method_not_allowed(self) -> Response:
        served = " and ".join(self._methods)
        verb = "are" if len(self._methods) > 1 else "is"
        headers = {"Allow": ", ".join(self._methods), "Cache-Control": "no-store"}
        return PlainTextResponse(f"Only {served} {verb} served here.\n", 405, headers)

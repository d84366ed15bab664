"""Limits the size of request bodies: 413 for a body that is too long, announced or not."""

from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyTooLong(HTTPException):
    """Raised to a reader of a body that is longer than allowed."""

    def __init__(self) -> None:
        super().__init__(413)


class BodyLimit:
    """ASGI middleware for an application or for a single route.

    `longest` is in bytes; `refuse` makes the 413, a text by default. With `needs_length`, a body
    that does not announce its length gets 411 without being read.
    """

    def __init__(
        self,
        app: ASGIApp,
        longest: int,
        refuse: Callable[[], Response] | None = None,
        *,
        needs_length: bool = False,
    ) -> None:
        self._app = app
        self._longest = longest
        self._refuse = refuse or self._text
        self._needs_length = needs_length

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Request(scope).headers
        announced = headers.get("content-length", "0")
        if self._needs_length and "transfer-encoding" in headers:
            no_length = PlainTextResponse("Send the body with its length.", 411)
            await no_length(scope, receive, send)
            return
        if announced.isdecimal() and int(announced) > self._longest:
            await self._refuse()(scope, receive, send)
            return
        received = 0

        async def limited_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._longest:
                raise BodyTooLong
            return message

        try:
            await self._app(scope, limited_receive, send)
        except BodyTooLong:
            await self._refuse()(scope, receive, send)

    def _text(self) -> Response:
        kilobytes = self._longest // 1024
        return PlainTextResponse(f"The body is too large. Send at most {kilobytes} kB.", 413)

"""Refuses bodies that are too large, before they are read.

FastAPI's own limit answers with a text; ours is a problem, as every other error is.
"""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.web.rest.problems import ProblemCode, respond

#: No request of ours needs more, in bytes.
LONGEST_BODY = 16 * 1024


class BodyLimit:
    """Middleware: 413 for a body of more than LONGEST_BODY, announced or not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > LONGEST_BODY:
            answer = respond(
                413, ProblemCode.TOO_LARGE, "The body is too large.", "Send less than 16 kB."
            )
            await answer(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > LONGEST_BODY:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)

"""Ends requests of slow and vanished clients: a deadline for reading a body, and no traceback after
a disconnect. For all routes: callbacks, the REST API, sign-in and the sandbox."""

import asyncio
import logging

from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

#: From the first to the last byte of a body; bodies have 64 kB at most.
DEADLINE_SECONDS = 10.0


class BodyDeadline:
    """Middleware: 408 for a body that is not complete in time. The application sees a client that
    is too slow as a disconnected client."""

    def __init__(self, app: ASGIApp, seconds: float = DEADLINE_SECONDS) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        end = loop.time() + self._seconds
        is_whole = is_late = is_gone = has_begun = False

        async def receive_in_time() -> Message:
            nonlocal is_whole, is_late, is_gone
            if is_whole:
                return await receive()
            if not is_late:
                try:
                    async with asyncio.timeout_at(end):
                        message = await receive()
                except TimeoutError:
                    is_late = True
            if is_late:
                return {"type": "http.disconnect"}
            is_gone = message["type"] == "http.disconnect"
            is_whole = not is_gone and not message.get("more_body", False)
            return message

        async def send_unless_late(message: Message) -> None:
            nonlocal has_begun
            if is_late and not has_begun:
                return
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive_in_time, send_unless_late)
        except ClientDisconnect:
            log.debug("client disconnected")
        except Exception:
            # An application may raise anything for a body that ended early: that is no defect.
            if not (is_late or is_gone):
                raise
            log.debug("client disconnected", exc_info=True)
        if is_late and not has_begun:
            slow = PlainTextResponse(
                "The body did not arrive in time.", 408, {"Connection": "close"}
            )
            await slow(scope, receive, send)

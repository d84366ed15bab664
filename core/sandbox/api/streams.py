"""Pushes changes to clients, and waits for them.

Pushed as server-sent events, which any HTTP client can read, and by WebSocket: a browser opens at
most six HTTP connections per host, shared by all its windows.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.sandbox.api.answers import NO_STORE
from core.sandbox.errors import Refusal
from core.sandbox.handsets import Handsets

T = TypeVar("T")

HEARTBEAT_SECONDS = 15.0

_HEADERS = {**NO_STORE, "X-Accel-Buffering": "no"}


class Streams:
    """Streams of the changes of one handset, or of all (`ALL_NUMBERS`)."""

    def __init__(self, handsets: Handsets) -> None:
        self._handsets = handsets
        self._stopping = False

    def start(self) -> None:
        self._stopping = False

    def stop(self) -> None:
        """End every stream and every wait at once."""
        self._stopping = True
        self._handsets.wake_all()

    def events(self, number: str) -> Response:
        """Server-sent events: `data: changed` at each change, and a comment at each heartbeat."""
        return StreamingResponse(
            self._events(number), media_type="text/event-stream", headers=_HEADERS
        )

    async def push(self, socket: WebSocket, number: str) -> None:
        """Send `changed` at each change, and an empty text at each heartbeat."""
        await socket.accept()
        pushing = asyncio.create_task(self._push(socket, number))
        try:
            # The client sends nothing: any message, or its disconnect, ends the push.
            await socket.receive()
        finally:
            pushing.cancel()
            await asyncio.wait([pushing])
        with suppress(WebSocketDisconnect, RuntimeError):  # closed already
            await socket.close(1008)

    async def wait(
        self, request: Request, number: str, look: Callable[[], T | None], seconds: float
    ) -> T:
        """The first answer of `look`, called now and after each change of a handset. Raises
        TimeoutError, and Refusal when the sandbox stops or the client has gone."""
        with self._handsets.watch(number) as changed:
            leaving = asyncio.create_task(_until_disconnect(request))
            leaving.add_done_callback(lambda _: changed.set())
            try:
                async with asyncio.timeout(seconds):
                    while (answer := look()) is None:
                        if self._stopping:
                            raise Refusal(503, "the sandbox stops")
                        changed.clear()
                        await changed.wait()
                        if leaving.done():
                            raise Refusal(408, "the client has gone")
            finally:
                leaving.cancel()
        return answer

    async def _push(self, socket: WebSocket, number: str) -> None:
        with suppress(WebSocketDisconnect):  # `push` receives the disconnect
            async with aclosing(self._changes(number)) as changes:
                async for changed in changes:
                    await socket.send_text("changed" if changed else "")
            await socket.close(1001)

    async def _events(self, number: str) -> AsyncIterator[str]:
        yield ": open\n\n"  # makes the server send the headers
        async for changed in self._changes(number):
            yield "data: changed\n\n" if changed else ": still here\n\n"

    async def _changes(self, number: str) -> AsyncGenerator[bool]:
        """True at each change, False at each heartbeat, until the sandbox stops."""
        with self._handsets.watch(number) as changed:
            while not self._stopping:
                try:
                    # `wait_for` of Python 3.11 loses a cancel that comes with the event.
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        await changed.wait()
                except TimeoutError:
                    yield False
                else:
                    changed.clear()
                    if not self._stopping:
                        yield True


async def _until_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass

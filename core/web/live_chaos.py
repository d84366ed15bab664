"""Pushes to pages whether chaos of the sandbox is on: `/live-chaos`, a WebSocket for each window.

Decision: while there are windows, one task asks the sandbox every second and a half, at one address
for all windows; the sandbox may be another process, which knows of no windows. A message is JSON
with the `words` of the band, sent at the opening and at each change, or empty every
`KEEP_ALIVE_SECONDS`. It holds no secret, so that every visitor of a page gets it.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress

from starlette.concurrency import run_in_threadpool
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

READ_SECONDS = 1.5
KEEP_ALIVE_SECONDS = 15.0
_GOING_AWAY, _NOTHING_EXPECTED = 1001, 1008


class ChaosFeed:
    """The words of the band, for every window. `read` returns them and may block."""

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read
        self._words = ""
        self._windows: set[asyncio.Event] = set()
        self._reading: asyncio.Task[None] | None = None
        self._stopping = False

    def stop(self) -> None:
        """End every stream; call it on the loop that serves them."""
        self._stopping = True
        for changed in self._windows:
            changed.set()

    async def words(self) -> AsyncGenerator[str | None]:
        """The words now and after each change; None every KEEP_ALIVE_SECONDS without a change."""
        await self._update()
        changed = asyncio.Event()
        self._windows.add(changed)
        if self._reading is None:
            self._reading = asyncio.create_task(self._follow())
        try:
            yield self._words
            while not self._stopping:
                try:
                    async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                        await changed.wait()
                except TimeoutError:
                    yield None
                    continue
                changed.clear()
                if not self._stopping:
                    yield self._words
        finally:
            self._windows.discard(changed)
            if not self._windows and self._reading is not None:
                self._reading.cancel()
                self._reading = None

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(READ_SECONDS)
            await self._update()

    async def _update(self) -> None:
        words = await run_in_threadpool(self._read)
        if words != self._words:
            self._words = words
            for changed in self._windows:
                changed.set()


def routes(feed: Callable[[], ChaosFeed | None]) -> list[WebSocketRoute]:
    """The route; `feed` returns None where there is no sandbox."""

    async def live_chaos(socket: WebSocket) -> None:
        chaos = feed()
        if chaos is None:
            await socket.close()
            return
        await socket.accept()
        pushing = asyncio.create_task(_push(socket, chaos))
        try:
            # A window sends nothing: a message ends the push, as a disconnect does.
            await socket.receive()
        finally:
            pushing.cancel()
            await asyncio.wait([pushing])
        with suppress(WebSocketDisconnect, RuntimeError):  # closed already
            await socket.close(_NOTHING_EXPECTED)

    return [WebSocketRoute("/live-chaos", live_chaos)]


async def _push(socket: WebSocket, feed: ChaosFeed) -> None:
    with suppress(WebSocketDisconnect):  # `live_chaos` receives it too
        async with aclosing(feed.words()) as changes:
            async for words in changes:
                await socket.send_text("" if words is None else json.dumps({"words": words}))
        await socket.close(_GOING_AWAY)

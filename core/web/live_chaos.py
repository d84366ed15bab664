"""Pushes to pages whether chaos of the sandbox is on: `/live-chaos`, a WebSocket for each window.

Decision: while there are windows, one task asks the sandbox every second and a half, at one address
for all windows; the sandbox may be another process, which knows of no windows. A message is JSON
with the `words` of the band, sent at the opening and at each change, or empty as keep-alive. It
holds no secret, so that every visitor of a page gets it.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable

from starlette.concurrency import run_in_threadpool
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from core.web.push import KEEP_ALIVE, next_change, push

READ_SECONDS = 1.5


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

    async def texts(self) -> AsyncGenerator[str]:
        """The texts to push to a window: the words now and after each change, else KEEP_ALIVE."""
        if self._reading is None:
            await self._update()
        changed = asyncio.Event()
        self._windows.add(changed)
        if self._reading is None:
            self._reading = asyncio.create_task(self._follow())
        try:
            yield self._message()
            while not self._stopping:
                is_change = await next_change(changed)
                if not self._stopping:
                    yield self._message() if is_change else KEEP_ALIVE
        finally:
            self._windows.discard(changed)
            if not self._windows and self._reading is not None:
                self._reading.cancel()
                self._reading = None

    def _message(self) -> str:
        return json.dumps({"words": self._words})

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
        await push(socket, chaos.texts())

    return [WebSocketRoute("/live-chaos", live_chaos)]

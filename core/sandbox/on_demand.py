"""The sandbox inside the product: locks its state at the start, and loads the rest when needed.

Its routes, httpx and lxml are slow to load, and no start should wait for them. Without jobs that an
earlier run left, nothing has to run before the first request.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from core.sandbox.api.chaos import ChaosApi
from core.sandbox.api.endings import EndingsApi
from core.sandbox.chaos.chaos import Chaos
from core.sandbox.storage import Storage

if TYPE_CHECKING:
    from core.sandbox.app import Sandbox


class OnDemandSandbox:
    """A sandbox with its state in the folder `data`. `make` builds it around this storage."""

    def __init__(self, data: Path, make: "Callable[[Storage], Sandbox]") -> None:
        self._storage = Storage(data)
        self._make = make
        # The first page reads the table of endings, and every page whether chaos is on.
        self._before_start = [*EndingsApi().routes(), ChaosApi(Chaos(self._storage)).reading]
        self._making = Lock()
        self._sandbox: Sandbox | None = None
        self._starting = asyncio.Lock()
        self._running = AsyncExitStack()
        self._started_sandbox: Sandbox | None = None

    def claim(self) -> None:
        """Lock the state file now, before anything is served.

        Raises FileInUse when another sandbox has locked it.
        """
        self._storage.open(time.time())

    def load(self) -> "Sandbox":
        """Import and build the sandbox, ahead of its use. Any thread may call it."""
        with self._making:
            if self._sandbox is None:
                self._sandbox = self._make(self._storage)
            return self._sandbox

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve, beginning with the jobs that an earlier run left in the state file.

        Raises FileInUse when another sandbox has locked the state file.
        """
        self.claim()
        async with self._running:
            self._running.callback(self._storage.close)
            self._running.callback(setattr, self, "_started_sandbox", None)
            if self._storage.row("SELECT 1 FROM schedule LIMIT 1"):
                await self._start()
            yield

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application. The first request that needs the sandbox starts it."""
        for route in self._before_start:
            match, child_scope = route.matches(scope)
            if match is Match.FULL:
                await route.handle({**scope, **child_scope}, receive, send)
                return
        sandbox = self._started_sandbox or await self._start()
        await sandbox.asgi(scope, receive, send)

    async def _start(self) -> "Sandbox":
        async with self._starting:
            if self._started_sandbox is None:
                sandbox = await asyncio.to_thread(self.load)
                await self._running.enter_async_context(sandbox.running())
                self._started_sandbox = sandbox
            return self._started_sandbox

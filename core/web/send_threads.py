"""Threads for sends alone, so that no other request waits for a thread that waits for Plivo."""

from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread

from core.verification.send_slots import SENDS_AT_ONCE

T = TypeVar("T")

#: Threads for the sends that find no free slot: they are refused within milliseconds.
_SPARE = 8


class SendThreads:
    """Runs sends. There are more threads than send slots, so no send waits for a thread while all
    slots are taken: it gets its refusal at once."""

    def __init__(self) -> None:
        self._limiter = anyio.CapacityLimiter(SENDS_AT_ONCE + _SPARE)

    async def run(self, send: Callable[[], T]) -> T:
        """The result of `send`, which may block."""
        return await anyio.to_thread.run_sync(send, limiter=self._limiter)

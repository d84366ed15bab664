"""Runs sends in threads of their own, so that no other request waits for a silent Plivo."""

from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread

from core.verification.send_slots import SENDS_AT_ONCE

T = TypeVar("T")

#: Threads for sends without a free slot: they are refused within milliseconds.
_SPARE = 8


class SendThreads:
    """There are more threads than send slots. So while all slots are taken, a further send does not
    wait for a thread: it is refused at once."""

    def __init__(self) -> None:
        self._limiter = anyio.CapacityLimiter(SENDS_AT_ONCE + _SPARE)

    async def run(self, send: Callable[[], T]) -> T:
        """The result of `send`, which may block."""
        return await anyio.to_thread.run_sync(send, limiter=self._limiter)

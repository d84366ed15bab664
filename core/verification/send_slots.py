"""A bound on the sends that wait for Plivo at the same time.

Each send occupies a thread until Plivo answers, at most the connect and the read time-out. Without
a bound, a Plivo that accepts connections and never answers would collect threads without end.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import BoundedSemaphore

#: Plivo takes 60 requests a second from an account and answers within a second, so more than this
#: wait only when something is wrong. A waiting thread costs about 0.1 MB and one connection.
SENDS_AT_ONCE = 100

#: When a refused client may try again. A slot is free after the read time-out at the latest.
RETRY_AFTER = timedelta(seconds=5)


class SendSlots:
    """Slots for sends. There is no queue: a send without a free slot is refused at once."""

    def __init__(self, count: int = SENDS_AT_ONCE) -> None:
        self._free = BoundedSemaphore(count)

    @contextmanager
    def take(self) -> Iterator[bool]:
        """Holds a slot inside; False where none is free."""
        has_slot = self._free.acquire(blocking=False)
        try:
            yield has_slot
        finally:
            if has_slot:
                self._free.release()

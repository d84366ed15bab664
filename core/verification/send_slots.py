"""Limits the sends that wait for Plivo at the same time.

Each send occupies a thread until Plivo answers, at most the connect and the read time-out. Without
a bound, a Plivo that accepts connections and never answers would hold more and more threads.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import wraps
from threading import BoundedSemaphore
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from core.model.verification import SendOutcome, SendResult
from core.verification.refusals import refused

log = logging.getLogger(__name__)

P = ParamSpec("P")

#: Plivo takes 60 requests a second from an account and answers within a second, so more than this
#: wait only when something is wrong. A waiting thread costs about 0.1 MB and one connection.
SENDS_AT_ONCE = 100

#: When a refused client may try again. A slot is free after the read time-out at the latest.
RETRY_AFTER = timedelta(seconds=5)


class SendSlots:
    """Slots for sends. There is no queue: a send without a free slot is refused at once."""

    def __init__(self) -> None:
        self._free = BoundedSemaphore(SENDS_AT_ONCE)

    @contextmanager
    def take(self) -> Iterator[bool]:
        """A context that holds a slot; its value is False if no slot is free."""
        has_slot = self._free.acquire(blocking=False)
        try:
            yield has_slot
        finally:
            if has_slot:
                self._free.release()


class HasSendSlots(Protocol):
    """A service whose sends share slots."""

    @property
    def send_slots(self) -> SendSlots: ...


S = TypeVar("S", bound=HasSendSlots)


def in_slot(
    send: Callable[Concatenate[S, P], SendResult],
) -> Callable[Concatenate[S, P], SendResult]:
    """Decorates a method that may wait for Plivo. It is refused as `BUSY`, before it reads or
    writes anything, while too many sends wait already."""

    @wraps(send)
    def bounded(self: S, /, *args: P.args, **kwargs: P.kwargs) -> SendResult:
        with self.send_slots.take() as has_slot:
            if has_slot:
                return send(self, *args, **kwargs)
        log.warning("send refused: all send slots are taken")
        return refused(None, SendOutcome.BUSY, retry_after=RETRY_AFTER)

    return bounded

"""How many requests one bearer may make in a minute.

Decision: a counter of our own, not the `limits` package. That one opens a connection of its own
(not the Cluster or the Sentinels that REDIS_URL names), names keys outside ours, and asks Redis
three times for what one round trip tells: whether, how many more, and until when.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from core.model.clock import Clock, to_ms
from core.store.client import Client
from core.store.keys import Keys

WINDOW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class RequestAllowance:
    """What is left to a bearer in this window. `reset`: until the next one begins."""

    limit: int
    remaining: int
    reset: timedelta
    is_spent: bool


class RequestLimit:
    """Counts requests by name in fixed windows of a minute: `limit` in each."""

    def __init__(self, client: Client, keys: Keys, clock: Clock, limit: int) -> None:
        self._client = client
        self._keys = keys
        self._clock = clock
        self._limit = limit

    def spend(self, names: Sequence[str]) -> list[RequestAllowance]:
        """Count a request of each name, also where it is one too many, and say what is left after
        it; in one round trip. Raises StoreUnavailable."""
        now_ms, window_ms = to_ms(self._clock.now()), WINDOW // timedelta(milliseconds=1)
        with self._client.pipeline() as pipe:
            for name in names:
                key = self._keys.requests(name, now_ms // window_ms)
                pipe.incr(key)
                pipe.expire(key, 2 * WINDOW)
            counts = pipe.execute()[::2]
        reset = timedelta(milliseconds=window_ms - now_ms % window_ms)
        return [
            RequestAllowance(self._limit, max(0, self._limit - count), reset, count > self._limit)
            for count in counts
        ]

"""Limits the requests of one token or client in a minute.

Decision: our own counter, not the `limits` package. That package opens its own connection (not the
Cluster or the Sentinels of REDIS_URL), uses keys outside our prefix, and needs three round trips
for the decision, the remaining requests and the reset, where one is enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from core.model.clock import Clock, duration_ms, to_ms
from core.store.client import Client
from core.store.keys import Keys

WINDOW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class RequestAllowance:
    """What a name has left in this window. `reset`: time until the next window begins."""

    limit: int
    remaining: int
    reset: timedelta
    is_spent: bool


class RequestLimit:
    """Counts requests by name in fixed windows of a minute; `limit` are allowed in each."""

    def __init__(self, client: Client, keys: Keys, clock: Clock, limit: int) -> None:
        self._client = client
        self._keys = keys
        self._clock = clock
        self._limit = limit

    def spend(self, names: Sequence[str]) -> list[RequestAllowance]:
        """Count a request of each name, also over the limit, and return what each has left. One
        round trip. Raises StoreUnavailable."""
        now_ms, window_ms = to_ms(self._clock.now()), duration_ms(WINDOW)
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

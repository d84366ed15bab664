"""Adds to the counters of a day, such as those of forged callbacks."""

from collections.abc import Mapping
from datetime import timedelta

from core.model.clock import Clock
from core.store.client import Client
from core.store.keys import Keys

KEEP_COUNTERS = timedelta(days=35)


def add_to_counters(client: Client, keys: Keys, clock: Clock, counts: Mapping[str, int]) -> None:
    """Add to today's (UTC) counters by name. Raises StoreUnavailable."""
    key = keys.counters(clock.now())
    with client.pipeline() as pipe:
        for name, count in counts.items():
            pipe.hincrby(key, name, count)
        pipe.expire(key, KEEP_COUNTERS)
        pipe.execute()

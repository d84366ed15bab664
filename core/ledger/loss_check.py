"""Counts what Redis lost when it failed over or restarted.

Replicas and the append-only file receive a write after the caller has its answer, so a new primary
may lack the last of what the old one confirmed. Each process remembers what it wrote in the last
minutes: attempts whose message or call went out, and approvals. When another server answers (its
run id differs), the process looks for them there, counts and logs what is missing. A process that
ends at the same time does not count; callbacks of its lost attempts are then counted as orphans.
"""

import logging
import time
from collections import Counter, deque
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Lock
from typing import NamedTuple

from core.log import logged_id
from core.model.clock import Clock, to_ms
from core.store.batches import batched
from core.store.client import Client
from core.store.counters import add_to_counters
from core.store.keys import Keys

log = logging.getLogger(__name__)

TICK = timedelta(seconds=5)
#: Longer than a Cluster or Sentinels need to replace a primary that is cut off.
_REMEMBERED_SECONDS = 120.0
_MOST_REMEMBERED = 50_000
_BATCH = 1000
_LOGGED = 20

#: Names of the counters.
ATTEMPT, APPROVAL = "lost_attempt", "lost_approval"


class _Write(NamedTuple):
    """What was written (the name of its counter), when (monotonic), and the id of its record; of
    an approval also its moment, since its code may have been approved again."""

    what: str
    at: float
    name: str
    verified_ms: str = ""


class LossCheck:
    """Remembers writes and looks for them. May be used by many threads."""

    def __init__(self, client: Client, keys: Keys, clock: Clock) -> None:
        self._client = client
        self._keys = keys
        self._clock = clock
        self._lock = Lock()
        self._run_id: str | None = None
        # Oldest first. Its methods are atomic.
        self._written: deque[_Write] = deque(maxlen=_MOST_REMEMBERED)

    def remember_attempt(self, attempt: str) -> None:
        """The message or call of this stored attempt went out."""
        self._written.append(_Write(ATTEMPT, time.monotonic(), attempt))

    def remember_approval(self, verification: str, moment: datetime) -> None:
        ms = str(to_ms(moment))
        self._written.append(_Write(APPROVAL, time.monotonic(), verification, ms))

    def run(self) -> None:
        """Look for what was written if another server answers than in the last run. Raises
        StoreUnavailable; then the next run does it."""
        with self._lock:
            self._run()

    def _run(self) -> None:
        run_id = str(self._client.info("server")["run_id"])
        oldest = time.monotonic() - _REMEMBERED_SECONDS
        while self._written and self._written[0].at < oldest:
            self._written.popleft()
        if self._run_id not in {None, run_id}:
            self._look(list(self._written))
        self._run_id = run_id

    def _look(self, written: list[_Write]) -> None:
        lost: list[_Write] = []
        for part in batched(written, _BATCH):
            with self._client.pipeline(transaction=False) as pipe:
                for write in part:
                    field = "state" if write.what == ATTEMPT else "verified_ms"
                    pipe.hget(self._key(write), field)
                values = pipe.execute()
            lost += [
                write
                for write, value in zip(part, values, strict=True)
                if value is None or (write.what == APPROVAL and value != write.verified_ms)
            ]
        if not lost:
            return
        counts = Counter(write.what for write in lost)
        add_to_counters(self._client, self._keys, self._clock, counts)
        for write in lost:
            with suppress(ValueError):
                self._written.remove(write)
        log.error(
            "redis failed over or restarted, and lost what it had confirmed",
            extra={**counts, "of": ",".join(logged_id(write.name) for write in lost[:_LOGGED])},
        )

    def _key(self, write: _Write) -> str:
        name = self._keys.attempt if write.what == ATTEMPT else self._keys.verification
        return name(write.name)

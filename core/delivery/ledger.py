"""The door through which every piece of news about an attempt comes, and the attempts behind it."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

from core.clock import Clock, from_ms, to_ms
from core.delivery.attempt import (
    Attempt,
    AttemptEvent,
    Channel,
    EventKind,
    Mode,
    State,
    verification_of,
)
from core.store.client import Client
from core.store.connection import store_errors
from core.store.keys import Keys
from core.store.scripts import Scripts

log = logging.getLogger(__name__)

KEEP_COUNTERS = timedelta(days=35)


class Applied(StrEnum):
    """What an event did. The values are the ones `apply_event.lua` returns."""

    APPLIED = "applied"
    REPEATED = "repeated"  # heard before: nothing changed
    LATE = "late"  # overtaken: its moment was kept, the state stayed
    ORPHAN = "orphan"  # its attempt is no longer kept: nothing was written


class Ledger:
    """Applies events and reads attempts. `keep` is how long an attempt is kept after its last
    news."""

    def __init__(
        self, client: Client, scripts: Scripts, keys: Keys, clock: Clock, keep: timedelta
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._keys = keys
        self._clock = clock
        self._keep_ms = int(keep.total_seconds() * 1000)

    def apply(self, event: AttemptEvent) -> Applied:
        """Book one event: exactly once, never backwards, in any order. Raises StoreUnavailable.

        When it returns, the event is stored (append-only, where the embedded Redis is used).
        """
        now = self._clock.now()
        fields = [text for pair in event.fields.items() for text in pair]
        keys = [self._keys.attempt(event.attempt), self._keys.events(event.attempt)]
        outcome, state = self._scripts.run(
            "apply_event",
            [*keys, self._keys.counters(now)],
            [
                event.kind,
                to_ms(event.at),
                to_ms(now),
                event.source,
                self._keep_ms,
                self._keys.changes,
                verification_of(event.attempt),
                int(KEEP_COUNTERS.total_seconds() * 1000),
                *fields,
            ],
        )
        log.info(
            "attempt %s",
            event.kind,
            extra={"attempt": event.attempt, "state": state, "outcome": outcome},
        )
        return Applied(outcome)

    def count(self, what: str) -> None:
        """Add one to a counter of today, such as `forged`. Raises StoreUnavailable."""
        key = self._keys.counters(self._clock.now())
        with store_errors(), self._client.pipeline() as pipe:
            pipe.hincrby(key, what, 1)
            pipe.expire(key, KEEP_COUNTERS)
            pipe.execute()

    def counters(self) -> dict[str, int]:
        """Today's (UTC) counters by name: `forged`, `repeated`, `late`, `orphan`, `malformed`."""
        with store_errors():
            found = self._client.hgetall(self._keys.counters(self._clock.now()))
        return {name: int(n) for name, n in found.items()}

    def attempts(self, ids: Sequence[str]) -> list[Attempt]:
        """The attempts of these ids that are still kept, in the order asked."""
        with store_errors(), self._client.pipeline(transaction=False) as pipe:
            for one in ids:
                pipe.hgetall(self._keys.attempt(one))
            found = pipe.execute()
        return [_attempt(one, record) for one, record in zip(ids, found, strict=True) if record]

    def attempt(self, one: str) -> Attempt | None:
        """One attempt; None when it is unknown or no longer kept."""
        return next(iter(self.attempts([one])), None)

    def heard(self, attempt: str) -> list[dict[str, str]]:
        """All that was heard of an attempt, oldest first, the newest 100: dicts of `kind`,
        `outcome` (an `Applied` value), `at_ms`, `heard_ms` and `source`."""
        with store_errors():
            entries = self._client.xrange(self._keys.events(attempt))
        names = ("kind", "outcome", "at_ms", "heard_ms", "source")
        return [dict(zip(names, e["event"].split(), strict=True)) for _, e in entries]


def _attempt(one: str, record: dict[str, str]) -> Attempt:
    moments = {kind: from_ms(ms) for kind in EventKind if (ms := record.get(f"{kind}_ms"))}
    return Attempt(
        id=one,
        channel=Channel(record["channel"]),
        mode=Mode(record["mode"]),
        state=State(record["state"]),
        to_masked=record["to_masked"],
        region=record["region"],
        carrier=record["carrier"],
        moments=moments,
        reference=record.get("reference", ""),
        error_code=record.get("error_code", ""),
        hangup_cause=record.get("hangup_cause", ""),
        cause=record.get("cause", ""),
        remedy=record.get("remedy", ""),
        cost_micros=int(record.get("cost_micros", "0")),
    )

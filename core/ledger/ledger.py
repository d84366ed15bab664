"""Applies events to attempts, and keeps their figures and the list of attempts."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum

from core.figures.rollups import NOWHERE, Booking, Rollups
from core.ledger.attempts import AttemptReader
from core.ledger.bookings import BookingCache
from core.log import logged_id
from core.model.attempt import (
    AttemptEvent,
    EventKind,
    Source,
    verification_of,
)
from core.model.clock import Clock, duration_ms, read_ms, to_ms
from core.store.batches import batched
from core.store.client import Client
from core.store.failures import ResponseError
from core.store.keys import Keys
from core.store.left_out import KEEP_COUNTERS
from core.store.scripts import Scripts

log = logging.getLogger(__name__)

_KEEP_COUNTERS_MS = duration_ms(KEEP_COUNTERS)
#: An attempt that is booked late (sample traffic, an old log) is kept for its other events at least
#: this long.
_MIN_KEEP_MS = 600_000
_BATCH = 500
#: How often an event is applied again because the script needs other keys.
_MAX_ROUNDS = 5
#: Events that may be sent to WEBHOOK_URL: `_outbox.lua` decides.
_WEBHOOK_KINDS = {
    EventKind.REJECTED,
    EventKind.FAILED,
    EventKind.UNDELIVERED,
    EventKind.DELIVERED,
}


class EventOutcome(StrEnum):
    """What an event changed. The values are those that `apply_event.lua` returns."""

    APPLIED = "applied"
    REPEATED = "repeated"  # received before: nothing changed
    LATE = "late"  # its moment was stored; the state, of a later event, stayed
    ORPHAN = "orphan"  # its attempt is not kept: nothing was written


class Ledger(AttemptReader):
    """Applies events and reads attempts. `keep` is how long an attempt is kept after its request.
    `webhooks_enabled`: events for WEBHOOK_URL are queued in the same step.
    """

    def __init__(
        self,
        client: Client,
        scripts: Scripts,
        keys: Keys,
        clock: Clock,
        keep: timedelta,
        *,
        webhooks_enabled: bool = False,
    ) -> None:
        super().__init__(client, keys, clock)
        self._scripts = scripts
        self._clock = clock
        self._keep_ms = duration_ms(keep)
        self._webhook_kinds = frozenset(_WEBHOOK_KINDS if webhooks_enabled else ())
        self._rollups = Rollups(keys)
        self._bookings = BookingCache(client, keys, self._left_out)

    def apply(self, event: AttemptEvent) -> EventOutcome:
        """Apply one event. Events may come in any order and more than once: each counts once, and
        the state never moves back. Raises StoreUnavailable.

        On return, the attempt and all its figures are stored, in one step.
        """
        outcome, state = self._apply([event])[0]
        log.info(
            "attempt %s",
            event.kind,
            extra={"attempt": logged_id(event.attempt), "state": state, "outcome": outcome},
        )
        return outcome

    def apply_all(
        self, events: Iterable[AttemptEvent], *, batch: int = 500
    ) -> Counter[EventOutcome]:
        """Apply many events as `apply` does, in their order, with a round trip for each `batch`.
        Returns the number of events by outcome. Raises StoreUnavailable: some events may have been
        applied, and applying them again changes nothing."""
        counted: Counter[EventOutcome] = Counter()
        for part in batched(events, batch):
            counted.update(outcome for outcome, _ in self._apply(part))
        return counted

    def book_checks(self) -> int:
        """Apply the waiting events of code checks, at most 500; returns their number.

        `check_code.lua` only appends them to a list, so that a check is fast. Several processes may
        do this at the same time: an entry is removed after it was applied, and counts once.
        """
        entries: list[str] = self._client.lrange(self._keys.checks, 0, _BATCH - 1)
        if not entries:
            return 0
        # Unreadable entries are removed too: they would stay in the list forever.
        checks = [check for entry in entries if (check := self._read_check(entry))]
        self._apply(checks, is_recorded=True)
        with self._client.pipeline(transaction=False) as pipe:
            for entry in entries:
                pipe.lrem(self._keys.checks, 1, entry)
            pipe.execute()
        return len(entries)

    def restore(self, records: Mapping[str, dict[str, str]]) -> None:
        """Write removed attempts and their figures again, from their records by id. Their streams
        of events must still exist. Raises StoreUnavailable."""
        self._bookings.forget(records)
        events = (
            event
            for attempt_id, record in records.items()
            for event in _events_of(attempt_id, record)
        )
        for part in batched(events, _BATCH):
            self._apply(part, is_recorded=True)

    def _read_check(self, entry: str) -> AttemptEvent | None:
        """The event in an entry of the list of checks; None if it cannot be read."""
        try:
            attempt, kind, at_ms = entry.split()
            return AttemptEvent(attempt, EventKind(kind), read_ms(at_ms), Source.APP)
        except ValueError as error:
            self._left_out.record("check", entry, error)
            return None

    def _apply(
        self, events: Sequence[AttemptEvent], *, is_recorded: bool = False
    ) -> list[tuple[EventOutcome, str]]:
        """Apply events; returns the outcome of each and the state after it. With `is_recorded`,
        they are not added to the stream of events and the webhooks, which have them already."""
        for event in events:
            self.leave_out(event.attempt, event.unreadable)
        bookings = self._bookings.of(events)
        now_ms = to_ms(self._clock.now())
        results: dict[int, tuple[EventOutcome, str]] = {}
        # By event: the errors that its attempt is counted under, and will be, from the script.
        errors: dict[int, tuple[str, str]] = {}
        waiting = list(range(len(events)))
        rounds = 0
        while waiting:
            rounds += 1
            calls = []
            for i in waiting:
                event = events[i]
                if i in errors:
                    # The cached booking is out of date.
                    self._bookings.forget([event.attempt])
                    bookings |= self._bookings.of([event])
                calls.append(
                    self._call(
                        event, bookings.get(event.attempt), now_ms, is_recorded, errors.get(i)
                    )
                )
            moved = []
            for i, (outcome, *rest) in zip(waiting, self._run(calls), strict=True):
                if outcome != "moved":
                    results[i] = EventOutcome(outcome), rest[0]
                elif events[i].attempt in bookings and rounds < _MAX_ROUNDS:
                    errors[i] = rest[0], rest[1]
                    moved.append(i)
                else:
                    # Its record cannot be read.
                    results[i] = EventOutcome.ORPHAN, ""
            waiting = moved
        self._bookings.mark_booked(bookings)
        return [results[i] for i in range(len(events))]

    def _run(self, calls: Sequence[tuple[list[str], list[str | int]]]) -> list[list[str]]:
        """The answers of `apply_event.lua`; "orphan" for a call that fails: an unreadable record
        must not block the events of other attempts."""
        try:
            return self._scripts.run_all("apply_event", calls)
        except ResponseError:
            return [self._run_alone(call) for call in calls]

    def _run_alone(self, call: tuple[list[str], list[str | int]]) -> list[str]:
        try:
            answer: list[str] = self._scripts.run("apply_event", *call)
        except ResponseError as error:
            # It may also be a bug of the script, so the traceback is logged.
            log.exception("event not booked")
            self._left_out.record("attempt", call[0][0], error)
            return [EventOutcome.ORPHAN, ""]
        return answer

    def _call(
        self,
        event: AttemptEvent,
        booking: Booking | None,
        now_ms: int,
        is_recorded: bool,
        errors: tuple[str, str] | None,
    ) -> tuple[list[str], list[str | int]]:
        """KEYS and ARGV of `apply_event.lua`."""
        keys = [
            self._keys.attempt(event.attempt),
            self._keys.events(event.attempt),
            self._keys.counters(self._clock.now()),
        ]
        keep_ms = self._keep_ms
        targets = NOWHERE
        if booking is not None:
            keep_ms = max(_MIN_KEEP_MS, booking.requested_ms + self._keep_ms - now_ms)
            reference = event.fields.get("reference")
            targets = self._rollups.targets(
                booking, event.kind, reference, *(errors or ("", _counted_error(event)))
            )
        keys += targets.keys
        flags = targets.flags
        if booking is not None and event.kind in self._webhook_kinds and not is_recorded:
            flags += "o"
            verification = self._keys.verification(verification_of(event.attempt))
            keys += [verification, self._keys.outbox, self._keys.outbox_events]
        fields = [text for pair in event.fields.items() for text in pair]
        return keys, [
            f"{event.kind} {to_ms(event.at)} {now_ms} {event.source} {0 if is_recorded else 1}",
            f"{keep_ms} {_KEEP_COUNTERS_MS} {self._keys.changes}",
            *targets.slots_and_errors,
            event.attempt,
            verification_of(event.attempt),
            flags,
            len(fields),
            *fields,
            *targets.more,
        ]

    def count(self, counter: str) -> None:
        """Add one to a counter of today, such as `forged`. Raises StoreUnavailable."""
        key = self._keys.counters(self._clock.now())
        with self._client.pipeline() as pipe:
            pipe.hincrby(key, counter, 1)
            pipe.expire(key, KEEP_COUNTERS)
            pipe.execute()

    def counters(self) -> dict[str, int]:
        """Today's (UTC) counters by name: `forged`, `repeated`, `late`, `orphan`, `malformed`."""
        counts = self._client.hgetall(self._keys.counters(self._clock.now()))
        return {name: int(count) for name, count in counts.items() if count.isdecimal()}

    def trim(self, most: int) -> int:
        """Delete all but the newest `most` attempts; returns their number. Also removes attempts
        older than `keep` from the list.

        The figures stay. A later event of a deleted attempt is an orphan.
        """
        oldest_kept_ms = to_ms(self._clock.now()) - self._keep_ms
        self._client.zremrangebyscore(self._keys.recent, "-inf", oldest_kept_ms)
        oldest = self._client.zrange(self._keys.recent, 0, -most - 1)
        for part in batched(oldest, _BATCH):
            with self._client.pipeline(transaction=False) as pipe:
                for attempt_id in part:
                    pipe.unlink(self._keys.attempt(attempt_id), self._keys.events(attempt_id))
                pipe.zrem(self._keys.recent, *part)
                pipe.execute()
        return len(oldest)


def _events_of(attempt_id: str, record: Mapping[str, str]) -> list[AttemptEvent]:
    """The events that lead to this record, the request first. Each has all fields, because the
    event that sets the state also sets its cause."""
    moments = {kind: ms for kind in EventKind if (ms := record.get(f"{kind}_ms"))}
    own = {"state", "rank", "booked", *(f"{kind}_ms" for kind in EventKind)}
    fields = {name: text for name, text in record.items() if name not in own}
    return [
        AttemptEvent(attempt_id, kind, read_ms(ms), Source.APP, fields)
        for kind, ms in moments.items()
    ]


def _counted_error(event: AttemptEvent) -> str:
    """The error that an attempt is counted under if this event ends it; "" if it does not. The
    script corrects it after other events."""
    if event.kind not in {EventKind.REJECTED, EventKind.FAILED, EventKind.UNDELIVERED}:
        return ""
    stated = event.fields.get("error_code") or event.fields.get("hangup_cause")
    return stated or ("refused" if event.kind is EventKind.REJECTED else "unstated")

"""Applies events to attempts and reads attempts."""

import logging
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from itertools import islice
from threading import Lock
from typing import TypeVar

from core.figures.rollups import BOOKED_BY, NOWHERE, Booking, Rollups, booking_of
from core.ledger.attempts import AttemptReader
from core.log import logged_id
from core.model.attempt import (
    AttemptEvent,
    EventKind,
    Source,
    verification_of,
)
from core.model.clock import Clock, read_ms, to_ms
from core.store.client import Client
from core.store.failures import ResponseError
from core.store.keys import Keys
from core.store.left_out import KEEP_COUNTERS
from core.store.scripts import Scripts

log = logging.getLogger(__name__)

_KEEP_COUNTERS_MS = int(KEEP_COUNTERS.total_seconds() * 1000)
#: However old an attempt is when it is booked (sample traffic, an old log), its record lives long
#: enough for the rest of its events.
_LEAST_MS = 600_000
_REMEMBERED = 200_000
_CHECKS = 500
#: How often an event names other keys at the script's word.
_ROUNDS = 5
_TRIM = 500
#: Events that may be sent to WEBHOOK_URL: `_outbox.lua` decides.
_WEBHOOK_KINDS = {
    EventKind.REJECTED,
    EventKind.FAILED,
    EventKind.UNDELIVERED,
    EventKind.DELIVERED,
}

T = TypeVar("T")


class EventOutcome(StrEnum):
    """What an event did. The values are the ones `apply_event.lua` returns."""

    APPLIED = "applied"
    REPEATED = "repeated"  # heard before: nothing changed
    LATE = "late"  # overtaken: its moment was kept, the state stayed
    ORPHAN = "orphan"  # its attempt is no longer kept: nothing was written


class Ledger(AttemptReader):
    """Applies events and reads attempts. `keep` is how long an attempt is kept after its request.
    `webhooks_enabled`: events for WEBHOOK_URL are queued in the same step.

    Where an attempt is booked never changes, so a process remembers it.
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
        self._keep_ms = int(keep.total_seconds() * 1000)
        self._webhook_kinds = frozenset(_WEBHOOK_KINDS if webhooks_enabled else ())
        self._rollups = Rollups(keys)
        self._bookings: OrderedDict[str, Booking] = OrderedDict()
        self._lock = Lock()

    def apply(self, event: AttemptEvent) -> EventOutcome:
        """Book one event: exactly once, never backwards, in any order. Raises StoreUnavailable.

        When it returns, the event is stored (append-only, where the embedded Redis is used): the
        attempt's state and all its figures, in one step.
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
        """Book many events, in the order given and as `apply` does each, a `batch` per round trip;
        how often each result came. Raises StoreUnavailable: some of them may have been booked, and
        booking them again changes nothing."""
        counted: Counter[EventOutcome] = Counter()
        for part in batched(events, batch):
            counted.update(outcome for outcome, _ in self._apply(part))
        return counted

    def book_checks(self) -> int:
        """Book what people did with their codes since the last time; how many events there were.

        `check_code.lua` leaves it in a list, so that a check waits for nothing. Safe in any number
        of processes at once: an entry goes when it is booked, and booking it twice is once.
        """
        entries: list[str] = self._client.lrange(self._keys.checks, 0, _CHECKS - 1)
        if not entries:
            return 0
        # What cannot be read is dropped with the others: it must not stay in the list for ever.
        self._apply([check for entry in entries if (check := self._check(entry))], is_recorded=True)
        with self._client.pipeline(transaction=False) as pipe:
            for entry in entries:
                pipe.lrem(self._keys.checks, 1, entry)
            pipe.execute()
        return len(entries)

    def restore(self, records: Mapping[str, dict[str, str]]) -> None:
        """Write attempts again from their records, as they were read, and count them in the
        figures: for attempts and figures that were removed. Their streams of events must be there
        still. Raises StoreUnavailable."""
        with self._lock:
            for attempt_id in records:
                self._bookings.pop(attempt_id, None)
        events = (
            event
            for attempt_id, record in records.items()
            for event in _events_of(attempt_id, record)
        )
        for part in batched(events, _CHECKS):
            self._apply(part, is_recorded=True)

    def _check(self, entry: str) -> AttemptEvent | None:
        """The event in an entry of the list of checks; None where it cannot be read."""
        try:
            attempt, kind, at_ms = entry.split()
            return AttemptEvent(attempt, EventKind(kind), read_ms(at_ms), Source.APP)
        except ValueError as error:
            self._left_out.record("check", entry, error)
            return None

    def _apply(
        self, events: Sequence[AttemptEvent], *, is_recorded: bool = False
    ) -> list[tuple[EventOutcome, str]]:
        """The outcome of each event and the state after it. `is_recorded`: their streams, and the
        webhook, have these events already."""
        for event in events:
            self.leave_out(event.attempt, event.unreadable)
        known = self._known(events)
        now_ms = to_ms(self._clock.now())
        results: dict[int, tuple[EventOutcome, str]] = {}
        # The errors that the script says an attempt is counted under, and will be.
        errors: dict[int, tuple[str, str]] = {}
        waiting = list(range(len(events)))
        rounds = 0
        while waiting:
            rounds += 1
            calls = []
            for i in waiting:
                event = events[i]
                if i in errors:
                    # Redis knows better than we remember.
                    with self._lock:
                        self._bookings.pop(event.attempt, None)
                    known |= self._known([event])
                calls.append(
                    self._call(event, known.get(event.attempt), now_ms, is_recorded, errors.get(i))
                )
            moved = []
            for i, (outcome, *rest) in zip(waiting, self._run(calls), strict=True):
                if outcome != "moved":
                    results[i] = EventOutcome(outcome), rest[0]
                elif events[i].attempt in known and rounds < _ROUNDS:
                    errors[i] = rest[0], rest[1]
                    moved.append(i)
                else:
                    # Its record cannot be read, so nothing of it can be booked.
                    results[i] = EventOutcome.ORPHAN, ""
            waiting = moved
        self._remember_booked(known)
        return [results[i] for i in range(len(events))]

    def _run(self, calls: Sequence[tuple[list[str], list[str | int]]]) -> list[list[str]]:
        """The answers of `apply_event.lua`, "orphan" for a call that fails: one record that the
        script cannot read must not hold up the events of others."""
        try:
            return self._scripts.run_all("apply_event", calls)
        except ResponseError:
            return [self._run_alone(call) for call in calls]

    def _run_alone(self, call: tuple[list[str], list[str | int]]) -> list[str]:
        try:
            answer: list[str] = self._scripts.run("apply_event", *call)
        except ResponseError as error:
            # The error of a script looks like the bug that it may be: the log has the traceback.
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
            keep_ms = max(_LEAST_MS, booking.requested_ms + self._keep_ms - now_ms)
            reference = event.fields.get("reference")
            targets = self._rollups.targets(
                booking, event.kind, reference, *(errors or ("", _error(event)))
            )
        keys += targets.keys
        given = targets.given
        if booking is not None and event.kind in self._webhook_kinds and not is_recorded:
            given += "o"
            verification = self._keys.verification(verification_of(event.attempt))
            keys += [verification, self._keys.outbox, self._keys.outbox_events]
        fields = [text for pair in event.fields.items() for text in pair]
        return keys, [
            f"{event.kind} {to_ms(event.at)} {now_ms} {event.source} {0 if is_recorded else 1}",
            f"{keep_ms} {_KEEP_COUNTERS_MS} {self._keys.changes}",
            *targets.where,
            event.attempt,
            verification_of(event.attempt),
            given,
            len(fields),
            *fields,
            *targets.more,
        ]

    def _known(self, events: Sequence[AttemptEvent]) -> dict[str, Booking]:
        """The bookings of the events' attempts, where there are such attempts."""
        # An attempt begins with this event: whatever was known of its id was of another Redis.
        found = {
            event.attempt: booking
            for event in events
            if event.kind is EventKind.REQUESTED
            and (booking := booking_of(event.fields | {"requested_ms": str(to_ms(event.at))}))
        }
        others = [one for one in dict.fromkeys(e.attempt for e in events) if one not in found]
        with self._lock:
            found |= {one: self._bookings[one] for one in others if one in self._bookings}
        if missing := [one for one in others if one not in found]:
            with self._client.pipeline(transaction=False) as pipe:
                for attempt in missing:
                    pipe.hmget(self._keys.attempt(attempt), *BOOKED_BY)
                answers = pipe.execute()
            for attempt, values in zip(missing, answers, strict=True):
                try:
                    booking = booking_of(dict(zip(BOOKED_BY, values, strict=True)))
                except ValueError as error:
                    self._left_out.record("attempt", attempt, error)
                    continue
                if booking:
                    found[attempt] = booking
        with self._lock:
            self._bookings.update(found)
            while len(self._bookings) > _REMEMBERED:
                self._bookings.popitem(last=False)
        return found

    def _remember_booked(self, known: Mapping[str, Booking]) -> None:
        with self._lock:
            for attempt, booking in known.items():
                if not booking.booked and attempt in self._bookings:
                    self._bookings[attempt] = replace(booking, booked=True)

    def count(self, what: str) -> None:
        """Add one to a counter of today, such as `forged`. Raises StoreUnavailable."""
        key = self._keys.counters(self._clock.now())
        with self._client.pipeline() as pipe:
            pipe.hincrby(key, what, 1)
            pipe.expire(key, KEEP_COUNTERS)
            pipe.execute()

    def counters(self) -> dict[str, int]:
        """Today's (UTC) counters by name: `forged`, `repeated`, `late`, `orphan`, `malformed`."""
        found = self._client.hgetall(self._keys.counters(self._clock.now()))
        return {name: int(n) for name, n in found.items() if n.isdecimal()}

    def trim(self, most: int) -> int:
        """Let go of all but the newest `most` attempts, and of those whose time is over; how many.

        Their figures stay. What is heard of one later is an orphan.
        """
        over = to_ms(self._clock.now()) - self._keep_ms
        self._client.zremrangebyscore(self._keys.recent, "-inf", over)
        oldest = self._client.zrange(self._keys.recent, 0, -most - 1)
        for part in batched(oldest, _TRIM):
            with self._client.pipeline(transaction=False) as pipe:
                for attempt_id in part:
                    pipe.unlink(self._keys.attempt(attempt_id), self._keys.events(attempt_id))
                pipe.zrem(self._keys.recent, *part)
                pipe.execute()
        return len(oldest)


def _events_of(attempt_id: str, record: Mapping[str, str]) -> list[AttemptEvent]:
    """The events that lead to this record, the request first. Each brings all fields: the one that
    sets the state also sets the reasons for it."""
    moments = {kind: ms for kind in EventKind if (ms := record.get(f"{kind}_ms"))}
    own = {"state", "rank", "booked", *(f"{kind}_ms" for kind in EventKind)}
    fields = {name: text for name, text in record.items() if name not in own}
    return [
        AttemptEvent(attempt_id, kind, read_ms(ms), Source.APP, fields)
        for kind, ms in moments.items()
    ]


def _error(event: AttemptEvent) -> str:
    """The error that an attempt is counted under once this event ends it; the script knows better
    where there has been other news."""
    if event.kind not in {EventKind.REJECTED, EventKind.FAILED, EventKind.UNDELIVERED}:
        return ""
    stated = event.fields.get("error_code") or event.fields.get("hangup_cause")
    return stated or ("refused" if event.kind is EventKind.REJECTED else "unstated")


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of `size`, the last one shorter. (itertools has it from 3.12 on.)"""
    ahead = iter(items)
    while part := list(islice(ahead, size)):
        yield part

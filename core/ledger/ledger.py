"""Applies events to attempts, and keeps the list of attempts."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum

from core.ledger.attempts import AttemptReader
from core.ledger.attribution import read_attributed
from core.ledger.journal import KEEP_JOURNAL, read_check
from core.ledger.loss_check import LossCheck
from core.log import logged_id
from core.model.attempt import AttemptEvent, EventKind, verification_of
from core.model.clock import Clock, duration_ms, to_ms
from core.store.batches import batched
from core.store.client import Client
from core.store.counters import KEEP_COUNTERS, add_to_counters
from core.store.failures import ResponseError
from core.store.keys import ROLLUP_LAYOUT, Keys
from core.store.scripts import Call, Scripts

log = logging.getLogger(__name__)

_KEEP_COUNTERS_MS = duration_ms(KEEP_COUNTERS)
_KEEP_JOURNAL_MS = duration_ms(KEEP_JOURNAL)
#: An attempt that is applied late (sample traffic, an old log) is kept for its other events at
#: least this long.
_LEAST_KEEP_MS = 600_000
_BATCH = 500
#: What `apply.lua` returns for an event of a record that cannot be read.
_UNREADABLE = "unreadable"
#: Events that one script applies: it holds Redis for about 3 ms.
_PER_SCRIPT = 100
#: Events that may be sent to WEBHOOK_URL: `_outbox.lua` decides.
_WEBHOOK_KINDS = {
    EventKind.REJECTED,
    EventKind.FAILED,
    EventKind.UNDELIVERED,
    EventKind.DELIVERED,
}


class EventOutcome(StrEnum):
    """What an event changed. The values are those that `apply.lua` returns."""

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
        self.losses = LossCheck(client, keys, clock)
        self._scripts = scripts
        self._clock = clock
        self._keep_ms = duration_ms(keep)
        self._webhook_kinds = frozenset(_WEBHOOK_KINDS if webhooks_enabled else ())

    def apply(self, event: AttemptEvent) -> EventOutcome:
        """Apply one event. Events may come in any order and more than once: each counts once, and
        the state never moves back. Raises StoreUnavailable.

        On return, the attempt is stored, and in the same step what the figures must add.
        """
        outcome, state = self._apply([event])[0]
        log.info(
            "attempt %s",
            event.kind,
            extra={"attempt": logged_id(event.attempt), "state": state, "outcome": outcome},
        )
        return outcome

    def apply_all(
        self,
        events: Iterable[AttemptEvent],
        *,
        batch: int = _BATCH,
        is_recorded: bool = False,
        is_counted: bool = False,
    ) -> Counter[EventOutcome]:
        """Apply many events as `apply` does, in their order, with a round trip for each `batch`.
        Returns the number of events by outcome. With `is_recorded`, they are not added to the
        histories and the webhooks, which have them already; with `is_counted`, not to the figures.
        Raises StoreUnavailable: some events may have been applied, and applying them again changes
        nothing."""
        counted: Counter[EventOutcome] = Counter()
        for part in batched(events, batch):
            results = self._apply(part, is_recorded=is_recorded, is_counted=is_counted)
            counted.update(outcome for outcome, _ in results)
        return counted

    def apply_checks(self, checks: Sequence[str]) -> None:
        """Apply the checks of the journal to their attempts; entries that cannot be read are left
        out. Raises StoreUnavailable: applying them again changes nothing."""
        self.apply_all(
            (check for text in checks if (check := self._read_check(text))), is_recorded=True
        )

    def attribute(self, newest: Sequence[str]) -> None:
        """Find out which attempts brought the right codes, from the `attribute` entries of the
        journal; entries that cannot be read are left out. Raises StoreUnavailable: a repetition
        changes nothing."""
        calls = [call for text in dict.fromkeys(newest) if (call := self._attribution(text))]
        if not calls:
            return
        try:
            self._scripts.run_all("attribute", calls)
        except ResponseError:
            # One of them may be of a record that cannot be read: it must not block the others.
            for call in calls:
                self._attribute_alone(call)

    def _read_check(self, text: str) -> AttemptEvent | None:
        try:
            return read_check(text)
        except ValueError as error:
            self._left_out.record("check", text, error)
            return None

    def _attribution(self, newest: str) -> Call | None:
        """KEYS and arguments of `attribute.lua`."""
        try:
            attempts = read_attributed(newest)
        except ValueError as error:
            self._left_out.record("attribution", newest, error)
            return None
        return [self._keys.journal, *map(self._keys.attempt, attempts)], {
            "layout": ROLLUP_LAYOUT,
            "keep_journal_ms": _KEEP_JOURNAL_MS,
            "verification": verification_of(newest),
            "changes": self._keys.changes,
        }

    def _attribute_alone(self, call: Call) -> None:
        try:
            self._scripts.run("attribute", *call)
        except ResponseError:
            # It may also be a bug of the script, so the traceback is logged.
            log.exception("right code not attributed")

    def _apply(
        self,
        events: Sequence[AttemptEvent],
        *,
        is_recorded: bool = False,
        is_counted: bool = False,
    ) -> list[tuple[EventOutcome, str]]:
        """The outcome of each event and the state after it."""
        for event in events:
            self.leave_out(event.attempt, event.unreadable)
        more = {"is_recorded": is_recorded, "is_counted": is_counted}
        parts = list(batched(events, _PER_SCRIPT))
        try:
            answers = self._scripts.run_all("apply", [self._call(p, more) for p in parts])
        except ResponseError:
            # Some may have been applied: the others must not be blocked by one.
            answers = [self._apply_alone(event, more) for event in events]
        flat = [text for answer in answers for text in answer]
        return [
            (self._outcome(event, outcome), state)
            for event, outcome, state in zip(events, flat[::2], flat[1::2], strict=True)
        ]

    def _apply_alone(self, event: AttemptEvent, more: Mapping[str, bool]) -> list[str]:
        try:
            answer: list[str] = self._scripts.run("apply", *self._call([event], more))
        except ResponseError:
            # It may also be a bug of the script, so the traceback is logged.
            log.exception("event not applied")
            return [_UNREADABLE, ""]
        return answer

    def _outcome(self, event: AttemptEvent, outcome: str) -> EventOutcome:
        if outcome == _UNREADABLE:
            error = ValueError("the record cannot be read")
            self._left_out.record("attempt", event.attempt, error)
            return EventOutcome.ORPHAN
        return EventOutcome(outcome)

    def _call(self, events: Sequence[AttemptEvent], more: Mapping[str, bool]) -> Call:
        """KEYS and arguments of `apply.lua`."""
        name, now = self._keys, self._clock.now()
        keys = [name.journal, name.counters(now), name.recent, name.outbox, name.outbox_events]
        arrays = []
        for event in events:
            attempt, fields = event.attempt, event.fields
            keys += (name.attempt(attempt), name.history(attempt))
            if "reference" in fields:
                keys.append(name.reference(fields["reference"]))
            if "number_index" in fields:
                keys.append(name.number(fields["number_index"]))
            is_reported = not more["is_recorded"] and event.kind in self._webhook_kinds
            if is_reported:
                keys.append(name.verification(verification_of(attempt)))
            arrays.append(
                (attempt, event.kind, str(to_ms(event.at)), event.source, fields, is_reported)
            )
        return keys, {
            "events": arrays,
            "now_ms": str(to_ms(now)),
            "keep_ms": self._keep_ms,
            "least_keep_ms": _LEAST_KEEP_MS,
            "keep_counters_ms": _KEEP_COUNTERS_MS,
            "keep_journal_ms": _KEEP_JOURNAL_MS,
            "changes": name.changes,
            "layout": ROLLUP_LAYOUT,
            **more,
        }

    def count(self, counter: str) -> None:
        """Add one to a counter of today, such as `forged`. Raises StoreUnavailable."""
        add_to_counters(self._client, self._keys, self._clock, {counter: 1})

    def counters(self) -> dict[str, int]:
        """Today's (UTC) counters by name; `core/store/keys.py` lists them."""
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
                    pipe.unlink(self._keys.attempt(attempt_id), self._keys.history(attempt_id))
                pipe.zrem(self._keys.recent, *part)
                pipe.execute()
        return len(oldest)

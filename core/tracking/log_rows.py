"""Applies rows of Plivo's logs to the attempts that they are about.

A row belongs to an attempt by its uuid. An attempt without one (no answer to the send, or a PHLO)
is matched by its number, its kind and its time. Any other row was sent by another program of the
account, and is counted as foreign. Times in the rows have the account's offset.
"""

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

from core.ledger.ledger import EventOutcome, Ledger
from core.log import logged_id
from core.model.attempt import Attempt, AttemptEvent, EventKind, Source
from core.model.clock import Clock
from core.model.errors import ProviderRead
from core.model.unreadable import Unreadable
from core.plivo.client import PlivoClients
from core.plivo.record_calls import has_ended, record_of
from core.plivo.records import LogRow, call_events, message_events
from core.settings.keyring import Keyring
from core.store.client import Client
from core.store.keys import Keys
from core.tracking.log_status import Progress

log = logging.getLogger(__name__)

KEEP_FOREIGN = timedelta(days=100)
# How far before its request and after it the time of an attempt's row may be.
_BEFORE, _AFTER = timedelta(seconds=30), timedelta(minutes=5)
_NO_UUID = (Unreadable("uuid", "missing"),)


class LogRows:
    """Matches rows with attempts and applies them. Every method raises StoreUnavailable."""

    def __init__(
        self,
        client: Client,
        keys: Keys,
        clock: Clock,
        keyring: Keyring,
        ledger: Ledger,
        clients: PlivoClients,
    ) -> None:
        self._client = client
        self._keys = keys
        self._clock = clock
        self._keyring = keyring
        self._ledger = ledger
        self._clients = clients

    def apply(self, record: Any, progress: Progress, *, is_call: bool) -> Progress:
        """Apply a row of a list."""
        row = LogRow.model_validate(record)
        if row.message_direction not in {"", "outbound"}:
            return progress
        by_reference = self._ledger.attempt_by_reference(row.uuid) if row.uuid else None
        attempt = by_reference or self._attempt_without_uuid(row, is_call=is_call)
        if attempt is None and not row.uuid:
            self._ledger.leave_out("a row of Plivo's logs", row.unreadable or _NO_UUID)
            return progress
        if attempt is None:
            return replace(progress, foreign=progress.foreign + self._count_foreign(row.uuid))
        return self._apply(attempt, self._events(attempt, record), progress)

    def poll(self, attempt: Attempt, progress: Progress) -> Progress:
        """Read the record of one attempt and apply it. A record that cannot be read changes
        nothing: the other attempts are still polled."""
        is_call = attempt.way.is_call
        try:
            record: Any = self._clients.read(record_of(attempt.reference, is_call=is_call))
            if is_call and not has_ended(record):
                return progress
        except ProviderRead as error:
            log.info(
                "attempt not read", extra={"attempt": logged_id(attempt.id), "cause": error.cause}
            )
            return progress
        return self._apply(attempt, self._events(attempt, record), progress)

    def _events(self, attempt: Attempt, record: Any) -> list[AttemptEvent]:
        """The events in a record; none if it cannot be read: the other rows are still read."""
        read = call_events if attempt.way.is_call else message_events
        try:
            return read(attempt.id, record, self._clock.now(), Source.LOG)
        except ProviderRead as error:
            self._ledger.leave_out(attempt.id, [Unreadable("record", error.cause)])
            return []

    def _apply(self, attempt: Attempt, events: list[AttemptEvent], progress: Progress) -> Progress:
        counted = self._ledger.apply_all(events)
        after = self._ledger.attempt(attempt.id)
        has_ended = after is not None and after.state.is_final and not attempt.state.is_final
        is_settled = counted[EventOutcome.APPLIED] > 0 and has_ended
        return replace(progress, settled=progress.settled + is_settled)

    def _attempt_without_uuid(self, row: LogRow, *, is_call: bool) -> Attempt | None:
        """The attempt whose uuid is not known and that is nearest to the row."""
        if row.at is None or not row.to_number:
            return None
        number = f"+{row.to_number.lstrip('+')}"
        near = [
            (abs(row.at - requested), attempt)
            for attempt in self._ledger.attempts_of_number(self._keyring.number_index(number))
            if not attempt.reference and attempt.way.is_call is is_call
            for requested in [attempt.moments[EventKind.REQUESTED]]
            if requested - _BEFORE <= row.at <= requested + _AFTER
        ]
        return min(near, key=lambda pair: pair[0])[1] if near else None

    def _count_foreign(self, uuid: str) -> int:
        """1 for a foreign message or call that was not counted before, else 0."""
        with self._client.pipeline() as pipe:
            key = self._keys.foreign(self._clock.now())
            last_month = self._keys.foreign(self._clock.now() - timedelta(days=30))
            pipe.sismember(last_month, uuid)
            pipe.sadd(key, uuid)
            pipe.expire(key, KEEP_FOREIGN)
            was_counted, added, _ = pipe.execute()
        if was_counted or not added:
            return 0
        self._ledger.count("foreign")
        return 1

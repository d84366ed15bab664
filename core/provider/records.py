"""Plivo's message and call records, as news about an attempt.

Times come in the account's zone, with their offset. `message_updated_time` is taken as the moment
of the last state; that it is the receipt's arrival is inferred, not documented (UNVERIFIED), which
is why a moment that a callback gave first is kept. A record that lacks a field, or whose state we
do not know, raises ProviderRead.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from core.delivery.attempt import AttemptEvent, EventKind, Source
from core.errors import ProviderRead
from core.provider.callbacks import MessageState, cost_micros
from core.provider.error_codes import hangup_cause, message_error

_REACHED = {EventKind.SENT, EventKind.DELIVERED, EventKind.UNDELIVERED}


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except (AttributeError, ValueError) as error:
        raise ProviderRead(
            "Plivo's record of this attempt is not as documented.",
            "Look the attempt up in the Plivo console.",
        ) from error


@_understood()
def message_events(
    attempt: str, record: Any, now: datetime, source: Source = Source.POLL
) -> list[AttemptEvent]:
    """What a message record tells: queued, sent where it was, and its final state if it has one."""
    state = MessageState(record.message_state).kind
    fields = {"reference": str(record.message_uuid), "units": str(record.units)}
    if cost := cost_micros(str(record.total_amount)):
        fields["cost_micros"] = str(cost)
    if error := message_error(str(getattr(record, "error_code", None) or "")):
        fields["error_code"] = error.code
    for name, ours in (("mcc", "mcc"), ("mnc", "mnc"), ("destination_network", "carrier")):
        if value := getattr(record, name, None):
            fields[ours] = str(value)
    moments = {EventKind.QUEUED: _moment(record, "message_time") or now}
    if state in _REACHED:
        moments[EventKind.SENT] = _moment(record, "message_sent_time") or now
    if state not in moments:
        moments[state] = _moment(record, "message_updated_time") or now
    return [AttemptEvent(attempt, kind, at, source, fields) for kind, at in moments.items()]


@_understood()
def call_events(
    attempt: str, record: Any, now: datetime, source: Source = Source.POLL
) -> list[AttemptEvent]:
    """What the record of a finished call tells: that it was answered, where it was, and how it
    ended.

    An answered PHLO call of some length counts as delivered: the PHLO reads the code out, and
    nothing tells whether somebody listened.
    """
    code = str(record.hangup_cause_code)
    fields = {"reference": str(record.call_uuid), "hangup_cause": code}
    if cost := cost_micros(str(getattr(record, "total_amount", ""))):
        fields["cost_micros"] = str(cost)
    ended = _moment(record, "end_time") or now
    answered = _moment(record, "answer_time")
    if answered is None:
        cause = hangup_cause(code)
        lost = EventKind.UNDELIVERED if cause and cause.reached else EventKind.FAILED
        return [AttemptEvent(attempt, lost, ended, source, fields)]
    talked = int(getattr(record, "bill_duration", 0) or 0) > 0
    final = EventKind.DELIVERED if talked else EventKind.UNDELIVERED
    return [
        AttemptEvent(
            attempt, EventKind.ANSWERED, answered, source, {"reference": str(record.call_uuid)}
        ),
        AttemptEvent(attempt, final, ended, source, fields),
    ]


@_understood()
def live_call_event(attempt: str, record: Any, now: datetime) -> AttemptEvent | None:
    """What a call that is under way tells: that it rings, or that it was answered."""
    kinds = {"ringing": EventKind.RINGING, "in-progress": EventKind.ANSWERED}
    kind = kinds.get(str(record.call_status))
    return AttemptEvent(attempt, kind, now, Source.POLL) if kind else None


def _moment(record: Any, name: str) -> datetime | None:
    text = getattr(record, name, None)
    if not text:
        return None
    moment = datetime.fromisoformat(str(text))
    # Without an offset it could be any zone's: better no moment than a wrong one.
    return moment if moment.tzinfo else None

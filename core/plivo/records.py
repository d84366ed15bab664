"""Turns Plivo's message and call records into events of an attempt.

Times have the account's zone and their offset. `message_updated_time` is used as the time of the
last state; that it is the receipt's arrival is inferred, not documented (UNVERIFIED), so the time
of an earlier callback is kept. A record without its id, or with an unknown state, raises
ProviderRead; any other unreadable value is left out.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, TypeVar

from pydantic import Field, ValidationError

from core.model.attempt import AttemptEvent, EventKind, Source
from core.model.error_codes import hangup_cause, message_error_code
from core.model.errors import ProviderRead
from core.plivo.callbacks import Code, Micros, Reference, State, Units
from core.plivo.values import Parse, PlivoModel, fields_of, is_absent, moment, text, whole

_REACHED = {EventKind.SENT, EventKind.DELIVERED, EventKind.UNDELIVERED}

Moment = Annotated[datetime | None, Parse(moment)]
Text = Annotated[str, Parse(text)]

M = TypeVar("M", bound=PlivoModel)


class _MessageRecord(PlivoModel):
    message_uuid: Reference
    message_state: State
    error_code: Code = ""
    units: Units = None
    total_amount: Micros = None
    mcc: Code = ""
    mnc: Code = ""
    destination_network: Text = ""
    message_time: Moment = None
    message_sent_time: Moment = None
    message_updated_time: Moment = None


class _CallRecord(PlivoModel):
    call_uuid: Reference
    hangup_cause_code: Code = ""
    total_amount: Micros = None
    answer_time: Moment = None
    end_time: Moment = None
    bill_duration: Annotated[int | None, Parse(whole)] = None


class _LiveCall(PlivoModel):
    call_status: Text


class LogRow(PlivoModel):
    """The fields of a log row that identify its attempt; "" and None for missing ones."""

    message_uuid: Text = ""
    call_uuid: Text = ""
    to_number: Text = Field(default="", repr=False)
    message_direction: Text = ""
    message_time: Moment = None
    initiation_time: Moment = None
    end_time: Moment = None

    @property
    def uuid(self) -> str:
        return self.message_uuid or self.call_uuid

    @property
    def at(self) -> datetime | None:
        """When the message was sent, or the call began."""
        return self.message_time or self.initiation_time or self.end_time


def _read(model: type[M], record: object) -> M:
    try:
        return model.model_validate(record)
    except ValidationError as error:
        raise _not_documented() from error


def _not_documented() -> ProviderRead:
    return ProviderRead(
        "Plivo's record of this attempt is not as documented.",
        "Look the attempt up in the Plivo console.",
    )


def message_events(
    attempt: str, record: object, now: datetime, source: Source = Source.POLL
) -> list[AttemptEvent]:
    """The events in a message record: queued, sent if it was, and its final state if any."""
    message = _read(_MessageRecord, record)
    fields = {
        "reference": message.message_uuid,
        "units": message.units,
        "cost_micros": message.total_amount or None,
        "error_code": message_error_code(message.error_code),
        "mcc": message.mcc,
        "mnc": message.mnc,
        "network": message.destination_network,
    }
    moments = {EventKind.QUEUED: "message_time"}
    if message.message_state.kind in _REACHED:
        moments[EventKind.SENT] = "message_sent_time"
    moments.setdefault(message.message_state.kind, "message_updated_time")
    return [
        message.make_event(attempt, kind, moment, now, source, fields)
        for kind, moment in moments.items()
    ]


def call_events(
    attempt: str, record: object, now: datetime, source: Source = Source.POLL
) -> list[AttemptEvent]:
    """The events in the record of a finished call: answered if it was, and its end.

    An answered PHLO call of some length counts as delivered: the PHLO reads the code out, and no
    field states whether a person listened.
    """
    call = _read(_CallRecord, record)
    if "hangup_cause_code" not in fields_of(record):
        raise _not_documented()
    reference = {"reference": call.call_uuid}
    fields = reference | {
        "hangup_cause": call.hangup_cause_code or None,
        "cost_micros": call.total_amount or None,
    }

    def event(kind: EventKind, moment: str, fields: Mapping[str, object]) -> AttemptEvent:
        return call.make_event(attempt, kind, moment, now, source, fields)

    # A time that is present but unreadable means that the call was answered.
    if is_absent(fields_of(record).get("answer_time")):
        cause = hangup_cause(call.hangup_cause_code)
        kind = EventKind.UNDELIVERED if cause and cause.reached else EventKind.FAILED
        return [event(kind, "end_time", fields)]
    final = EventKind.DELIVERED if _has_lasted(call) else EventKind.UNDELIVERED
    return [
        event(EventKind.ANSWERED, "answer_time" if call.answer_time else "end_time", reference),
        event(final, "end_time", fields),
    ]


def _has_lasted(call: _CallRecord) -> bool:
    """By the billed seconds or, if they cannot be read, by its times."""
    if call.bill_duration is None and any(o.field == "bill_duration" for o in call.unreadable):
        answered, ended = call.answer_time, call.end_time
        return answered is not None and ended is not None and answered < ended
    return bool(call.bill_duration)


def live_call_event(attempt: str, record: object, now: datetime) -> AttemptEvent | None:
    """The event of a live call: it rings, or it was answered."""
    kinds = {"ringing": EventKind.RINGING, "in-progress": EventKind.ANSWERED}
    call = _read(_LiveCall, record)
    kind = kinds.get(call.call_status)
    return call.make_event(attempt, kind, None, now, Source.POLL, {}) if kind else None

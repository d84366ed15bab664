"""Parses Plivo's callbacks: the only module that knows the names of their fields."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from core.model.attempt import AttemptEvent, EventKind, Source
from core.model.error_codes import hangup_cause, message_error_code
from core.plivo.values import Parse, PlivoModel, code, micros, text, utc_moment, whole

#: An unreadable reference is left out: the token in the path identifies the attempt.
Reference = Annotated[str, Parse(text, instead="")]
Code = Annotated[str, Parse(code)]
Moment = Annotated[datetime | None, Parse(utc_moment)]
Micros = Annotated[int | None, Parse(micros)]
Units = Annotated[int | None, Parse(whole)]


class MessageState(StrEnum):
    """Values of `Status` (and of `message_state` in the logs) of an outbound message."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    REJECTED = "rejected"
    READ = "read"

    @property
    def kind(self) -> EventKind:
        """The kind of event that it stands for."""
        match self:
            case MessageState.READ:
                return EventKind.DELIVERED
            case MessageState.REJECTED:
                return EventKind.FAILED
            case _:
                return EventKind(self.value)


def message_state(value: object) -> MessageState:
    """Parses a state; a callback with an unknown one is refused, as it has no event."""
    return MessageState(text(value))


State = Annotated[MessageState, Parse(message_state)]


class MessageCallback(PlivoModel):
    """A message's status callback. Each has the times of all states so far."""

    reference: Reference = Field(alias="MessageUUID")
    state: State = Field(alias="Status")
    error_code: Code = Field(default="", alias="ErrorCode")
    units: Units = Field(default=None, alias="Units")
    amount: Micros = Field(default=None, alias="TotalAmount")
    mcc: Code = Field(default="", alias="MCC")
    mnc: Code = Field(default="", alias="MNC")
    queued_at: Moment = Field(default=None, alias="QueuedTime")
    sent_at: Moment = Field(default=None, alias="SentTime")
    reported_at: Moment = Field(default=None, alias="DeliveryReportTime")

    def event(self, attempt: str, now: datetime) -> AttemptEvent:
        """The event. `now` replaces a time that Plivo left out."""
        fields = {
            "reference": self.reference,
            "units": self.units,
            "mcc": self.mcc,
            "mnc": self.mnc,
            "cost_micros": self.amount or None,
            "error_code": message_error_code(self.error_code),
        }
        moments = {EventKind.QUEUED: "queued_at", EventKind.SENT: "sent_at"}
        moment = moments.get(self.state.kind, "reported_at")
        return self.make_event(attempt, self.state.kind, moment, now, Source.CALLBACK, fields)


class CallCallback(PlivoModel):
    """The common fields of the answer, ring and key-press callbacks of a call."""

    reference: Reference = Field(alias="CallUUID")
    digits: Annotated[str, Parse(text)] = Field(default="", alias="Digits", repr=False)

    def event(self, attempt: str, kind: EventKind, now: datetime) -> AttemptEvent:
        """The event. `kind` is that of the URL that was called."""
        fields = {"reference": self.reference}
        return self.make_event(attempt, kind, None, now, Source.CALLBACK, fields)


class HangupCallback(CallCallback):
    """The end of a call."""

    code: Code = Field(default="0", alias="HangupCauseCode")
    cost: Micros = Field(default=None, alias="TotalCost")

    def end(self, attempt: str, now: datetime) -> AttemptEvent:
        """The event of a call that was not delivered. If the code was read out before, the ledger
        keeps `delivered`."""
        cause = hangup_cause(self.code)
        kind = EventKind.UNDELIVERED if cause and cause.reached else EventKind.FAILED
        fields = {
            "reference": self.reference,
            "hangup_cause": self.code,
            "cost_micros": self.cost or None,
        }
        # EndTime has whole seconds and could be before the answer: the time of arrival is more
        # precise.
        return self.make_event(attempt, kind, None, now, Source.CALLBACK, fields)

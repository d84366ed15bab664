"""Plivo's callbacks: the only module that knows their spelling."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from core.delivery.attempt import AttemptEvent, EventKind, Source
from core.provider.error_codes import hangup_cause, message_error

# No exponent: "1e999999" is a number too, one that takes a minute to write out.
_DOLLARS = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)


def _utc(text: object) -> object:
    """Plivo's naive UTC, `2021-04-16 18:39:29.088198`, fraction or not; "" is no time."""
    if not isinstance(text, str) or not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Moment = Annotated[datetime | None, BeforeValidator(_utc)]


class _Form(BaseModel):
    """Unknown fields are dropped: Plivo adds some. An unknown status is an error."""

    model_config = ConfigDict(frozen=True, extra="ignore")


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
        """What it means for the attempt."""
        match self:
            case MessageState.READ:
                return EventKind.DELIVERED
            case MessageState.REJECTED:
                return EventKind.FAILED
            case _:
                return EventKind(self.value)


class MessageCallback(_Form):
    """A message's status callback. Each carries the moments of all states so far."""

    reference: str = Field(alias="MessageUUID", min_length=1)
    state: MessageState = Field(alias="Status")
    error_code: str = Field(default="", alias="ErrorCode")
    units: str = Field(default="", alias="Units")
    amount: str = Field(default="", alias="TotalAmount")
    mcc: str = Field(default="", alias="MCC")
    mnc: str = Field(default="", alias="MNC")
    queued_at: Moment = Field(default=None, alias="QueuedTime")
    sent_at: Moment = Field(default=None, alias="SentTime")
    reported_at: Moment = Field(default=None, alias="DeliveryReportTime")

    def event(self, attempt: str, now: datetime) -> AttemptEvent:
        """The news in it. `now` stands in for a moment that Plivo left out."""
        fields = {"reference": self.reference}
        fields |= {
            name: value
            for name, value in (("units", self.units), ("mcc", self.mcc), ("mnc", self.mnc))
            if value
        }
        if cost := cost_micros(self.amount):
            fields["cost_micros"] = str(cost)
        if error := message_error(self.error_code):
            fields["error_code"] = error.code
        at = {
            EventKind.QUEUED: self.queued_at,
            EventKind.SENT: self.sent_at,
        }.get(self.state.kind, self.reported_at)
        return AttemptEvent(attempt, self.state.kind, at or now, Source.CALLBACK, fields)


class CallCallback(_Form):
    """What the answer, ring and key-press callbacks of a call have in common."""

    reference: str = Field(alias="CallUUID", min_length=1)
    digits: str = Field(default="", alias="Digits", repr=False)

    def event(self, attempt: str, kind: EventKind, now: datetime) -> AttemptEvent:
        """`kind` is what the URL that was called stands for."""
        return AttemptEvent(attempt, kind, now, Source.CALLBACK, {"reference": self.reference})


class HangupCallback(CallCallback):
    """The end of a call."""

    code: str = Field(default="0", alias="HangupCauseCode")
    cost: str = Field(default="", alias="TotalCost")
    ended_at: Moment = Field(default=None, alias="EndTime")

    def end(self, attempt: str, now: datetime) -> AttemptEvent:
        """A call that ended without the code being read out was not delivered; where it was, the
        ledger knows better and keeps `delivered`."""
        cause = hangup_cause(self.code)
        kind = EventKind.UNDELIVERED if cause and cause.reached else EventKind.FAILED
        fields = {"reference": self.reference, "hangup_cause": self.code}
        if cost := cost_micros(self.cost):
            fields["cost_micros"] = str(cost)
        # EndTime has whole seconds and could lie before the answer: the moment it was heard is
        # finer.
        return AttemptEvent(attempt, kind, now, Source.CALLBACK, fields)


def cost_micros(amount: str) -> int:
    """An amount in dollars, such as "0.00650", in millionths; 0 where it is no number."""
    return int(Decimal(amount) * 1_000_000) if _DOLLARS.fullmatch(amount) else 0

"""What the REST API says of a verification and of an attempt. Moments are ISO 8601, in UTC; spans
are milliseconds; no number is there but masked, and no code at all."""

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, Field

from core.model.attempt import Attempt, EventKind, State
from core.model.verification import CheckOutcome, SendOutcome, Status, View
from core.model.way import Channel, Mode
from core.verification.timeline import StepState, TimelineStep, timeline
from core.wording.verification import budget_warning

_WARNINGS = "The budgets that, live, would have refused this: in the sandbox they only warn."
WARNINGS: Any = Field(description=_WARNINGS)


class AttemptAnswer(BaseModel):
    """One message or call."""

    id: str
    verification: str
    number: int = Field(description="1 for the first one of its verification.")
    channel: Channel
    mode: Mode
    state: State
    origin: str = Field(description="first, resend (the same way again) or fallback (another way).")
    to_masked: str
    country: str = Field(description="ISO 3166 code.")
    carrier: str
    reference: str = Field(description="Plivo's uuid; empty while it is not known.")
    error_code: str
    hangup_cause: str
    cause: str
    remedy: str
    cost_micros: int = Field(description="Millionths of a US dollar; 0 while it is not known.")
    units: int
    moments: dict[EventKind, datetime] = Field(description="When each thing happened.")

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        return cls(
            id=attempt.id,
            verification=attempt.verification,
            number=attempt.number,
            channel=attempt.way.channel,
            mode=attempt.way.mode,
            state=attempt.state,
            origin=attempt.origin,
            to_masked=attempt.to_masked,
            country=attempt.region,
            carrier=attempt.carrier,
            reference=attempt.reference,
            error_code=attempt.error_code,
            hangup_cause=attempt.hangup_cause,
            cause=attempt.cause,
            remedy=attempt.remedy,
            cost_micros=attempt.cost_micros,
            units=attempt.units,
            moments=attempt.moments,
        )


class StepAnswer(BaseModel):
    """One step of the timeline."""

    label: str
    state: StepState
    at: datetime | None
    gap_ms: int | None = Field(
        description="Since the step before it; null where it is not known, or clocks differ."
    )
    note: str

    @classmethod
    def of(cls, step: TimelineStep) -> Self:
        gap_ms = None if step.gap is None else round(step.gap.total_seconds() * 1000)
        return cls(label=step.label, state=step.state, at=step.at, gap_ms=gap_ms, note=step.note)


class CallOfferAnswer(BaseModel):
    """From when on `resend` with `call` is taken at once, and why."""

    at: datetime
    reason: str


class VerificationAnswer(BaseModel):
    """One person proving one number, from start to end."""

    id: str
    status: Status
    channel: Channel
    mode: Mode
    to_masked: str
    country: str = Field(description="ISO 3166 code.")
    carrier: str
    started_at: datetime
    expires_at: datetime
    verified_at: datetime | None
    checks_left: int
    next_send_at: datetime = Field(description="Before this moment `resend` is too soon.")
    call_offer: CallOfferAnswer | None
    attempts: list[AttemptAnswer] = Field(description="The oldest first.")
    timeline: list[StepAnswer] = Field(description="Of the newest attempt.")
    warnings: list[str] = WARNINGS

    @classmethod
    def of(cls, view: View) -> Self:
        one, offer = view.verification, view.call_offer
        return cls(
            id=one.id,
            status=one.status,
            channel=one.way.channel,
            mode=one.way.mode,
            to_masked=one.to_masked,
            country=one.region,
            carrier=one.carrier,
            started_at=one.started_at,
            expires_at=one.expires_at,
            verified_at=one.verified_at,
            checks_left=one.checks_left,
            next_send_at=one.next_send_at,
            call_offer=CallOfferAnswer(at=offer.at, reason=offer.reason) if offer else None,
            attempts=[AttemptAnswer.of(attempt) for attempt in view.attempts],
            timeline=[StepAnswer.of(step) for step in timeline(view)],
            warnings=[budget_warning(over, view.now) for over in view.over_budgets],
        )


class SendAnswer(BaseModel):
    """How the send ended: `sent`, `rejected` (not sent, and it cost nothing), `unknown` (perhaps
    sent; it is settled later) or `duplicate` (this request was served before)."""

    outcome: SendOutcome
    cause: str
    remedy: str


class SentAnswer(BaseModel):
    """A verification after a send."""

    send: SendAnswer
    verification: VerificationAnswer
    warnings: list[str] = WARNINGS


class CheckAnswer(BaseModel):
    """How a check ended. Only `approved` proves the number."""

    outcome: CheckOutcome
    checks_left: int
    warnings: list[str] | None = Field(
        None, description=f"{_WARNINGS} Left out where there are none."
    )


class HeardAnswer(BaseModel):
    """One thing that was heard of an attempt: when it happened, when it was heard, from whom, and
    what it did (applied, late, repeated, fact)."""

    kind: EventKind
    outcome: str
    at: datetime
    heard_at: datetime
    source: str

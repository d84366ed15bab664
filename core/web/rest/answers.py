"""The REST API's responses about verifications and attempts. Moments are ISO 8601, in UTC;
durations are milliseconds; numbers are masked, and there is no code."""

from datetime import datetime
from typing import Any, Self

from pydantic import AliasPath, BaseModel, ConfigDict, Field

from core.model.attempt import EventKind, Proof, State
from core.model.clock import duration_ms
from core.model.verification import CheckOutcome, SendOutcome, Status, View
from core.model.way import Channel, Mode
from core.verification.timeline import StepState, TimelineStep, timeline
from core.wording.verification import budget_warning

_WARNINGS = "The budgets that would have refused this when live: in the sandbox they only warn."
WARNINGS: Any = Field(description=_WARNINGS)


class _FromAttributes(BaseModel):
    """Read from an object of the product by `model_validate`."""

    model_config = ConfigDict(from_attributes=True, validate_by_name=True, validate_by_alias=True)


class AttemptAnswer(_FromAttributes):
    """One message or call."""

    id: str
    verification: str
    number: int = Field(description="1 for the first attempt of its verification.")
    channel: Channel = Field(validation_alias=AliasPath("way", "channel"))
    mode: Mode = Field(validation_alias=AliasPath("way", "mode"))
    state: State
    origin: str = Field(description="first, resend (the same way again) or fallback (another way).")
    proof: Proof | None = Field(
        description="Who brought the right code: sole (this attempt), shared (this one or another "
        "of the verification) or other (another one); null while none was entered."
    )
    to_masked: str
    country: str = Field(description="ISO 3166 code.", validation_alias="region")
    carrier: str = Field(description="By the numbering plan; figures count the attempt there.")
    network: str = Field(description="As Plivo names it; empty while it is not known.")
    reference: str = Field(description="Plivo's uuid; empty while it is not known.")
    error_code: str
    hangup_cause: str
    send_status: str = Field(
        description="The HTTP status of an unclear send, 429 or 5xx; empty for any other, and "
        "where no answer came."
    )
    cause: str
    remedy: str
    cost_micros: int = Field(description="Millionths of a US dollar; 0 while it is not known.")
    units: int
    is_sample: bool = Field(description="Whether it is sample traffic: invented, never sent.")
    moments: dict[EventKind, datetime] = Field(description="When each event happened.")


class StepAnswer(BaseModel):
    """One step of the timeline."""

    label: str
    state: StepState
    at: datetime | None
    gap_ms: int | None = Field(
        description="Since the step before; null where it is not known, or clocks differ."
    )
    note: str

    @classmethod
    def of(cls, step: TimelineStep) -> Self:
        gap_ms = None if step.gap is None else duration_ms(step.gap)
        return cls(label=step.label, state=step.state, at=step.at, gap_ms=gap_ms, note=step.note)


class CallOfferAnswer(_FromAttributes):
    """The moment from which `resend` with `call` is accepted, and why."""

    at: datetime
    reason: str


class _StoredVerification(_FromAttributes):
    """What is read from the verification itself."""

    id: str
    status: Status
    channel: Channel = Field(validation_alias=AliasPath("way", "channel"))
    mode: Mode = Field(validation_alias=AliasPath("way", "mode"))
    to_masked: str = Field(validation_alias=AliasPath("to", "masked"))
    country: str = Field(description="ISO 3166 code.", validation_alias=AliasPath("to", "region"))
    carrier: str
    started_at: datetime
    expires_at: datetime
    verified_at: datetime | None
    checks_left: int
    next_send_at: datetime = Field(description="Before this moment `resend` is too soon.")


class VerificationAnswer(_StoredVerification):
    """One person proving one number, from start to end."""

    call_offer: CallOfferAnswer | None
    attempts: list[AttemptAnswer] = Field(description="The oldest first.")
    timeline: list[StepAnswer] = Field(description="Of the newest attempt.")
    warnings: list[str] = WARNINGS

    @classmethod
    def of(cls, view: View) -> Self:
        stored = _StoredVerification.model_validate(view.verification)
        return cls(
            **dict(stored),
            call_offer=CallOfferAnswer.model_validate(view.call_offer) if view.call_offer else None,
            attempts=[AttemptAnswer.model_validate(attempt) for attempt in view.attempts],
            timeline=[StepAnswer.of(step) for step in timeline(view)[-1].steps],
            warnings=[budget_warning(over, view.now) for over in view.over_budgets],
        )


class SendAnswer(BaseModel):
    """How the send ended: `sent`, `rejected` (not sent, and it cost nothing), `unknown` (perhaps
    sent; settled later) or `duplicate` (this request was served before)."""

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


class HeardAnswer(_FromAttributes):
    """One event of an attempt: when it happened, when it was received, from where, and what it did
    (applied, late, repeated, fact)."""

    kind: EventKind
    outcome: str
    at: datetime
    heard_at: datetime = Field(validation_alias="received_at")
    source: str

"""A verification, and how starting, checking and canceling one may end."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from core.model.attempt import Attempt, OverBudget, State, attempt_id
from core.model.phone_number import ParsedNumber, PhoneNumber
from core.model.way import Way


class Status(StrEnum):
    """Where a verification stands. `EXPIRED` is never stored: it follows from the clock."""

    PENDING = "pending"
    VERIFIED = "verified"
    LOCKED = "locked"
    CANCELED = "canceled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Verification:
    """One user proving one number, from start to end. Moments are aware, in UTC.

    `attempts` is how many messages and calls were sent for it.
    """

    id: str
    status: Status
    to: PhoneNumber
    carrier: str
    language: str
    way: Way
    digits: int
    started_at: datetime
    expires_at: datetime
    checks_left: int
    checks_allowed: int
    attempts: int
    next_send_at: datetime
    number_index: str
    #: A digest of the request: two starts with the same idempotency key must have the same digest.
    request: str
    #: The owner of the grant that it was started under; "" where there was none yet.
    owner: str = ""
    verified_at: datetime | None = None
    #: The budget that, live, would have refused a check of it; None where there was room.
    over_budget: OverBudget | None = None
    #: By number of the attempt: when a code was first checked while it was the newest.
    checked_at: dict[int, datetime] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Verification({self.id[:6]}… {self.status} {self.to})"

    @property
    def attempt_ids(self) -> list[str]:
        return [attempt_id(self.id, n) for n in range(1, self.attempts + 1)]

    @property
    def time_to_verify(self) -> timedelta | None:
        """Start to approved check; None while it is not verified."""
        return self.verified_at - self.started_at if self.verified_at else None


@dataclass(frozen=True, slots=True)
class FallbackOffer:
    """A call in place of a message, or a message in place of a call: from when on, and why."""

    way: Way
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class View:
    """A verification with its attempts, oldest first, as of `now`. `fallback` may be offered now or
    later; None: no other way can be used."""

    verification: Verification
    attempts: list[Attempt]
    now: datetime
    fallback: FallbackOffer | None

    @property
    def call_offer(self) -> FallbackOffer | None:
        """The fallback, if it is a call."""
        return self.fallback if self.fallback and self.fallback.way.is_call else None

    @property
    def next_way(self) -> Way | None:
        """The way to use next after the newest attempt has failed; None while it has not. A lost
        message is replaced by a call, where that can be used; anything else is tried again."""
        newest, fallback = self.newest, self.fallback
        if newest is None or not newest.state.is_lost:
            return None
        if fallback and newest.state is not State.REJECTED and not newest.way.is_call:
            return fallback.way
        return newest.way

    @property
    def newest(self) -> Attempt | None:
        return self.attempts[-1] if self.attempts else None

    @property
    def over_budgets(self) -> list[OverBudget]:
        """The budgets that, live, would have refused the newest send or a check."""
        sent = self.newest.over_budget if self.newest else None
        return [over for over in (sent, self.verification.over_budget) if over is not None]

    @property
    def references(self) -> list[str]:
        """Plivo uuids of its messages and calls, as far as they are known."""
        return [attempt.reference for attempt in self.attempts if attempt.reference]


class SendOutcome(StrEnum):
    """How a start or a resend ended."""

    SENT = "sent"
    UNKNOWN = "unknown"  # perhaps sent: it stays counted
    REJECTED = "rejected"  # definitely not sent: the budget is returned
    DUPLICATE = "duplicate"  # the same request again: nothing was sent a second time
    KEY_REUSED = "key_reused"  # another request with the same idempotency key: nothing was sent
    TOO_SOON = "too_soon"
    OVER_BUDGET = "over_budget"
    LOCKED = "locked"  # too many wrong codes for this number
    BUSY = "busy"  # too many sends wait for Plivo: nothing was read or written
    CLOSED = "closed"  # the verification is over
    NOT_FOUND = "not_found"
    NOT_ALLOWED = "not_allowed"  # who asks may not send this: nothing was sent
    NUMBER_REFUSED = "number_refused"
    AMBIGUOUS = "ambiguous"  # several numbers can be meant: see `candidates`
    CHANNEL_UNAVAILABLE = "channel_unavailable"


@dataclass(frozen=True, slots=True)
class SendResult:
    """`verification` is its id wherever there is one; `cause` and `remedy` are sentences for
    people, empty when it was sent; `retry_after` is set when waiting helps. `candidates` are the
    numbers that what was typed can mean, where a person has to choose."""

    outcome: SendOutcome
    verification: str | None = None
    retry_after: timedelta | None = None
    cause: str = ""
    remedy: str = ""
    candidates: tuple[ParsedNumber, ...] = ()


class CheckOutcome(StrEnum):
    """Why a check ended. The values are the ones `check_code.lua` returns."""

    APPROVED = "approved"
    WRONG_CODE = "wrong_code"
    EXPIRED = "expired"
    USED = "used"
    CANCELED = "canceled"
    LOCKED = "locked"
    NUMBER_LOCKED = "number_locked"
    NOT_FOUND = "not_found"
    MALFORMED = "malformed"  # not a code at all: nothing was counted


@dataclass(frozen=True, slots=True)
class CheckResult:
    """`checks_left` counts the checks of this verification after one that was counted, else 0;
    `retry_after` is set when the number itself is locked. `over_budget` is the budget without room:
    the one that locks it, or that would when live."""

    outcome: CheckOutcome
    checks_left: int = 0
    retry_after: timedelta | None = None
    over_budget: OverBudget | None = None


class CancelOutcome(StrEnum):
    """How a cancel ended."""

    CANCELED = "canceled"
    CLOSED = "closed"
    NOT_FOUND = "not_found"

"""How the store answers a reservation for a send: what `start_verification.lua` and `resend.lua`
return, as types."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.model.clock import from_ms
from core.model.verification import Status


@dataclass(frozen=True, slots=True)
class Started:
    """Reserved and written. `next_send_at` is the verification's before this send."""

    next_send_at: datetime


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The same request again; `verification` is the id that the first one started."""

    verification: str


@dataclass(frozen=True, slots=True)
class BudgetSpent:
    """A budget has no room. `limit` is as the scripts count."""

    budget: str
    retry_after: timedelta
    limit: int


@dataclass(frozen=True, slots=True)
class NumberLocked:
    """A budget of wrong codes has no room, so a code that is sent now could not be checked."""

    budget: str
    retry_after: timedelta


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """The allowance of the grant is used up; waiting does not help."""

    budget: str


@dataclass(frozen=True, slots=True)
class TooSoon:
    """The cooldown has not passed."""

    retry_after: timedelta


@dataclass(frozen=True, slots=True)
class Closed:
    """The verification is over."""

    status: Status


@dataclass(frozen=True, slots=True)
class NotFound:
    """The verification is not kept (any more)."""


Refusal = BudgetSpent | NumberLocked | NotAllowed
StartReply = Started | Duplicate | Refusal
ResendReply = Started | Duplicate | Refusal | TooSoon | Closed | NotFound


def start_reply(reply: str, now: datetime) -> StartReply:
    """The reply of `start_verification.lua`; the first send of a verification may go `now`."""
    answer = json.loads(reply)
    match answer["result"]:
        case "started":
            return Started(now)
        case "duplicate":
            return Duplicate(answer["verification"])
        case _:
            return _refusal(answer)


def resend_reply(reply: str, verification: str) -> ResendReply:
    """The reply of `resend.lua` for this verification."""
    answer = json.loads(reply)
    match answer["result"]:
        case "started":
            return Started(from_ms(answer["next_send_ms"]))
        case "duplicate":
            return Duplicate(verification)
        case "too_soon":
            return TooSoon(_span(answer["retry_ms"]))
        case "closed":
            return Closed(Status(answer["status"]))
        case "not_found":
            return NotFound()
        case _:
            return _refusal(answer)


def _refusal(answer: dict[str, str | int]) -> Refusal:
    budget, retry_after = str(answer["budget"]), _span(answer["retry_ms"])
    match answer["result"]:
        case "over_budget":
            return BudgetSpent(budget, retry_after, int(answer["limit"]))
        case "locked":
            return NumberLocked(budget, retry_after)
        case "not_allowed":
            return NotAllowed(budget)
        case result:
            raise ValueError(f"no result of a send: {result}")


def _span(ms: int | str) -> timedelta:
    return timedelta(milliseconds=int(ms))

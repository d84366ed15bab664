"""Parses the replies of `start_verification.lua` and `resend.lua`."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.model.clock import from_ms
from core.model.verification import SendOutcome, Status


@dataclass(frozen=True, slots=True)
class Started:
    """Reserved and written. `next_send_at` is the verification's before this send."""

    next_send_at: datetime


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The same request again; `verification` is the id that the first one started."""

    verification: str


@dataclass(frozen=True, slots=True)
class RefusedByBudget:
    """A budget has no room. `outcome` is OVER_BUDGET; LOCKED where it is a budget of wrong codes,
    so that a code sent now could not be checked; or NOT_ALLOWED where it is the allowance of the
    grant, so that waiting does not help: then `retry_after` is None."""

    outcome: SendOutcome
    budget: str
    retry_after: timedelta | None


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


StartReply = Started | Duplicate | RefusedByBudget
ResendReply = StartReply | TooSoon | Closed | NotFound


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


def _refusal(answer: dict[str, str | int]) -> RefusedByBudget:
    outcome = SendOutcome(str(answer["result"]))
    retry_after = None if outcome is SendOutcome.NOT_ALLOWED else _span(answer["retry_ms"])
    return RefusedByBudget(outcome, str(answer["budget"]), retry_after)


def _span(ms: int | str) -> timedelta:
    return timedelta(milliseconds=int(ms))

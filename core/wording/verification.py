"""The state of a verification in words, with its cause and what to do.

Present tense, second person: a sentence for what happens, a sentence for what to do. A tone selects
the style on the page: `quiet` while nothing is wrong, `good`, `warning` for uncertainty, `bad`.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from core.model.attempt import Attempt, EventKind, OverBudget, State
from core.model.grant import NO_SENDS_LEFT
from core.model.verification import CheckOutcome, CheckResult, SendOutcome, Status, View
from core.model.way import Way
from core.wording.error_codes import hangup_text, message_error_text
from core.wording.formats import duration, wait_time
from core.wording.marks import VERIFIED, mark


class Tone(StrEnum):
    """How a page styles a sentence."""

    QUIET = "quiet"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Words:
    """A headline and a line below it. `mark` is the sign of the state (see `marks`)."""

    headline: str
    detail: str
    tone: Tone
    mark: str = ""


_BUDGETS = {
    "sends_per_10_minutes": "This number was sent its share of codes for these 10 minutes.",
    "sends_per_day": "This number was sent its share of codes for today.",
    "refused_sends_per_hour": "Plivo refused too many sends to this number within the hour.",
    "sends_per_prefix": "Neighbouring numbers were sent too many codes within the hour.",
    "sends_per_address": "Too many codes were requested from your address within the hour.",
    "sends_without_address": "Too many codes were requested by clients whose address is not known.",
    "sends_per_country": "Too many codes were sent to this country within the hour.",
    "spend_per_day": "The spending limit of the day is reached.",
}

#: What each budget counts, and its window: the parts of a warning around its limit.
_COUNTED = {
    "sends_per_10_minutes": ("this number", "in 10 minutes"),
    "sends_per_day": ("this number", "a day"),
    "refused_sends_per_hour": ("refused sends to this number", "an hour"),
    "sends_per_prefix": ("neighbouring numbers", "an hour"),
    "sends_per_address": ("your address", "an hour"),
    "sends_per_country": ("this country", "an hour"),
    "failed_checks_per_hour": ("wrong codes from your address", "an hour"),
    "failed_checks_per_day": ("wrong codes for this number", "a day"),
    "guesses_per_day": ("codes checked for this number", "a day"),
}


def over_budget_words(over: OverBudget) -> str:
    """A budget with its limit: `neighbouring numbers, 30 an hour`."""
    if over.budget == "spend_per_day":
        return f"spending, {over.limit / 1_000_000:,.2f} US dollars a day"
    subject, window = _COUNTED[over.budget]
    return f"{subject}, {over.limit:,} {window}"


def budget_warning(over: OverBudget, now: datetime) -> str:
    """What a budget that only warns in the sandbox would do live."""
    text = f"Live, this would be refused: {over_budget_words(over)}"
    if over.free_at > now:
        text += f"; free again in {duration(over.free_at - now, is_rounded_up=True)}"
    return f"{text}."


#: Cause and remedy for a number in a country that the grant does not cover.
NOT_COVERED = (
    "Your invite does not cover this country.",
    "Use a number of another country, or ask for another invite.",
)
#: Cause and remedy, by what the grant does not allow.
_NOT_ALLOWED = {
    "sends_per_invite": NO_SENDS_LEFT,
    "country": NOT_COVERED,
}

_CLOSED = {
    "verified": "This verification is complete.",
    "locked": "This verification had too many wrong codes.",
    "canceled": "This verification was canceled.",
    "expired": "The code has expired.",
}


def send_refusal(outcome: SendOutcome, why: str, retry: timedelta | None) -> tuple[str, str]:
    """Cause and remedy of a send that the rules refused; `why` names the budget or the status."""
    wait = f"Try again in {wait_time(retry)}." if retry else "Start a new verification."
    match outcome:
        case SendOutcome.OVER_BUDGET:
            return _BUDGETS[why], wait
        case SendOutcome.LOCKED:
            return "Too many wrong codes were entered for this number.", wait
        case SendOutcome.TOO_SOON:
            return "A code is on its way.", wait
        case SendOutcome.BUSY:
            return (
                "Plivo answers too slowly, and too many sends wait for it. Nothing was sent.",
                wait,
            )
        case SendOutcome.CLOSED:
            return _CLOSED[why], "Start a new verification."
        case SendOutcome.NOT_ALLOWED:
            return _NOT_ALLOWED[why]
        case SendOutcome.KEY_REUSED:
            return "This idempotency key belongs to another request.", "Use a new key for each."
        case SendOutcome.NOT_FOUND:
            return "This verification is not known, or is no longer kept.", wait
        case _:
            return "", ""


def check_words(result: CheckResult, digits: int) -> Words:
    """The outcome of a check in words."""
    checks_left = result.checks_left
    match result.outcome:
        case CheckOutcome.APPROVED:
            return Words("Verified", "", Tone.GOOD)
        case CheckOutcome.WRONG_CODE if checks_left > 0:
            tries = "1 try left" if checks_left == 1 else f"{checks_left} tries left"
            return Words("That is not the code.", f"You have {tries}.", Tone.BAD)
        case CheckOutcome.WRONG_CODE | CheckOutcome.LOCKED:
            return Words("Too many wrong codes.", "Start a new verification.", Tone.BAD)
        case CheckOutcome.EXPIRED:
            return Words("The code has expired.", "Start a new verification.", Tone.BAD)
        case CheckOutcome.USED:
            return Words("This code was used already.", "Start a new verification.", Tone.BAD)
        case CheckOutcome.CANCELED:
            return Words("This verification was canceled.", "Start a new one.", Tone.BAD)
        case CheckOutcome.NUMBER_LOCKED:
            wait = f"ry again in {wait_time(result.retry_after or timedelta())}."
            # The first check of a new verification needs room in the last budget only.
            is_last = result.over_budget is None or result.over_budget.budget == "guesses_per_day"
            remedy = f"T{wait}" if is_last else f"Start a new verification, or t{wait}"
            return Words("Too many wrong codes for this number.", remedy, Tone.BAD)
        case CheckOutcome.NOT_FOUND:
            return Words("This verification is not known.", "Start a new one.", Tone.BAD)
        case CheckOutcome.MALFORMED:
            return Words(f"A code has {digits} digits.", "Nothing was counted.", Tone.WARNING)


def status_words(view: View) -> Words:
    """The verdict of the verification, or the state of its newest attempt."""
    verification = view.verification
    match verification.status:
        case Status.VERIFIED:
            detail = "The code is right: the person holds this phone number."
            return Words("Verified", detail, Tone.GOOD, VERIFIED)
        case Status.LOCKED:
            return Words("Locked", "Too many wrong codes. Start a new verification.", Tone.BAD, "■")
        case Status.CANCELED:
            return Words(
                "Canceled", "Its code is no longer valid. Start a new one.", Tone.QUIET, "✕"
            )
        case Status.EXPIRED:
            return Words("Expired", "The code is no longer valid. Start a new one.", Tone.BAD, "✕")
        case Status.PENDING:
            if view.newest is None:
                return Words("Sending", "The request is being prepared.", Tone.QUIET)
            return attempt_words(view.newest)


def resend_label(way: Way) -> str:
    """The button that uses the same way again."""
    return "Call again" if way.is_call else "Resend code"


def fallback_label(way: Way) -> str:
    """The button that uses another way."""
    return "Call me instead" if way.is_call else "Send as SMS"


def attempt_words(attempt: Attempt) -> Words:
    """The state of one attempt, or why it failed and what to do."""
    words = replace(_attempt_words(attempt), mark=mark(attempt.state))
    has_right_code = EventKind.VERIFIED in attempt.moments or attempt.proof is not None
    if attempt.state is State.DELIVERED and has_right_code:
        return replace(words, detail="The right code was entered.")
    return words


def _attempt_words(attempt: Attempt) -> Words:
    match attempt.state:
        case State.REQUESTED:
            return Words("Sending", "Waiting for Plivo to accept it.", Tone.QUIET)
        case State.REJECTED:
            return Words("Not sent", f"{attempt.cause} {attempt.remedy}", Tone.BAD)
        case State.UNKNOWN:
            return Words("Unknown", "No delivery report came. Ask the person.", Tone.WARNING)
        case State.UNCLEAR:
            detail = f"{attempt.cause} {attempt.remedy}"
            return Words("Unclear", detail, Tone.WARNING)
        case _ if attempt.way.is_call:
            return _call_words(attempt)
        case _:
            return _message_words(attempt)


def _message_words(attempt: Attempt) -> Words:
    match attempt.state:
        case State.ACCEPTED | State.QUEUED:
            return Words("On its way", "Plivo has the message.", Tone.QUIET)
        case State.SENT:
            return Words("Sent", "The carrier has it; no delivery report yet.", Tone.QUIET)
        case State.DELIVERED:
            return Words("Delivered", "Enter the code from the message.", Tone.QUIET)
        case _:
            error = message_error_text(attempt.error_code or "1000")
            detail = f"{error.meaning} {error.advice}" if error else ""
            headline = "Not delivered" if attempt.state is State.UNDELIVERED else "Failed"
            return Words(headline, detail, Tone.BAD)


def _call_words(attempt: Attempt) -> Words:
    match attempt.state:
        case State.ACCEPTED | State.QUEUED | State.SENT:
            return Words("Calling", "Plivo is placing the call.", Tone.QUIET)
        case State.RINGING:
            return Words("Ringing", "Answer the call.", Tone.QUIET)
        case State.ANSWERED:
            hint = "Press 1 to hear the code." if attempt.way is Way.VOICE else "Listen."
            return Words("Answered", hint, Tone.QUIET)
        case State.DELIVERED:
            return Words("Read out", "Enter the code that you heard.", Tone.QUIET)
        case _:
            cause = hangup_text(attempt.hangup_cause or "0")
            if EventKind.ANSWERED in attempt.moments and attempt.hangup_cause in {"4000", "4010"}:
                detail = "The key 1 was not pressed, so the code was not read out. Call again."
                return Words("Not heard", detail, Tone.BAD)
            detail = f"{cause.meaning} {cause.advice}" if cause else ""
            return Words("Not reached", detail, Tone.BAD)

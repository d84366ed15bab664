"""The table of endings: the last four digits of a number decide how a send to it ends.

Tests check README.md against `TABLE`. The first row whose regex matches applies. Endings of
messages do not affect calls, and endings of calls do not affect messages.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from core.sandbox.facts.hangups import HANGUP_CAUSES, Phase
from core.sandbox.facts.message_errors import MESSAGE_ERRORS


class EndingKind(StrEnum):
    """What an ending does."""

    NORMAL = "normal"
    MESSAGE_ERROR = "message error"
    HTTP_STATUS = "http status"
    TIME_OUT = "time-out"
    LATE = "late"
    NO_RECEIPT = "no receipt"
    DOUBLED = "doubled"
    OUT_OF_ORDER = "out of order"
    FORGED = "forged"
    LOST = "lost"
    HANGUP = "hangup"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a send to one number ends.

    `value` is the error code, HTTP status, delay in seconds or hangup cause code; else 0.
    """

    pattern: str
    kind: EndingKind
    value: int
    sentence: str


@dataclass(frozen=True, slots=True)
class EndingRow:
    """One row of the table. `pattern` is for people; `regex` matches the last four digits."""

    pattern: str
    example: str
    kind: EndingKind
    message: str
    call: str
    regex: re.Pattern[str]


def _row(
    pattern: str, example: str, kind: EndingKind, message: str, call: str, regex: str = ""
) -> EndingRow:
    return EndingRow(pattern, example, kind, message, call, re.compile(regex or pattern))


def _any_of(codes: list[int]) -> str:
    return "|".join(f"{code:04}" for code in codes)


def _hangups(phase: Phase) -> str:
    return _any_of([code for code, cause in HANGUP_CAUSES.items() if cause.phase is phase])


_HTTP = "the request is answered with HTTP status {value}; nothing is sent"
_RINGS = "rings as usual"
_DELIVERED = "delivered as usual"

TABLE: tuple[EndingRow, ...] = (
    *(
        _row(suffix, suffix, EndingKind.HTTP_STATUS, _HTTP, _HTTP)
        for suffix in ("0402", "0403", "0429", "0500", "0503")
    ),
    _row(
        "0408",
        "0408",
        EndingKind.TIME_OUT,
        "accepted and delivered, but the request is answered only after a minute",
        "accepted and rings, but the request is answered only after a minute",
    ),
    _row(
        "0CCC",
        "0030",
        EndingKind.MESSAGE_ERROR,
        "ends with Plivo's message error CCC; 0420 after message_expiry, if that is set",
        _RINGS,
        _any_of(list(MESSAGE_ERRORS)),
    ),
    _row(
        "0700",
        "0700",
        EndingKind.NO_RECEIPT,
        "arrives, but stays in state sent: there is no receipt",
        _RINGS,
    ),
    _row("07SS", "0705", EndingKind.LATE, "delivered SS seconds late", _RINGS, r"07\d\d"),
    _row(
        "0801",
        "0801",
        EndingKind.DOUBLED,
        "delivered; every callback is sent twice",
        "rings; every callback is sent twice",
    ),
    _row(
        "0802",
        "0802",
        EndingKind.OUT_OF_ORDER,
        "delivered; the last callback is sent first, the earlier ones after it",
        "rings; the ring callback is sent after the hangup callback",
    ),
    _row(
        "0803",
        "0803",
        EndingKind.FORGED,
        "delivered; before the last callback, one with a wrong signature reports a failure",
        "rings; before the hangup callback, one with a wrong signature reports a failure",
    ),
    _row(
        "0804",
        "0804",
        EndingKind.LOST,
        "delivered; no callback arrives",
        "rings; no callback arrives",
    ),
    _row(
        "busy, barred, unreachable: 3010, 2010, …",
        "3010",
        EndingKind.HANGUP,
        _DELIVERED,
        "ends at once with that hangup cause, without ringing",
        _hangups(Phase.AT_ONCE),
    ),
    _row(
        "3000, 6010",
        "3000",
        EndingKind.HANGUP,
        _DELIVERED,
        "rings five seconds, then ends with that hangup cause",
        _hangups(Phase.RINGING),
    ),
    _row(
        "3020, 3110",
        "3020",
        EndingKind.HANGUP,
        _DELIVERED,
        "rings a second, then ends with that hangup cause",
        _hangups(Phase.DECLINED),
    ),
    _row(
        "9100",
        "9100",
        EndingKind.HANGUP,
        _DELIVERED,
        "a machine answers after a second: with machine_detection=hangup the call ends, "
        "else it continues; a machine presses no key",
        _hangups(Phase.MACHINE),
    ),
    _row(
        "an ending after the answer: 4000, 7011, 8011, …",
        "7011",
        EndingKind.HANGUP,
        _DELIVERED,
        "rings; one second after the answer it ends with that hangup cause; nothing is spoken",
        _hangups(Phase.ANSWERED),
    ),
    _row(
        "0600",
        "0600",
        EndingKind.BUDGET,
        "the verification app refuses it for its budget; sent by other means, delivered as usual",
        "the verification app refuses it for its budget; placed by other means, rings as usual",
    ),
    _row(
        "anything else",
        "5555",
        EndingKind.NORMAL,
        "queued at once, delivered after about a second",
        "rings until it is answered or declined, or until its ring timeout",
        ".*",
    ),
)

_VALUED = {EndingKind.MESSAGE_ERROR, EndingKind.HTTP_STATUS, EndingKind.LATE, EndingKind.HANGUP}


def ending_of(number: str) -> Ending:
    """How a message or call to `number` ends. Characters other than digits are ignored."""
    suffix = re.sub(r"\D", "", number)[-4:]
    row = next(row for row in TABLE if row.regex.fullmatch(suffix))
    value = 0
    if row.kind in _VALUED:
        value = int(suffix[-2:] if row.kind is EndingKind.LATE else suffix)
    message, call = row.message.format(value=value), row.call.format(value=value)
    if row.kind is EndingKind.MESSAGE_ERROR:
        message += f" ({MESSAGE_ERRORS[value].meaning})"
    elif row.kind is EndingKind.HANGUP:
        call += f" ({HANGUP_CAUSES[value].name})"
    return Ending(row.pattern, row.kind, value, f"Message: {message}. Call: {call}.")

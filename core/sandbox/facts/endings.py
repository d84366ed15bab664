"""The table of endings: the last four digits of a number decide how a send to it ends.

The sandbox's behaviour, `GET /endings`, the Verify page and the tables of the documentation all
come from `ENDINGS`. An ending of messages does not affect calls, and one of calls not messages.
`core.sandbox.plans` turns an ending into effects.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from core.sandbox.facts.effects import EffectChannel
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


class EndingGroup(StrEnum):
    """What people look for in the table, in its order."""

    DELIVERED = "delivered"
    CARRIER = "refused by the carrier"
    PLIVO = "refused by Plivo"
    APP = "refused by the app"
    UNWELL = "Plivo unwell"
    RECEIPTS = "receipts that lie"
    CALLS = "calls that fail"

    @property
    def summary(self) -> str:
        return _SUMMARIES[self]


_SUMMARIES = {
    EndingGroup.DELIVERED: "A message arrives, at once or late. A call rings until it is answered.",
    EndingGroup.CARRIER: "Plivo sends the message, and the carrier does not deliver it.",
    EndingGroup.PLIVO: "Plivo accepts no request, or accepts it and never sends the message.",
    EndingGroup.APP: "The verification app refuses the send by a budget; Plivo is not asked.",
    EndingGroup.UNWELL: "Plivo answers with an error that may pass, or does not answer in time.",
    EndingGroup.RECEIPTS: "It arrives, but callbacks are missing, repeated, late or forged.",
    EndingGroup.CALLS: "A call ends with that hangup cause. Messages are delivered as usual.",
}


@dataclass(frozen=True, slots=True)
class EndingOutcome:
    """What happens to a message or call.

    `state` is the final `message_state` or `CallStatus`, and `code` the final error code or hangup
    cause code; None where the ending does not decide it, or nothing is sent.
    """

    happens: str
    state: str | None = None
    code: str | None = None
    http_status: int | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a send to a number with these last four digits ends.

    `pattern` is how the table writes `suffix`, where a row stands for several. `value` is the error
    code, HTTP status, delay in seconds or hangup cause code; else 0.
    """

    suffix: str
    pattern: str
    group: EndingGroup
    kind: EndingKind
    value: int
    title: str
    message: EndingOutcome
    call: EndingOutcome
    channels: tuple[EffectChannel, ...]

    def outcome(self, channel: EffectChannel) -> EndingOutcome:
        return self.message if channel is EffectChannel.SMS else self.call


#: The error texts of the requests that end with an HTTP status.
HTTP_REFUSALS = {
    402: "insufficient funds in the account",
    403: "geo-permission to this destination country is not enabled",
    429: "too many requests",
    500: "internal server error",
    503: "service unavailable",
}
_NEVER_SENT_STATUSES = {402, 403}

_NO_ERROR = "000"
_DELIVERED = EndingOutcome("delivered as usual", "delivered", _NO_ERROR)
_RINGS = EndingOutcome("rings as usual")
_BOTH = (EffectChannel.SMS, EffectChannel.CALL)
_HANGUPS = {
    Phase.AT_ONCE: "ends at once, without ringing",
    Phase.RINGING: "rings five seconds, then ends",
    Phase.DECLINED: "rings a second, then is declined",
    Phase.MACHINE: "a machine answers after a second: with machine_detection=hangup the call ends, "
    "else it continues; a machine presses no key",
    Phase.ANSWERED: "rings; one second after the answer it ends, and nothing is spoken",
}


def _http_status(status: int) -> Ending:
    outcome = EndingOutcome(
        f"the request is answered with HTTP status {status}; nothing is sent", http_status=status
    )
    return Ending(
        suffix=f"{status:04}",
        pattern=f"{status:04}",
        group=EndingGroup.PLIVO if status in _NEVER_SENT_STATUSES else EndingGroup.UNWELL,
        kind=EndingKind.HTTP_STATUS,
        value=status,
        title=_sentence_case(HTTP_REFUSALS[status]),
        message=outcome,
        call=outcome,
        channels=_BOTH,
    )


def _message_error(code: int) -> Ending:
    error = MESSAGE_ERRORS[code]
    was_sent = error.state == "undelivered"
    happens = "sent, then undelivered" if was_sent else "fails before it is sent"
    if code == 420:
        happens = "fails before it is sent, after message_expiry if that is set"
    return Ending(
        suffix=f"{code:04}",
        pattern=f"{code:04}",
        group=EndingGroup.CARRIER if was_sent else EndingGroup.PLIVO,
        kind=EndingKind.MESSAGE_ERROR,
        value=code,
        title=error.meaning,
        message=EndingOutcome(happens, error.state, str(code)),
        call=_RINGS,
        channels=(EffectChannel.SMS,),
    )


def _hangup(code: int) -> Ending:
    cause = HANGUP_CAUSES[code]
    return Ending(
        suffix=f"{code:04}",
        pattern=f"{code:04}",
        group=EndingGroup.CALLS,
        kind=EndingKind.HANGUP,
        value=code,
        title=cause.name,
        message=_DELIVERED,
        call=EndingOutcome(_HANGUPS[cause.phase], cause.status, str(code)),
        channels=(EffectChannel.CALL,),
    )


def _late(seconds: int) -> Ending:
    return Ending(
        suffix=f"07{seconds:02}",
        pattern="07SS",
        group=EndingGroup.DELIVERED,
        kind=EndingKind.LATE,
        value=seconds,
        title="Late by SS seconds",
        message=EndingOutcome(f"delivered {seconds} seconds late", "delivered", _NO_ERROR),
        call=_RINGS,
        channels=(EffectChannel.SMS,),
    )


def _both(
    suffix: str, group: EndingGroup, kind: EndingKind, title: str, message: str, call: str
) -> Ending:
    """An ending of messages, which are delivered in the end, and of calls."""
    return Ending(
        suffix=suffix,
        pattern=suffix,
        group=group,
        kind=kind,
        value=0,
        title=title,
        message=EndingOutcome(message, "delivered", _NO_ERROR),
        call=EndingOutcome(call),
        channels=_BOTH,
    )


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


_NORMAL = Ending(
    suffix="5555",
    pattern="anything else",
    group=EndingGroup.DELIVERED,
    kind=EndingKind.NORMAL,
    value=0,
    title="Delivered",
    message=EndingOutcome("delivered after about a second", "delivered", _NO_ERROR),
    call=EndingOutcome("rings until it is answered or declined, or until its ring timeout"),
    channels=_BOTH,
)
_NO_RECEIPT = Ending(
    suffix="0700",
    pattern="0700",
    group=EndingGroup.RECEIPTS,
    kind=EndingKind.NO_RECEIPT,
    value=0,
    title="No receipt",
    message=EndingOutcome("arrives, but stays in state sent", "sent"),
    call=_RINGS,
    channels=(EffectChannel.SMS,),
)
_BUDGET = Ending(
    suffix="0600",
    pattern="0600",
    group=EndingGroup.APP,
    kind=EndingKind.BUDGET,
    value=0,
    title="Over a budget",
    message=EndingOutcome("not sent by the verification app; by other means, delivered as usual"),
    call=EndingOutcome("not placed by the verification app; by other means, rings as usual"),
    channels=_BOTH,
)

#: Every row of the table, by group.
ENDINGS: tuple[Ending, ...] = tuple(
    sorted(
        (
            _NORMAL,
            _late(5),
            *map(_message_error, MESSAGE_ERRORS),
            *map(_http_status, HTTP_REFUSALS),
            _both(
                "0408",
                EndingGroup.UNWELL,
                EndingKind.TIME_OUT,
                "No answer in time",
                "delivered, but the request is answered only after a minute",
                "rings, but the request is answered only after a minute",
            ),
            _BUDGET,
            _NO_RECEIPT,
            _both(
                "0801",
                EndingGroup.RECEIPTS,
                EndingKind.DOUBLED,
                "Callbacks doubled",
                "delivered; every callback is sent twice",
                "rings; every callback is sent twice",
            ),
            _both(
                "0802",
                EndingGroup.RECEIPTS,
                EndingKind.OUT_OF_ORDER,
                "Callbacks out of order",
                "delivered; the last callback is sent first, the earlier ones after it",
                "rings; the ring callback is sent after the hangup callback",
            ),
            _both(
                "0803",
                EndingGroup.RECEIPTS,
                EndingKind.FORGED,
                "A forged callback",
                "delivered; before the last callback, one with a wrong signature reports a failure",
                "rings; before the hangup callback, one with a wrong signature reports a failure",
            ),
            _both(
                "0804",
                EndingGroup.RECEIPTS,
                EndingKind.LOST,
                "Callbacks lost",
                "delivered; no callback arrives",
                "rings; no callback arrives",
            ),
            *map(_hangup, HANGUP_CAUSES),
        ),
        # Stable: the order of the literals above within a group.
        key=lambda ending: list(EndingGroup).index(ending.group),
    )
)
_BY_SUFFIX = {ending.suffix: ending for ending in ENDINGS}


def ending_of(number: str) -> Ending:
    """How a message or call to `number` ends. Characters other than digits are ignored."""
    suffix = re.sub(r"\D", "", number)[-4:]
    if ending := _BY_SUFFIX.get(suffix):
        return ending
    return _late(int(suffix[2:])) if re.fullmatch(r"07\d\d", suffix) else _NORMAL

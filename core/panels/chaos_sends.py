"""The messages and calls of the sandbox onto which a status can be pushed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers

from core.model.phone_number import mask
from core.wording.chaos import effects_words
from core.wording.formats import clock

MAX_ROWS = 8
_NOUNS = {"sms": "Message", "call": "Call"}


@dataclass(frozen=True, slots=True)
class SendRow:
    """A line of the list; `next` are the statuses that can be pushed."""

    uuid: str
    channel: str
    words: str
    next: tuple[str, ...]


def send_rows(sends: Sequence[Mapping[str, Any]], zone: ZoneInfo, first: str = "") -> list[SendRow]:
    """The newest sends that can change: the one with the UUID `first`, then those under way."""
    open_sends = [send for send in sends if send["next"]]
    open_sends.sort(
        key=lambda send: (send["uuid"] != first, send["status"] in {"delivered", "undelivered"})
    )
    return [
        SendRow(send["uuid"], send["channel"], _words(send, zone), tuple(send["next"]))
        for send in open_sends[:MAX_ROWS]
    ]


def _words(send: Mapping[str, Any], zone: ZoneInfo) -> str:
    """ "Message to +1 415 ••• ••50 · sent · 12:04:30 · chaos: No receipt"."""
    started = clock(datetime.fromisoformat(send["started_at"]), zone)
    parts = [f"{_NOUNS[send['channel']]} to {_masked(send['number'])}", send["status"], started]
    if send["by_chaos"]:
        parts.append(f"chaos: {effects_words(send['effects'])}")
    return " · ".join(parts)


def _masked(digits: str) -> str:
    try:
        parsed = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return f"••{digits[-2:]}"
    style = phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return mask(phonenumbers.format_number(parsed, style))

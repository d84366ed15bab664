"""Parses the values in Plivo's answers and callbacks; no other module does.

A parser takes any JSON value and raises ValueError if it cannot read it. A model declares a parser
for each field. An unreadable value is left out and listed in `unreadable`, so that the rest of the
record is still used. An absent value (missing, null, "") is not unreadable.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from core.model.attempt import AttemptEvent, EventKind, Source
from core.model.clock import is_sane
from core.model.unreadable import Unreadable
from core.plivo.masking import mask_value

#: By how much Plivo's clock may be ahead of ours.
AHEAD = timedelta(days=1)
#: No count of Plivo, such as the units of a message or the seconds of a call, is larger.
MOST_WHOLE = 1_000_000
_LONGEST_TEXT = 100
_MOST_LOGGED, _MOST_MASKED = 60, 1000
# No exponent: the number "1e999999" takes a minute to write out.
_DOLLARS = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)
_CODE = re.compile(r"\d{1,10}", re.ASCII)


def text(value: object) -> str:
    """Printable text, or a whole number as text."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = _decimal(value)
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT or not value.isprintable():
        raise ValueError("not a text")
    return value


def code(value: object) -> str:
    """A code of digits, such as an error or a network, with its leading zeros."""
    digits = text(value).strip()
    if not _CODE.fullmatch(digits):
        raise ValueError("not a code")
    return digits


def whole(value: object) -> int:
    """A whole number from 0 to MOST_WHOLE, also as text."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    number = int(code(value))
    if number > MOST_WHOLE:
        raise ValueError("too large")
    return number


def micros(value: object) -> int:
    """An amount in dollars, such as "0.00650", in millionths."""
    if isinstance(value, float) and math.isfinite(value):
        value = f"{Decimal(repr(value)):f}" if abs(value) < 1e9 else ""
    amount = text(value)
    if not _DOLLARS.fullmatch(amount):
        raise ValueError("not an amount")
    return int(Decimal(amount) * 1_000_000)


def moment(value: object) -> datetime:
    """A time with its offset, in UTC. A time without an offset is refused: its zone is unknown."""
    at = _moment(value)
    if at.tzinfo is None:
        raise ValueError("no offset")
    return _sane(at)


def utc_moment(value: object) -> datetime:
    """A time of a callback: naive UTC, `2021-04-16 18:39:29.088198`, with or without fraction."""
    at = _moment(value)
    return _sane(at if at.tzinfo else at.replace(tzinfo=UTC))


def _moment(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("not a moment")
    return datetime.fromisoformat(value)


def _sane(at: datetime) -> datetime:
    if not is_sane(at):
        raise ValueError("out of range")
    return at.astimezone(UTC)


def _decimal(value: int) -> str:
    # Python refuses to convert integers of thousands of digits; no value here has more than ten.
    if abs(value) >= 10**15:
        raise ValueError("too large")
    return str(value)


def masked_value(name: str, value: object) -> str:
    """An unreadable value of a field, for a log: escaped, masked as in an exchange, and short."""
    match value:
        case list() | dict():
            return f"a {type(value).__name__}"
        case int() if abs(value) >= 10**15:
            return "a huge integer"
    # Masked before it is shortened: half a number would not be recognised.
    return str(mask_value(name, ascii(value)[:_MOST_MASKED]))[:_MOST_LOGGED]


def fields_of(source: object) -> Mapping[str, Any]:
    """The fields of a form, or of a record as the SDK gives it."""
    return source if isinstance(source, Mapping) else getattr(source, "__dict__", {})


def is_absent(value: object) -> bool:
    """Whether Plivo left the value out."""
    return value is None or (isinstance(value, str) and not value.strip())


@dataclass(frozen=True, slots=True)
class Parse:
    """The parser of a field. An unreadable value is replaced by `instead` or, if that is None, by
    the field's default; a required field is then missing."""

    parser: Callable[[Any], object]
    instead: object = None


class PlivoModel(BaseModel):
    """A callback or a record. Unknown fields are dropped: Plivo adds new ones."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    #: The values that were left out.
    unreadable: tuple[Unreadable, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, source: Any) -> dict[str, Any]:
        values = fields_of(source)
        parsed: dict[str, Any] = {}
        unreadable = []
        for name, field in cls.model_fields.items():
            alias = field.alias or name
            value = values.get(alias)
            parse = next((part for part in field.metadata if isinstance(part, Parse)), None)
            if parse is None or is_absent(value):
                continue
            try:
                parsed[alias] = parse.parser(value)
            except ValueError:
                unreadable.append(Unreadable(alias, masked_value(alias, value)))
                if parse.instead is not None:
                    parsed[alias] = parse.instead
        return parsed | {"unreadable": tuple(unreadable)}

    def make_event(
        self,
        attempt: str,
        kind: EventKind,
        moment: str | None,
        now: datetime,
        source: Source,
        fields: Mapping[str, object],
    ) -> AttemptEvent:
        """An event at the time in the field `moment`. `now` replaces a time that is absent, not
        readable, or ahead. Empty fields are left out."""
        at: datetime | None = getattr(self, moment) if moment else None
        unreadable = self.unreadable
        if moment and at is not None and at > now + AHEAD:
            alias = type(self).model_fields[moment].alias or moment
            unreadable += (Unreadable(alias, masked_value(alias, str(at))),)
            at = None
        present = {name: str(value) for name, value in fields.items() if value not in (None, "")}
        return AttemptEvent(attempt, kind, at or now, source, present, unreadable)

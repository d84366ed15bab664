"""Values in Plivo's answers and callbacks: the only module that parses them.

A parser takes any JSON value and raises ValueError for one that it cannot read. A model declares a
parser for each field; a value that cannot be read is left out, and named in `unreadable`, so that
one odd value costs nothing but itself. A value that is absent (missing, null, "") is not odd.
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

#: By how much a clock of Plivo's may be ahead of ours.
AHEAD = timedelta(days=1)
_LONGEST_SHOWN, _LONGEST_MASKED = 60, 1000
# No exponent: "1e999999" is a number too, one that takes a minute to write out.
_DOLLARS = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)
_CODE = re.compile(r"\d{1,10}", re.ASCII)


def text(value: object, most: int = 100) -> str:
    """Printable text, or a whole number as text."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = _decimal(value)
    if not isinstance(value, str) or len(value) > most or not value.isprintable():
        raise ValueError("not a text")
    return value


def code(value: object) -> str:
    """A code of digits, such as an error or a network; its zeros in front are kept."""
    found = text(value).strip()
    if not _CODE.fullmatch(found):
        raise ValueError("not a code")
    return found


def whole(value: object, most: int = 1_000_000) -> int:
    """A whole number from 0 to `most`, also as text."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    found = int(code(value))
    if found > most:
        raise ValueError("too large")
    return found


def micros(value: object) -> int:
    """An amount in dollars, such as "0.00650", in millionths."""
    if isinstance(value, float) and math.isfinite(value):
        value = f"{Decimal(repr(value)):f}" if abs(value) < 1e9 else ""
    found = text(value)
    if not _DOLLARS.fullmatch(found):
        raise ValueError("not an amount")
    return int(Decimal(found) * 1_000_000)


def moment(value: object) -> datetime:
    """A moment with its offset, in UTC. Without an offset it could be any zone's: better no moment
    than a wrong one."""
    found = _moment(value)
    if found.tzinfo is None:
        raise ValueError("no offset")
    return _sane(found)


def utc_moment(value: object) -> datetime:
    """A moment of a callback: naive UTC, `2021-04-16 18:39:29.088198`, fraction or not."""
    found = _moment(value)
    return _sane(found if found.tzinfo else found.replace(tzinfo=UTC))


def _moment(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("not a moment")
    return datetime.fromisoformat(value)


def _sane(found: datetime) -> datetime:
    if not is_sane(found):
        raise ValueError("not in this age")
    return found.astimezone(UTC)


def _decimal(value: int) -> str:
    # Python refuses to write integers of thousands of digits; no value here has more than ten.
    if abs(value) >= 10**15:
        raise ValueError("too large")
    return str(value)


def shown(name: str, value: object) -> str:
    """The odd value of a field, for a log: escaped, masked as in an exchange, and short."""
    match value:
        case list() | dict():
            return f"a {type(value).__name__}"
        case int() if abs(value) >= 10**15:
            return "a huge integer"
    # Masked before it is shortened: half a number would not be recognised.
    return str(mask_value(name, ascii(value)[:_LONGEST_MASKED]))[:_LONGEST_SHOWN]


def given(source: object) -> Mapping[str, Any]:
    """The fields of a form, or of a record as the SDK gives it."""
    return source if isinstance(source, Mapping) else getattr(source, "__dict__", {})


def is_absent(value: object) -> bool:
    """Plivo's ways of not giving a value."""
    return value is None or (isinstance(value, str) and not value.strip())


@dataclass(frozen=True, slots=True)
class Parse:
    """The parser of a field. Where a value cannot be read, `instead` takes its place, if given, or
    the field's default; a required field without one is then missing."""

    parser: Callable[[Any], object]
    instead: object = None


class PlivoModel(BaseModel):
    """A callback or a record. Unknown fields are dropped: Plivo adds some."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    #: What was left out.
    unreadable: tuple[Unreadable, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, source: Any) -> dict[str, Any]:
        values = given(source)
        kept: dict[str, Any] = {}
        left_out = []
        for name, field in cls.model_fields.items():
            alias = field.alias or name
            value = values.get(alias)
            how = next((part for part in field.metadata if isinstance(part, Parse)), None)
            if how is None or is_absent(value):
                continue
            try:
                kept[alias] = how.parser(value)
            except ValueError:
                left_out.append(Unreadable(alias, shown(alias, value)))
                if how.instead is not None:
                    kept[alias] = how.instead
        return kept | {"unreadable": tuple(left_out)}

    def make_event(
        self,
        attempt: str,
        kind: EventKind,
        moment: str | None,
        now: datetime,
        source: Source,
        fields: Mapping[str, object],
    ) -> AttemptEvent:
        """An event at the moment in the field `moment`. `now` stands in for one that is absent, not
        readable, or ahead. Empty fields are left out."""
        at: datetime | None = getattr(self, moment) if moment else None
        unreadable = self.unreadable
        if moment and at is not None and at > now + AHEAD:
            alias = type(self).model_fields[moment].alias or moment
            unreadable += (Unreadable(alias, shown(alias, str(at))),)
            at = None
        said = {name: str(value) for name, value in fields.items() if value not in (None, "")}
        return AttemptEvent(attempt, kind, at or now, source, said, unreadable)

"""The type of TEST_PHONES: the team's own handsets, by the names that testers give them."""

import re
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

from core.settings.values import parse_e164, split_list

MAX_PHONES, MAX_LABEL = 20, 40
_RULE = "labels and numbers with commas between, such as Office iPhone=+14155550123"
#: As many digits as the shortest number has. Labels are shown, also in reports; numbers are masked.
_NUMBER_IN_LABEL = re.compile(r"(\d\D{0,3}){7}")


class OwnPhone(NamedTuple):
    """A handset: its label, and its number in E.164."""

    label: str
    number: str


def _own_phones(value: Any) -> tuple[OwnPhone, ...]:
    """Errors name an entry by its place, and quote none: each holds a number."""
    parts = split_list(value)
    if not isinstance(parts, list | tuple):
        raise ValueError(_RULE)
    if len(parts) > MAX_PHONES:
        raise ValueError(f"at most {MAX_PHONES} phones, not {len(parts)}")
    phones: list[OwnPhone] = []
    for place, part in enumerate(parts, 1):
        label, separator, number = str(part).rpartition("=")
        phone = OwnPhone(label.strip(), _number(number.strip()))
        if problem := _problem(phone, phones, has_label=bool(separator and phone.label)):
            raise ValueError(f"{_RULE}; entry {place} {problem}")
        phones.append(phone)
    return tuple(phones)


def _number(text: str) -> str:
    """In E.164; "" for what is no number."""
    try:
        return parse_e164(text)
    except ValueError:
        return ""


def _problem(phone: OwnPhone, earlier: list[OwnPhone], *, has_label: bool) -> str:
    if not has_label:
        return "has no label"
    if len(phone.label) > MAX_LABEL or not phone.label.isprintable():
        return f"has a label that is not of 1 to {MAX_LABEL} printable characters"
    if _NUMBER_IN_LABEL.search(phone.label):
        return "has a number in its label, which is shown unmasked"
    if not phone.number:
        return "has no full number with its country code"
    if phone.label.casefold() in {each.label.casefold() for each in earlier}:
        return "repeats a label"
    if phone.number in {each.number for each in earlier}:
        return "repeats a number"
    return ""


OwnPhones = Annotated[tuple[OwnPhone, ...], NoDecode, BeforeValidator(_own_phones)]

"""Numbers as Plivo reads them: digits alone, without a plus sign."""

import re

import phonenumbers

from core.sandbox.errors import Refusal

MAX_DIGITS = 14
MAX_NAME = 11

_SEPARATORS = re.compile(r"[-/.+()\s]")


def destination(typed: object) -> str:
    """The digits of a destination; Refusal 400 if it is none."""
    digits = _SEPARATORS.sub("", str(typed))
    if not (digits.isascii() and digits.isdigit()) or len(digits) > MAX_DIGITS:
        raise Refusal(400, f"{MAX_DIGITS} digits at most make a destination number")
    return digits


def sender(typed: object) -> str:
    """The digits of a sender, or its name of up to 11 letters and digits; else Refusal 400."""
    kept = re.sub(r"[^A-Za-z0-9]", "", str(typed))
    if not kept or len(kept) > (MAX_DIGITS if kept.isdigit() else MAX_NAME):
        raise Refusal(400, f"src must be {MAX_DIGITS} digits or {MAX_NAME} characters at most")
    return kept


def country_of(digits: str) -> str | None:
    """ISO 3166 code of the country of an international number; None where there is none."""
    try:
        parsed = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return None
    region = phonenumbers.region_code_for_number(parsed)
    if region is None:
        # An invented number still names its country by its calling code.
        region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    # 001 and ZZ stand for the whole world and for nowhere.
    return None if region in {"001", "ZZ"} else region


def searched(typed: str | None) -> str | None:
    """The digits of a number that a list is narrowed to. A + in a query arrives as a blank."""
    return typed.lstrip("+ ") if typed is not None else None


def masked(digits: str) -> str:
    """As Plivo shows a number that must not be logged: `141XXXXX528`."""
    return digits if len(digits) < 7 else f"{digits[:3]}{'X' * (len(digits) - 6)}{digits[-3:]}"

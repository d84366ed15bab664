"""Reads phone numbers from requests."""

import re

from core.sandbox.errors import Refusal

MAX_DIGITS = 14
MAX_NAME = 11

_SEPARATORS = re.compile(r"[-/.+()\s]")


def parse_destination(typed: object) -> str:
    """The digits of a destination; Refusal 400 if it is none."""
    digits = _SEPARATORS.sub("", str(typed))
    if not (digits.isascii() and digits.isdigit()) or len(digits) > MAX_DIGITS:
        raise Refusal(400, f"{MAX_DIGITS} digits at most make a destination number")
    return digits


def parse_sender(typed: object) -> str:
    """The digits of a sender, or its name of up to 11 letters and digits; else Refusal 400."""
    kept = re.sub(r"[^A-Za-z0-9]", "", str(typed))
    if not kept or len(kept) > (MAX_DIGITS if kept.isdigit() else MAX_NAME):
        raise Refusal(400, f"src must be {MAX_DIGITS} digits or {MAX_NAME} characters at most")
    return kept


def filter_digits(typed: str | None) -> str | None:
    """The digits of a number that a list is narrowed to. A + in a query arrives as a blank."""
    return typed.lstrip("+ ") if typed is not None else None

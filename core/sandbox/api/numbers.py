"""Reads phone numbers from requests."""

import re

from core.sandbox.errors import Refusal

MAX_DIGITS = 14
MAX_NAME = 11

_SEPARATORS = re.compile(r"[-/.+()\s]")


def parse_destination(typed: object) -> str:
    """The digits of a destination. Raises Refusal 400 for other text."""
    digits = _SEPARATORS.sub("", str(typed))
    if not (digits.isascii() and digits.isdigit()) or len(digits) > MAX_DIGITS:
        raise Refusal(400, f"a destination must be a number of at most {MAX_DIGITS} digits")
    return digits


def parse_sender(typed: object) -> str:
    """The digits of a sender, or a name of up to 11 letters and digits. Raises Refusal 400."""
    name = re.sub(r"[^A-Za-z0-9]", "", str(typed))
    if not name or len(name) > (MAX_DIGITS if name.isdigit() else MAX_NAME):
        raise Refusal(
            400, f"src must be at most {MAX_DIGITS} digits or {MAX_NAME} letters and digits"
        )
    return name


def filter_digits(typed: str | None) -> str | None:
    """The digits of a number in a list filter. A + in a query is decoded as a space."""
    return typed.lstrip("+ ") if typed is not None else None

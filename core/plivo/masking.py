"""Masks HTTP exchanges for display: no code, secret, token or full number stays."""

import re
from collections.abc import Mapping
from typing import Any

from core.model.code import Code

DOTS = "••••••"

# Parameters whose whole value is a secret, and those that hold a number.
_SECRET = {"otp", "digits", "speech"}
_NUMBER = {"from", "to", "src", "dst", "from_", "to_", "from_number", "to_number", "phone_number"}
# A callback token is an attempt's id and a signature: 24 base32 characters, "-", digits, ".", rest.
_TOKEN = re.compile(r"[a-z2-7]{24}-\d+\.[\w-]+")
_ACCOUNT = re.compile(r"\b(MA|SA)[A-Z0-9]{18}\b")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# A number, or a UUID, which stays. With blanks and dashes inside, only a number with a + is
# recognised: others look like dates.
_NUMBER_OR_UUID = re.compile(
    rf"(?<!\w)(?P<uuid>{_UUID.pattern})(?!\w)|\+\d(?:[\s().-]{{0,2}}\d){{7,14}}|\d{{8,}}",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d")


def mask_number(number: str) -> str:
    """The number with all but its first three and last two digits as dots: `+141••••••23`."""
    digits = sum(char.isdigit() for char in number)
    position = 0

    def hide(match: re.Match[str]) -> str:
        nonlocal position
        position += 1
        return match[0] if position <= 3 or position > digits - 2 else "•"

    return _DIGITS.sub(hide, number)


def mask_text(text: str, code: Code | None = None) -> str:
    """Free text without the code, without callback tokens and full numbers."""
    # Tokens first: if a token contains the code by chance, masking the code would leave its rest.
    text = _TOKEN.sub(DOTS, text)
    if code is not None:
        # Spoken and spaced forms too: "4, 7, 1" and "4 7 1".
        text = re.sub(r"[\s,.\-]*".join(code.reveal()), DOTS, text)
    text = _ACCOUNT.sub(rf"\1{DOTS}", text)
    return _NUMBER_OR_UUID.sub(
        lambda match: match[0] if match["uuid"] else mask_number(match[0]), text
    )


def mask_value(name: str, value: Any, code: Code | None = None) -> Any:
    """A parameter's value, masked; mappings and lists are masked inside."""
    if isinstance(value, Mapping):
        return mask_fields(value, code)
    if isinstance(value, list):
        return [mask_value(name, part, code) for part in value]
    if not isinstance(value, str):
        text = str(value)
        masked = mask_text(text, code)
        return value if masked == text else masked
    lowered = name.lower()
    if lowered in _SECRET:
        return DOTS
    if lowered in _NUMBER:
        return mask_number(value)
    if _UUID.fullmatch(value):
        # Plivo's identifiers stay: its support needs them.
        return value
    return mask_text(value, code)


def mask_fields(fields: Mapping[str, Any], code: Code | None = None) -> dict[str, Any]:
    """A mapping of parameters, masked."""
    return {mask_text(name, code): mask_value(name, value, code) for name, value in fields.items()}

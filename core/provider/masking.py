"""What of an HTTP exchange may be shown: no code, no secret, no token, no full number."""

import re
from collections.abc import Mapping
from typing import Any

DOTS = "••••••"

# Parameters whose whole value is a secret, and those that hold a number.
_SECRET = {"otp", "digits", "speech"}
_NUMBER = {"from", "to", "src", "dst", "from_", "to_", "from_number", "to_number", "phone_number"}
# A callback token is an attempt's id and a signature: 24 base32 characters, "-", digits, ".", rest.
_TOKEN = re.compile(r"[a-z2-7]{24}-\d+\.[\w-]+")
_ACCOUNT = re.compile(r"\b(MA|SA)[A-Z0-9]{18}\b")
# Not inside an identifier: a UUID may hold a long run of digits.
_LONG_NUMBER = re.compile(r"(?<![\w-])\+?\d{8,15}(?![\w-])")
_DIGITS = re.compile(r"\d")


def mask_number(number: str) -> str:
    """The number with all but its first three and last two digits as dots: `+141••••••23`."""
    digits = sum(char.isdigit() for char in number)
    seen = 0

    def hide(match: re.Match[str]) -> str:
        nonlocal seen
        seen += 1
        return match[0] if seen <= 3 or seen > digits - 2 else "•"

    return _DIGITS.sub(hide, number)


def mask_text(text: str, digits: str = "") -> str:
    """Free text without the code `digits`, without callback tokens and full numbers."""
    if digits:
        # Spoken and spaced forms too: "4, 7, 1" and "4 7 1".
        text = re.sub(r"[\s,.]*".join(digits), DOTS, text)
    text = _TOKEN.sub(DOTS, text)
    text = _ACCOUNT.sub(rf"\1{DOTS}", text)
    return _LONG_NUMBER.sub(lambda match: mask_number(match[0]), text)


def mask_value(name: str, value: Any, digits: str = "") -> Any:
    """One parameter's value, as it may be shown; mappings and lists are masked inside."""
    if isinstance(value, Mapping):
        return mask_fields(value, digits)
    if isinstance(value, list):
        return [mask_value(name, one, digits) for one in value]
    if not isinstance(value, str):
        return value
    lowered = name.lower()
    if lowered in _SECRET:
        return DOTS
    if lowered in _NUMBER:
        return mask_number(value)
    if lowered.endswith(("uuid", "_id")) and lowered != "auth_id":
        # Identifiers of Plivo's are shown: they are what one asks support about.
        return value
    return mask_text(value, digits)


def mask_fields(fields: Mapping[str, Any], digits: str = "") -> dict[str, Any]:
    """A mapping of parameters, as it may be shown."""
    return {name: mask_value(name, value, digits) for name, value in fields.items()}

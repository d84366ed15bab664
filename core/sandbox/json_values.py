"""Checks the values of a JSON body. Each function returns the value, or raises Refusal 400 that
names the field."""

from collections.abc import Collection

from core.sandbox.errors import Refusal
from core.sandbox.facts.hangups import HANGUP_CAUSES


def choice(value: object, field: str, choices: Collection[str]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise Refusal(400, f"{field} must be one of {', '.join(choices)}")
    return value


def number(value: object, field: str, minimum: float, maximum: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # False for NaN too.
    if not is_number or not minimum <= value <= maximum:  # type: ignore[operator]
        raise Refusal(400, f"{field} must be a number from {minimum} to {maximum}")
    return float(value)  # type: ignore[arg-type]


def whole_number(value: object, field: str, minimum: int, maximum: int) -> int:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or not minimum <= value <= maximum:  # type: ignore[operator]
        raise Refusal(400, f"{field} must be a whole number from {minimum} to {maximum}")
    return int(value)  # type: ignore[call-overload, no-any-return]


def hangup_cause(value: object, field: str) -> int:
    if not isinstance(value, int) or value not in HANGUP_CAUSES:
        raise Refusal(400, f"{field} must be a hangup cause code of Plivo, such as 3010")
    return value

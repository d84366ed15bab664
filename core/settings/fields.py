"""Fields of the Settings class. Each keeps the rule that an error text quotes ("must be …")."""

from decimal import Decimal
from typing import Any

from pydantic import Field


def number(default: float | Decimal, low: float, high: float, *, why: str = "") -> Any:
    """A number from `low` to `high`, both allowed; `why` is added to the rule."""
    kind = "a whole number" if isinstance(default, int) else "a number"
    rule = f"{kind} from {low:,} to {high:,}{why}"
    return Field(default, ge=low, le=high, json_schema_extra={"rule": rule})


def optional(rule: str, **limits: Any) -> Any:
    """A setting that is None when it is not set."""
    return Field(None, json_schema_extra={"rule": rule}, **limits)

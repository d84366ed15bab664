"""A value from Plivo that was left out because it could not be read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The name of its field, and the value as it may be logged."""

    field: str
    shown: str

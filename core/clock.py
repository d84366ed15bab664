"""The time, as a port: tests move it, nothing else replaces it."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Whoever needs the present asks this."""

    def now(self) -> datetime:
        """The present, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def to_ms(moment: datetime) -> int:
    """Unix milliseconds: how moments are written in Redis and JSON."""
    return round(moment.timestamp() * 1000)


def from_ms(moment_ms: int | str) -> datetime:
    """The aware UTC moment of Unix milliseconds."""
    return datetime.fromtimestamp(int(moment_ms) / 1000, UTC)

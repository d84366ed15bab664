"""The clock, as a port that tests replace, and conversions of times."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

#: In place of a time that would be negative.
CLOCKS_DIFFER = "clocks differ"


class Clock(Protocol):
    """Gives the current time."""

    def now(self) -> datetime:
        """The present, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def elapsed(start: datetime, end: datetime) -> timedelta | None:
    """The time from what came first to what followed it. None where `end` is earlier: then two
    clocks wrote them, ours and Plivo's or a carrier's, and these differ."""
    return end - start if end >= start else None


#: Moments outside this range are refused: some zone or unit of them would overflow.
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def is_sane(moment: datetime) -> bool:
    """Whether an aware moment can be one of ours: of the years 2000 to 2199."""
    return _EARLIEST <= moment < _LATEST


def to_ms(moment: datetime) -> int:
    """Unix milliseconds: how moments are written in Redis and JSON."""
    return round(moment.timestamp() * 1000)


def duration_ms(duration: timedelta) -> int:
    """Whole milliseconds: how durations are written in Redis and JSON."""
    return round(duration / timedelta(milliseconds=1))


def from_ms(moment_ms: int | str) -> datetime:
    """The aware UTC moment of Unix milliseconds."""
    return datetime.fromtimestamp(int(moment_ms) / 1000, UTC)


def read_ms(stored: str) -> datetime:
    """`from_ms` of a stored text. Raises ValueError for what is no moment of ours."""
    try:
        moment = from_ms(stored)
    except (OverflowError, OSError) as error:
        raise ValueError("no moment") from error
    if not is_sane(moment):
        raise ValueError("no moment of ours")
    return moment

"""The empty states of the Delivery page: which one applies, and its sentence."""

from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from core.figures.filters import Filters
from core.figures.rates import ENOUGH
from core.model.errors import StoreUnavailable
from core.wording.formats import clock, counted, duration

#: No request for so long is worth a word, if it is also so many times the mean gap between two: at
#: constant traffic, one gap of a thousand is that long.
_QUIET, _GAPS = timedelta(hours=1), 7


class Empty(StrEnum):
    """The empty states of a page of figures."""

    NO_TRAFFIC = "no_traffic"
    FILTERED = "filtered"
    NOT_CONFIGURED = "not_configured"
    TOO_FEW = "too_few"
    QUIET = "quiet"
    UNREACHABLE = "unreachable"


EMPTY_WORDS = {
    Empty.NO_TRAFFIC: "No code was requested in this range. Choose a longer one.",
    Empty.FILTERED: "There is traffic in this range, but none matches the filters. Clear them.",
    Empty.NOT_CONFIGURED: "No code has been sent yet. Verify a number, and it shows up here "
    "within a second.",
    Empty.TOO_FEW: "Only {n} in this range (n={count}): too few for a rate. The counts are below.",
    Empty.QUIET: "No code was requested in the last {lag}. In this range the mean time between two "
    "is {gap}.",
    Empty.UNREACHABLE: "The figures cannot be read. {cause} {last} {remedy}",
}


def empty_state(
    requested: int,
    filters: Filters,
    *,
    ever: bool,
    unfiltered: int,
    length: timedelta,
    lag: timedelta | None,
) -> tuple[Empty, str] | None:
    """The empty state that applies, with its sentence; None where there is enough traffic.

    `requested` under the filters and `unfiltered`, in a range of this `length`; `lag`: the age of
    the newest request, None for a range that is over: new attempts are not part of it.
    """
    if not ever:
        return Empty.NOT_CONFIGURED, EMPTY_WORDS[Empty.NOT_CONFIGURED]
    if not requested:
        kind = Empty.FILTERED if unfiltered and not filters.is_empty else Empty.NO_TRAFFIC
        return kind, EMPTY_WORDS[kind]
    if requested < ENOUGH:
        n = counted(requested, "attempt")
        return Empty.TOO_FEW, EMPTY_WORDS[Empty.TOO_FEW].format(n=n, count=requested)
    # The two are read one after the other, and sample traffic may be removed meanwhile.
    gap = length / max(requested, unfiltered)
    if lag is not None and lag > max(_QUIET, _GAPS * gap):
        return Empty.QUIET, EMPTY_WORDS[Empty.QUIET].format(lag=duration(lag), gap=duration(gap))
    return None


def unreachable(
    error: StoreUnavailable, last_good: datetime | None, now: datetime, zone: ZoneInfo
) -> str:
    """The error text without Redis. `last_good`: when this process last read the figures."""
    last = "They have not been read since this app started."
    if last_good is not None:
        last = f"They were last good at {clock(last_good, zone, now - last_good)}."
    return EMPTY_WORDS[Empty.UNREACHABLE].format(cause=error.cause, last=last, remedy=error.remedy)


class LastGood:
    """When this process last read all figures: kept here, as Redis is not available then."""

    def __init__(self) -> None:
        self.moment: datetime | None = None

    def note(self, now: datetime) -> None:
        self.moment = now

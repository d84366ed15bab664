"""Finds the two ranges whose figures are compared: equally long, both read exactly, both covered.

The two ranges have their edges on slots of one resolution, the finest that is kept for both. So a
range of minutes that is compared with last week, of which only quarter-hours are kept, is compared
by quarter-hours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core.figures.layout import TIERS, Tier
from core.figures.ranges import Comparison, Piece, Range, comparison_range, read_range
from core.model.clock import from_ms, to_ms

_UTC = ZoneInfo("UTC")
#: How many earlier windows show the usual variation of a figure.
WINDOWS = 28


@dataclass(frozen=True, slots=True)
class Compared:
    """`now`: the part of a range that is compared; `before`: the earlier range, as long."""

    now: Range
    before: Range

    def is_of(self, period: Range) -> bool:
        """Whether `now` is the whole range, to the minute: its counts beside those of `before` are
        then of equal length."""
        minute = timedelta(minutes=1)
        return self.now.start == period.start and abs(period.end - self.now.end) < minute


def compare(
    period: Range,
    part: Range,
    comparison: Comparison,
    zone: ZoneInfo,
    now: datetime,
    first: datetime | None,
    tiers: Sequence[Tier] = TIERS,
) -> Compared | None:
    """The ranges to compare for `part` of `period`, which ends at `now` at the latest.

    None without a comparison, where the earlier range is not covered, and where both cannot be read
    with equal lengths. `first`: when the history of the figures begins, None without any.
    """
    if comparison is Comparison.NONE or first is None:
        return None
    for tier in tiers:
        aligned = _aligned(part, tier, now)
        if aligned is None:
            return None
        # Days of UTC stay so only if they are moved by the clock of UTC.
        clock = _UTC if tier is Tier.DAY else zone
        before = comparison_range(period, comparison, clock, aligned)
        if before and all(_is_exact(span, now, tiers) for span in (aligned, before)):
            return Compared(aligned, before) if first <= before.start else None
    return None


@dataclass(frozen=True, slots=True)
class Windows:
    """WINDOWS windows before a range, one after the other: their slots, and the start of each, Unix
    ms. `spans`: how many windows long the range is."""

    piece: Piece
    starts: list[int]
    spans: float


def earlier_windows(period: Range) -> Windows:
    """Windows as long as the range, in whole quarter-hours; of a range of a day or more, days of
    UTC."""
    length_ms = to_ms(period.end) - to_ms(period.start)
    tier, slots = Tier.DAY, 1
    if length_ms < Tier.DAY.slot_ms:
        tier, slots = Tier.QUARTER, max(1, length_ms // Tier.QUARTER.slot_ms)
    window_ms = slots * tier.slot_ms
    end_ms = to_ms(period.start) // tier.slot_ms * tier.slot_ms
    start_ms = end_ms - WINDOWS * window_ms
    return Windows(
        Piece(tier, start_ms, WINDOWS * slots),
        list(range(start_ms, end_ms, window_ms)),
        max(1.0, length_ms / window_ms),
    )


def _aligned(part: Range, tier: Tier, now: datetime) -> Range | None:
    """`part` with both edges moved back to slots of a tier. A part within one slot becomes that
    slot if it is over and all of it may be counted; else None."""
    slot_ms = tier.slot_ms
    start_ms = to_ms(part.start) // slot_ms * slot_ms
    end_ms = to_ms(part.end) // slot_ms * slot_ms
    if start_ms >= end_ms:
        end_ms = start_ms + slot_ms
        if part.is_ripe or part.start >= part.end or end_ms > to_ms(now):
            return None
    return Range(from_ms(start_ms), from_ms(end_ms), part.is_ripe)


def _is_exact(span: Range, now: datetime, tiers: Sequence[Tier]) -> bool:
    read = read_range(span, now, tiers)
    oldest_ms = to_ms(now) - tiers[-1].keep_ms
    return (read.start, read.end) == (span.start, span.end) and to_ms(span.start) >= oldest_ms

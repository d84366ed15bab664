"""Computes ranges of time: presets, comparison ranges, and their division into slots and steps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from core.figures.layout import TIERS, Tier
from core.model.clock import from_ms, to_ms


@dataclass(frozen=True, slots=True)
class Range:
    """From `start` to before `end`, aware, in UTC."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start


class Preset(StrEnum):
    """Ranges that have a name."""

    QUARTER = "15m"
    HOUR = "1h"
    SIX_HOURS = "6h"
    DAY = "24h"
    TODAY = "today"
    YESTERDAY = "yesterday"
    WEEK = "7d"
    MONTH = "30d"
    SEASON = "90d"


class Comparison(StrEnum):
    """How the range that a range is compared with is found."""

    NONE = "none"
    PREVIOUS = "previous"
    WEEKDAY = "weekday"  # the same weekdays a week (or as many weeks as it takes) before
    YEAR = "year"  # 364 days before: the same weekdays a year ago


_LENGTHS = {
    Preset.QUARTER: timedelta(minutes=15),
    Preset.HOUR: timedelta(hours=1),
    Preset.SIX_HOURS: timedelta(hours=6),
    Preset.DAY: timedelta(hours=24),
    Preset.WEEK: timedelta(days=7),
    Preset.MONTH: timedelta(days=30),
    Preset.SEASON: timedelta(days=90),
}
#: Up to this length a range starts at a minute; a longer one at a quarter of an hour, and from a
#: week on at midnight UTC or, in a zone, at its midnight.
_BY_MINUTE = timedelta(hours=3)
_BY_DAY = timedelta(days=7)


def preset(name: Preset, now: datetime, zone: ZoneInfo) -> Range:
    """The range of a preset at `now`. It ends now or at a midnight of the zone; it starts with a
    minute, a quarter-hour, or a day of the zone."""
    local = now.astimezone(zone)
    midnight = datetime.combine(local.date(), time(), zone)
    if name is Preset.TODAY:
        return Range(midnight.astimezone(UTC), now)
    if name is Preset.YESTERDAY:
        before = datetime.combine(local.date() - timedelta(days=1), time(), zone)
        return Range(before.astimezone(UTC), midnight.astimezone(UTC))
    length = _LENGTHS[name]
    if length >= _BY_DAY:
        # Seven days are today and the six before it.
        first = local.date() - length + timedelta(days=1)
        return Range(datetime.combine(first, time(), zone).astimezone(UTC), now)
    slot = Tier.MINUTE if length <= _BY_MINUTE else Tier.QUARTER
    return Range(from_ms(_down(to_ms(now - length), slot)), now)


def comparison_range(period: Range, comparison: Comparison, zone: ZoneInfo) -> Range | None:
    """The earlier range that `period` is compared with: of the same length, or the same local hours
    of the zone, even if its clocks changed in between."""
    match comparison:
        case Comparison.NONE:
            return None
        case Comparison.PREVIOUS:
            return Range(period.start - period.length, period.start)
        case Comparison.WEEKDAY:
            shift = timedelta(weeks=max(1, -(-period.length // timedelta(weeks=1))))
        case Comparison.YEAR:
            shift = timedelta(days=364)
    # Arithmetic on moments of a zone is arithmetic on its local time.
    start = (period.start.astimezone(zone) - shift).astimezone(UTC)
    end = (period.end.astimezone(zone) - shift).astimezone(UTC)
    # A range within a repeated or skipped local hour may end before it starts.
    return Range(start, end if start < end else start + period.length)


def between(first: datetime, second: datetime, now: datetime) -> Range:
    """The range from the earlier of two aware moments to before the later, cut to the time for
    which figures are kept."""
    # Compare before converting: moments of the first and last year may have no UTC equivalent.
    oldest = now - timedelta(milliseconds=Tier.DAY.keep_ms)
    start = min(max(min(first, second), oldest), now)
    end = min(max(first, second, oldest), now)
    return Range(start.astimezone(UTC), end.astimezone(UTC))


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive slots of one tier."""

    tier: Tier
    start_ms: int
    slots: int

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.slots * self.tier.slot_ms


def pieces(period: Range, now: datetime, tiers: Sequence[Tier] = TIERS) -> list[Piece]:
    """The slots of a range, in order: whole days, quarter-hours around them, minutes around those;
    of a histogram the tiers that it has, the finest first.
    So a query reads at most a few hundred slots, however long the range is.

    Where a tier has expired (minutes after 48 hours, quarter-hours after 35 days) or is missing,
    the whole slot of the next tier is used: the range then grows at that edge to whole
    quarter-hours or whole days, UTC.
    """
    start, end = to_ms(period.start), to_ms(period.end)
    if start >= end:
        return []
    now_ms = to_ms(now)
    start = _widened(start, now_ms, tiers, up=False)
    end = _widened(end, now_ms, tiers, up=True)
    return [*_cut(start, end, list(reversed(tiers)))]


def _widened(ms: int, now_ms: int, tiers: Sequence[Tier], *, up: bool) -> int:
    """`ms` moved outwards to the edge of the finest slot that is still kept."""
    for tier in tiers:
        edge = (-(-ms // tier.slot_ms) if up else ms // tier.slot_ms) * tier.slot_ms
        # A slot of the future is empty in every tier, so its expiry does not matter.
        if tier is tiers[-1] or now_ms < tier.expires_ms(min(edge, ms)):
            return edge
    raise AssertionError("the last tier always returns")


def _cut(start: int, end: int, tiers: list[Tier]) -> Iterator[Piece]:
    """Cut a range whose edges are edges of slots of the last tier. The coarsest tier is first."""
    tier, *finer = tiers
    first = -(-start // tier.slot_ms) * tier.slot_ms
    last = end // tier.slot_ms * tier.slot_ms
    if not finer:
        yield Piece(tier, first, (last - first) // tier.slot_ms)
    elif first >= last:
        yield from _cut(start, end, finer)
    else:
        if start < first:
            yield from _cut(start, first, finer)
        yield Piece(tier, first, (last - first) // tier.slot_ms)
        if last < end:
            yield from _cut(last, end, finer)


def steps(period: Range, now: datetime, zone: ZoneInfo) -> tuple[Tier, list[int]]:
    """The steps in which a range is drawn: the tier to read, and the edges of the steps, Unix ms,
    with the end of the last step.

    Minutes up to three hours, quarter-hours up to 36 hours, hours up to eight days, then days of
    the zone; days of UTC where the quarter-hours have expired.
    """
    start, end = to_ms(period.start), to_ms(period.end)
    if period.length <= _BY_MINUTE and to_ms(now) < Tier.MINUTE.expires_ms(start):
        return Tier.MINUTE, _edges(_down(start, Tier.MINUTE), end, Tier.MINUTE.slot_ms)
    if to_ms(now) >= Tier.QUARTER.expires_ms(start):
        return Tier.DAY, _edges(_down(start, Tier.DAY), end, Tier.DAY.slot_ms)
    quarter = Tier.QUARTER.slot_ms
    if period.length <= timedelta(hours=36):
        return Tier.QUARTER, _edges(_down(start, Tier.QUARTER), end, quarter)
    local = period.start.astimezone(zone)
    if period.length <= timedelta(days=8):
        into_hour = timedelta(
            minutes=local.minute, seconds=local.second, microseconds=local.microsecond
        )
        return Tier.QUARTER, _edges(to_ms(period.start - into_hour), end, 4 * quarter)
    edges, day = [], local.date()
    while True:
        edges.append(to_ms(datetime.combine(day, time(), zone).astimezone(UTC)))
        if edges[-1] >= end:
            return Tier.QUARTER, edges
        day += timedelta(days=1)


def _edges(start: int, end: int, step: int) -> list[int]:
    return [start + n * step for n in range(-((start - end) // step) + 1)]


def _down(ms: int, tier: Tier) -> int:
    return ms // tier.slot_ms * tier.slot_ms

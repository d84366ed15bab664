"""Computes ranges of time: presets, earlier ranges, and the slots that a range is read from.

A range is read exactly where slots of its resolution are kept: minutes for 48 hours, quarter-hours
for 100 days, days of UTC for 400 days. Elsewhere `read_range` is the range that is read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from core.figures.layout import TIERS, Tier
from core.model.clock import from_ms, to_ms

_DAY = timedelta(days=1)
_WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Range:
    """From `start` to before `end`, aware, in UTC.

    `is_ripe`: no attempt after `end` may be counted, so a slot that `end` cuts is left out. Of
    other ranges such a slot is read as a whole.

    `back`: how far back the period before is; None: as far as the range is long. `by_day`: it is
    of the same hours of earlier days, by the clock of the zone.
    """

    start: datetime
    end: datetime
    is_ripe: bool = False
    back: timedelta | None = field(default=None, compare=False)
    by_day: bool = field(default=False, compare=False)

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
BY_MINUTE = timedelta(hours=3)
_BY_DAY = timedelta(days=7)


def preset(name: Preset, now: datetime, zone: ZoneInfo) -> Range:
    """The range of a preset at `now`. It ends now or at a midnight of the zone; it starts with a
    minute, a quarter-hour, or a day of the zone."""
    local = now.astimezone(zone)
    midnight = datetime.combine(local.date(), time(), zone)
    if name is Preset.TODAY:
        return Range(midnight.astimezone(UTC), now, back=_DAY, by_day=True)
    if name is Preset.YESTERDAY:
        before = datetime.combine(local.date() - _DAY, time(), zone)
        return Range(before.astimezone(UTC), midnight.astimezone(UTC), back=_DAY, by_day=True)
    length = _LENGTHS[name]
    if length >= _BY_DAY:
        # Seven days are today and the six before it.
        first = local.date() - length + _DAY
        start = datetime.combine(first, time(), zone).astimezone(UTC)
        return Range(start, now, back=length, by_day=True)
    slot = Tier.MINUTE if length <= BY_MINUTE else Tier.QUARTER
    return Range(from_ms(_down(to_ms(now - length), slot)), now, back=length)


def comparison_range(
    period: Range, comparison: Comparison, zone: ZoneInfo, part: Range | None = None
) -> Range | None:
    """The earlier range that `period`, or a `part` of it, is compared with.

    It has the same length. Of a range of whole days it has the same hours by the clock of the zone,
    so it is an hour longer or shorter where only one of the two includes a change of clocks.
    """
    part = part or period
    by_day = period.by_day or (period.back is None and _is_midnight(period.start, zone))
    back = period.back or period.length
    if by_day and period.back is None:
        wall = _wall(period.end, zone) - _wall(period.start, zone)
        back = -(-min(wall, period.length) // _DAY) * _DAY
    elif period.back is None and back >= _DAY:
        back = -(-back // _DAY) * _DAY
    match comparison:
        case Comparison.NONE:
            return None
        case Comparison.PREVIOUS:
            if not by_day and back <= _DAY:
                return Range(part.start - back, part.end - back, part.is_ripe)
        case Comparison.WEEKDAY:
            back = -(-back // _WEEK) * _WEEK
        case Comparison.YEAR:
            back = timedelta(days=364)
    # Arithmetic on moments of a zone is arithmetic on its local time.
    start = (part.start.astimezone(zone) - back).astimezone(UTC)
    end = (part.end.astimezone(zone) - back).astimezone(UTC)
    # A range within a repeated or skipped local hour may end before it starts.
    if not by_day or end <= start:
        end = start + part.length
    return Range(start, end, part.is_ripe)


def between(first: datetime, second: datetime, now: datetime) -> Range:
    """The range from the earlier of two aware moments to before the later, cut to the time for
    which figures are kept."""
    # Cut before converting: moments of the first and last year may have no UTC equivalent. Order
    # after it: moments of one zone compare by its clock, which may have been changed between them.
    oldest = now - timedelta(milliseconds=Tier.DAY.keep_ms)
    start, end = sorted(min(max(m, oldest), now).astimezone(UTC) for m in (first, second))
    return Range(start, end)


def ripe_range(period: Range, age: timedelta, now: datetime) -> Range:
    """The part of a range whose attempts are all at least `age` old, to the minute: the part that a
    rate may judge, if an attempt needs so long to show its result."""
    ripe_until = from_ms(_down(to_ms(now - age), Tier.MINUTE))
    if period.end <= ripe_until:
        return period
    return Range(period.start, max(period.start, ripe_until), is_ripe=True)


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive slots of one tier."""

    tier: Tier
    start_ms: int
    slots: int

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.slots * self.tier.slot_ms


def read_range(period: Range, now: datetime, tiers: Sequence[Tier] = TIERS) -> Range:
    """The range that is read for `period` from these tiers, the finest first.

    An edge within a slot is moved outwards to the edge of the finest slot that is still kept; the
    end of a ripe range is moved inwards. It is not moved beyond `now`, where nothing can be counted
    yet.
    """
    start_ms, end_ms = to_ms(period.start), to_ms(period.end)
    if start_ms >= end_ms:
        return period
    now_ms = to_ms(now)
    first_ms = _edge(start_ms, now_ms, tiers, up=False)
    last_ms = _edge(end_ms, now_ms, tiers, up=not period.is_ripe)
    start = period.start if first_ms == start_ms else from_ms(first_ms)
    if last_ms == end_ms or (last_ms > end_ms >= now_ms):
        return Range(start, period.end, period.is_ripe)
    if last_ms > end_ms:
        last_ms = min(last_ms, now_ms)
    return Range(start, max(start, from_ms(last_ms)), period.is_ripe)


def pieces(period: Range, now: datetime, tiers: Sequence[Tier] = TIERS) -> list[Piece]:
    """The slots of a range, in order: whole days, quarter-hours around them, minutes around those;
    of a histogram the tiers that it has, the finest first.
    So a query reads at most a few hundred slots, however long the range is.
    """
    bounds = slot_bounds(period, now, tiers)
    return pieces_between(bounds, tiers) if bounds[0] < bounds[1] else []


def slot_bounds(period: Range, now: datetime, tiers: Sequence[Tier]) -> tuple[int, int]:
    """The first and last edge of the slots of a range, Unix ms."""
    start, end, now_ms = to_ms(period.start), to_ms(period.end), to_ms(now)
    if start >= end:
        return start, start
    first = _edge(start, now_ms, tiers, up=False)
    return first, _edge(end, now_ms, tiers, up=not period.is_ripe)


def pieces_between(edges: Sequence[int], tiers: Sequence[Tier]) -> list[Piece]:
    """The slots between consecutive edges: no piece of them spans an edge, except that neighbours
    of one tier are joined."""
    coarsest_first = list(reversed(tiers))
    joined: list[Piece] = []
    for start, end in pairwise(edges):
        for piece in _cut(start, end, coarsest_first) if start < end else ():
            if joined and joined[-1].tier is piece.tier and joined[-1].end_ms == piece.start_ms:
                last = joined.pop()
                joined.append(Piece(last.tier, last.start_ms, last.slots + piece.slots))
            else:
                joined.append(piece)
    return joined


def _edge(ms: int, now_ms: int, tiers: Sequence[Tier], *, up: bool) -> int:
    """`ms` moved to the edge of the finest slot that is still kept."""
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


def _down(ms: int, tier: Tier) -> int:
    return ms // tier.slot_ms * tier.slot_ms


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """The local time, without its zone."""
    return moment.astimezone(zone).replace(tzinfo=None)


def _is_midnight(moment: datetime, zone: ZoneInfo) -> bool:
    """Whether a day of the zone begins then; it may begin later than 00:00 where clocks change."""
    local = moment.astimezone(zone)
    return datetime.combine(local.date(), time(), zone).astimezone(UTC) == moment

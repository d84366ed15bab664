"""Divides a range into the steps in which it is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.figures.layout import TIERS, Tier
from core.figures.ranges import BY_MINUTE, Piece, Range, pieces_between, slot_bounds
from core.model.clock import from_ms, to_ms

_DAY = timedelta(days=1)
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps in which a range is drawn.

    `edges`: their edges, Unix ms, with the end of the last one. The first begins where the range
    begins, and the last ends with the range if that is over, so the steps add up to the range.
    `zone`: of their days; UTC where only days of UTC are kept. `pieces`: their slots.
    """

    edges: list[int]
    zone: ZoneInfo
    pieces: list[Piece]

    @property
    def starts(self) -> list[int]:
        return self.edges[:-1]


def steps(
    period: Range,
    now: datetime,
    zone: ZoneInfo,
    tiers: Sequence[Tier] = TIERS,
    part: Range | None = None,
) -> Steps:
    """The steps of a range, read from these tiers. With `part`, only the slots of that part.

    Minutes up to three hours, quarter-hours up to 36 hours, hours up to eight days, then days of
    the zone; days of UTC where the quarter-hours have expired.
    """
    start, end = slot_bounds(period, now, tiers)
    if start >= end:
        return Steps([start], zone, [])
    now_ms = to_ms(now)
    if not any(tier is not Tier.DAY and now_ms < tier.expires_ms(start) for tier in tiers):
        # Only days of UTC are left at the start.
        zone, regular = _UTC, _regular(start, end, Tier.DAY.slot_ms)
    elif (
        tiers[0] is Tier.MINUTE
        and period.length <= BY_MINUTE
        and now_ms < Tier.MINUTE.expires_ms(start)
    ):
        regular = _regular(start, end, Tier.MINUTE.slot_ms)
    elif period.length <= timedelta(hours=36):
        regular = _regular(start, end, Tier.QUARTER.slot_ms)
    elif period.length <= timedelta(days=8):
        local = from_ms(start).astimezone(zone)
        into_hour = timedelta(
            minutes=local.minute, seconds=local.second, microseconds=local.microsecond
        )
        regular = _regular(start, end, 4 * Tier.QUARTER.slot_ms, to_ms(local - into_hour))
    else:
        regular = _midnights(start, end, zone)
    edges = [start, *(edge for edge in regular if edge > start)]
    if end <= now_ms:
        edges[-1] = end
    first, last = slot_bounds(part or period, now, tiers)
    cut = [min(max(edge, first), last) for edge in edges]
    return Steps(edges, zone, pieces_between(cut, tiers))


def _regular(start: int, end: int, step: int, origin: int = 0) -> list[int]:
    """The edges of equal steps, counted from `origin`, from the step that holds `start` to the
    first edge that is not before `end`."""
    first = (start - origin) // step
    return [origin + step * n for n in range(first, -((origin - end) // step) + 1)]


def _midnights(start: int, end: int, zone: ZoneInfo) -> list[int]:
    day, edges = from_ms(start).astimezone(zone).date(), [start - 1]
    while edges[-1] < end:
        edges.append(to_ms(datetime.combine(day, time(), zone).astimezone(UTC)))
        day += _DAY
    return edges

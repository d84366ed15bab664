"""The counters that findings are computed from: a range in steps, and the days before it.

A range of about a day or more is compared with the 28 whole days (UTC) before it, a shorter one
with the same hours of the seven days before it. Attempts are judged when they are ripe: old enough
that what is measured has happened. Those of the past all are.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from core.figures.catalogue import COLUMNS
from core.figures.layout import TIERS, Tier
from core.figures.packing import Counts
from core.figures.ranges import Piece, Range, pieces
from core.findings.places import Bools, Floats, TrafficPlaces
from core.model.clock import from_ms, to_ms

T = TypeVar("T")

_ALL_STEPS = slice(None)
_WHOLE_DAY = timedelta(days=1)
_DAY_MS = Tier.DAY.slot_ms
_QUARTER_MS = Tier.QUARTER.slot_ms
_PAST_DAYS, _PAST_WINDOWS = 28, 7
#: From this length on, a range is compared with whole days.
_WHOLE_DAYS_FROM = timedelta(hours=20)
#: The end of a day that lasts until now is judged a second time, alone: an incident that has just
#: begun is small beside a day.
RECENT = timedelta(hours=2)
_DAY_UP_TO = timedelta(hours=36)
#: A day up to now begins with a quarter-hour, so it is up to an hour longer.
_MOST_STEPS = 25


class History:
    """The days before a range: the counters of each series, (series, days, COLUMNS).

    What is computed from them alone is kept (`once`): it serves several looks.
    """

    def __init__(
        self, places: TrafficPlaces, counts: Counts, starts: NDArray[np.int64], length: timedelta
    ) -> None:
        """`starts`: of each day, Unix ms; a day is `length` long."""
        self.places = places
        self.counts = counts
        self.starts = starts
        self.length = length
        self._kept: dict[Hashable, Any] = {}

    def once(self, key: Hashable, compute: Callable[[], T]) -> T:
        """What `compute` gives, computed once."""
        if key not in self._kept:
            self._kept[key] = compute()
        return cast(T, self._kept[key])

    def column(self, name: str) -> Floats:
        """(series, days) of a column."""

        def read() -> Floats:
            return self.counts[:, :, COLUMNS.index(name)].astype(float)

        return self.once(("column", name), read)

    @property
    def is_by_day(self) -> bool:
        """Whether it is of whole days, one after the other, up to the range."""
        return self.length == _WHOLE_DAY and len(self.starts) > 0

    @property
    def begun(self) -> Bools:
        """Whether each day is later than the first traffic: a zero before it has no meaning. The
        day of the first traffic itself may be a part of a day."""
        has_traffic = self.column("requested").sum(axis=0) > 0
        begun = np.logical_or.accumulate(has_traffic)
        begun[1:] &= begun[:-1]
        begun[:1] = False
        return begun

    @property
    def established(self) -> Bools:
        """The series that have existed for at least half of the days with traffic."""
        return self.once("established", self._established)

    def _established(self) -> Bools:
        begun = np.flatnonzero(self.begun)
        had = self.column("requested") > 0
        if not len(begun):
            return np.zeros(len(had), dtype=np.bool_)
        first = np.where(had.any(axis=1), had.argmax(axis=1), had.shape[1])
        return np.asarray(first <= begun[len(begun) // 2], dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class PlaceEvidence:
    """The counters of each series of `places`, and the days before.

    `steps`: (series, steps, COLUMNS), each step from its edge to the next, Unix ms.
    """

    places: TrafficPlaces
    edges: NDArray[np.int64]
    steps: Counts
    history: History
    _sums: dict[tuple[int, int, int], Counts] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def lengths(self) -> float:
        """How many times as long as one day of the history the range is."""
        span_ms = float(self.edges[-1] - self.edges[0])
        return span_ms / (self.history.length / timedelta(milliseconds=1))

    def ripe_steps(self, until_ms: float) -> int:
        """How many steps end by then."""
        return int((self.edges[1:] <= until_ms).sum())

    def column(self, name: str, steps: slice = _ALL_STEPS) -> Floats:
        """(series,): the sums of a column over some steps."""
        key = steps.indices(self.steps.shape[1])
        if key not in self._sums:
            # All columns at once: they are next to each other, and others are asked for next.
            self._sums[key] = self.steps[:, steps].sum(axis=1)
        column: Floats = self._sums[key][:, COLUMNS.index(name)].astype(float)
        return column

    def since(self, start_ms: int, history: History) -> "PlaceEvidence":
        """The end of the range from one of its edges on, with its own history."""
        first = int(np.searchsorted(self.edges, start_ms))
        return PlaceEvidence(self.places, self.edges[first:], self.steps[:, first:], history)


@dataclass(frozen=True, slots=True)
class PastPlan:
    """Which slots are the past of a range, and where each of its days starts."""

    pieces: list[Piece]
    starts: NDArray[np.int64]
    length: timedelta


def last_day(period: Range) -> Range:
    """The day up to the end of a range, from a quarter-hour on."""
    start_ms = to_ms(period.end - _WHOLE_DAY) // _QUARTER_MS * _QUARTER_MS
    return Range(from_ms(start_ms), period.end)


def is_part_of_day(period: Range) -> bool:
    """Whether a range is much shorter than a day."""
    return period.length < _WHOLE_DAYS_FROM


def is_beyond_day(period: Range) -> bool:
    """Whether a range is much longer than a day."""
    return period.length > _DAY_UP_TO


def lasts(period: Range, now: datetime) -> bool:
    """Whether a range lasts until now."""
    return now - period.end < timedelta(minutes=1)


def past_plan(period: Range, now: datetime) -> PastPlan:
    """The past that a range is compared with, as far as its slots are kept."""
    start, end = to_ms(period.start), to_ms(period.end)
    if not is_part_of_day(period):
        last = start // _DAY_MS * _DAY_MS
        first = last - _PAST_DAYS * _DAY_MS
        starts = np.arange(first, last, _DAY_MS)
        return PastPlan([Piece(Tier.DAY, first, _PAST_DAYS)], starts, _WHOLE_DAY)
    first, last = start // _QUARTER_MS * _QUARTER_MS, -(-end // _QUARTER_MS) * _QUARTER_MS
    slots = (last - first) // _QUARTER_MS
    days = [
        first - ago * _DAY_MS
        for ago in range(_PAST_WINDOWS, 0, -1)
        if to_ms(now) < Tier.QUARTER.expires_ms(first - ago * _DAY_MS)
    ]
    cut = [Piece(Tier.QUARTER, day, slots) for day in days]
    length = timedelta(milliseconds=last - first)
    return PastPlan(cut, np.array(days, dtype=np.int64), length)


@dataclass(frozen=True, slots=True)
class StepPlan:
    """The slots of a range and the edges of its steps. `recent_ms`: the edge from which its end is
    judged a second time, None if it is not."""

    pieces: list[Piece]
    edges: NDArray[np.int64]
    recent_ms: int | None


def step_plan(period: Range, now: datetime, cutoffs: list[datetime]) -> StepPlan:
    """Steps of a range, with an edge at each of the cut-offs: the moments up to which attempts are
    ripe. The slots from the quarter of the first cut-off on are minutes."""
    start, end, now_ms = to_ms(period.start), to_ms(period.end), to_ms(now)
    inside = sorted(ms for ms in map(to_ms, cutoffs) if start < ms < end)
    split = end
    if inside and now_ms < Tier.MINUTE.expires_ms(inside[0]):
        split = max(start, inside[0] // _QUARTER_MS * _QUARTER_MS)
    step = _step_ms(end - start)
    # Whole days are read as quarter-hours where a step is shorter, as long as these are kept.
    by_quarter = step < _DAY_MS and now_ms < Tier.QUARTER.expires_ms(start)
    cut = []
    recent = None
    if not (is_part_of_day(period) or is_beyond_day(period)) and lasts(period, now):
        recent = (end - RECENT // timedelta(milliseconds=1)) // _QUARTER_MS * _QUARTER_MS
        recent = min(recent, split)
    # Whole days end where the recent steps begin.
    first_part = split if recent is None else recent
    if start < first_part:
        tiers = TIERS[:2] if by_quarter else TIERS
        cut += pieces(Range(period.start, from_ms(first_part)), now, tiers)
    if first_part < split:
        cut += pieces(Range(from_ms(first_part), from_ms(split)), now, TIERS[:2])
    if split < end:
        cut += pieces(Range(from_ms(split), period.end), now, TIERS[:1])
    if not cut:
        return StepPlan([], np.array([start, end]), None)
    first, last = cut[0].start_ms, cut[-1].end_ms
    edges = {first, last}
    edges |= set(range(-(-first // step) * step, recent or split, step))
    if recent is not None:
        edges |= set(range(recent, split, _QUARTER_MS))
    # A cut-off within a minute: the minute is not ripe.
    edges |= {ms // Tier.MINUTE.slot_ms * Tier.MINUTE.slot_ms for ms in inside} - {start}
    if split < end:
        edges.add(split)
    return StepPlan(cut, np.array(sorted(e for e in edges if first <= e <= last)), recent)


def _step_ms(length_ms: int) -> int:
    """The length of a step: the shortest of these with which a range has few enough steps."""
    minute = Tier.MINUTE.slot_ms
    lengths = (*(minute, 15 * minute, 30 * minute, 60 * minute), *(180 * minute, 360 * minute))
    fitting = [step for step in lengths if length_ms <= _MOST_STEPS * step]
    return fitting[0] if fitting else _DAY_MS

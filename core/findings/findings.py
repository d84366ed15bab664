"""Reads the figures of a range and of the days before it, and gives the verdict on them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock

import numpy as np

from core.figures.answer_cache import AnswerCache, cached
from core.figures.catalogue import COLUMNS
from core.figures.filters import ALL, Filters
from core.figures.layout import Cube, Tier
from core.figures.queries import Queries
from core.figures.ranges import Piece, Range, pieces
from core.findings.causes import Cause, DeliveryVerdict
from core.findings.combining import combined
from core.findings.edges import Refine, recounted, refined_end, refined_start
from core.findings.evidence import (
    History,
    PastPlan,
    PlaceEvidence,
    is_beyond_day,
    is_part_of_day,
    last_day,
    lasts,
    past_plan,
    step_plan,
)
from core.findings.leaves import MOST_CARRIERS, Leaves, leaves
from core.findings.places import TrafficPlace, TrafficPlaces
from core.findings.verdict import Cutoffs, causes, outcome
from core.model.clock import Clock, from_ms, to_ms
from core.model.series import Series

#: Ranges that end within this time of each other share an answer.
_SAME_END = timedelta(seconds=10)
#: How long a history and a choice of carriers are used again, and how many of each.
_HISTORY_AGE = timedelta(minutes=1)
_MOST_HISTORIES = 6


@dataclass(frozen=True, slots=True)
class _Look:
    """What was found in a range."""

    causes: tuple[Cause, ...]
    compared_days: int


@dataclass(frozen=True, slots=True)
class _SeriesRead:
    """All carriers with traffic, the series that are read for them, and their places."""

    at: datetime
    carriers: list[Series]
    leaves: Leaves
    places: TrafficPlaces


class Findings:
    """Every method raises StoreUnavailable. `is_loading`: whether sample traffic is being loaded or
    removed. Its days come one by one, the newest first, so what is usual in a place looks new."""

    def __init__(
        self, queries: Queries, clock: Clock, is_loading: Callable[[], bool] = lambda: False
    ) -> None:
        self._queries = queries
        self._clock = clock
        self._is_loading = is_loading
        self._reads: dict[datetime | None, _SeriesRead] = {}
        self._histories: dict[tuple[bytes, timedelta], tuple[datetime, History]] = {}
        self._lock = Lock()
        self.answers: AnswerCache = queries.answers
        self.settle: Callable[[], None] = queries.settle

    def verdict(self, period: Range, filters: Filters = ALL) -> DeliveryVerdict:
        """The verdict on a range. All traffic is judged, also with filters: they leave only the
        incidents that concern them."""
        end_ms = to_ms(period.end)
        end_ms -= end_ms % (_SAME_END // timedelta(milliseconds=1))
        is_loading = self._is_loading()
        if is_loading:
            look = _Look((), 0)
            # What was read of the days before is soon something else.
            self._forget()
        else:
            look = self._look(Range(period.start, max(from_ms(end_ms), period.start)))
        selected = (filters.channel, filters.country, filters.carrier)
        sums = self._queries.totals(self._queries.ripe(period, "confirmed"), filters)
        requested = int(self._queries.totals(period, filters)["requested"])
        return outcome(
            int(sums["confirmed"]),
            int(sums["requested"]),
            [cause for cause in look.causes if cause.place.overlaps(*selected)],
            look.compared_days,
            max(requested - int(sums["requested"]), 0),
            is_loading=is_loading,
        )

    def _forget(self) -> None:
        with self._lock:
            self._histories.clear()

    @cached
    def _look(self, period: Range) -> _Look:
        """Incidents are searched in the longest range first, and then in what it leaves
        unexplained of the shorter one: a range of hours shows too little of an incident that began
        before it, and an incident that has just begun is small beside a month."""
        now, day = self._clock.now(), last_day(period)
        since = min(_earliest(past_plan(part, now), part) for part in (period, day))
        series = self._series(since, day if is_part_of_day(period) else period)
        if is_part_of_day(period):
            known = [
                cause
                for cause in self._look(day).causes
                if cause.overlaps(period.start, period.end)
            ]
            return self._searched(period, series, known)
        look = self._searched(period, series)
        if is_beyond_day(period) and lasts(period, now):
            causes = self._searched(day, series, look.causes).causes
            return replace(look, causes=causes)
        return look

    def _searched(self, period: Range, series: _SeriesRead, known: Sequence[Cause] = ()) -> _Look:
        """The `known` incidents of a range, and those that they do not explain."""
        now = self._clock.now()
        ages = [self._queries.ripeness.age(name) for name in ("within_60", "converted")]
        moments = [now - age for age in ages]
        plan = step_plan(period, now, moments)
        before = past_plan(period, now)
        if not series.carriers or not plan.pieces:
            return _Look(tuple(known), 0)
        evidence = PlaceEvidence(
            series.places,
            plan.edges,
            series.leaves.read(self._queries, plan.pieces, plan.edges[:-1].tolist()),
            self._history(series, before),
        )
        arrival_ms, ripe_ms = (float(to_ms(moment)) for moment in moments)
        cutoffs = Cutoffs(answer=np.inf, arrival=arrival_ms, ripe=ripe_ms)
        incidents = self._combined(causes(evidence, cutoffs, known), known, evidence)
        if plan.recent_ms is not None:
            recent = past_plan(Range(from_ms(plan.recent_ms), period.end), now)
            end = evidence.since(plan.recent_ms, self._history(series, recent))
            incidents = self._combined(causes(end, cutoffs, incidents), incidents, end)
        return _Look(tuple(incidents), int(evidence.history.begun.sum()))

    def _combined(
        self, incidents: list[Cause], known: Sequence[Cause], evidence: PlaceEvidence
    ) -> list[Cause]:
        """The known incidents, and those found in the evidence with their exact
        edges."""
        return [
            cause if cause in known else self._dated(cause, evidence)
            for cause in combined(incidents, known)
        ]

    def _history(self, series: _SeriesRead, plan: PastPlan) -> History:
        """The days before a range, read again after _HISTORY_AGE: they hardly change."""
        key = (plan.starts.tobytes(), plan.length)
        now = self._clock.now()
        with self._lock:
            read_at, history = self._histories.get(key, (now, None))
        is_new = timedelta() <= now - read_at < _HISTORY_AGE
        if history is not None and history.places is series.places and is_new:
            return history
        starts = plan.starts.tolist()
        counts = np.zeros((len(series.places.names), 0, len(COLUMNS)), dtype=np.int64)
        if starts:
            counts = series.leaves.read(self._queries, plan.pieces, starts)
        history = History(series.places, counts, plan.starts, plan.length)
        with self._lock:
            self._histories[key] = now, history
            while len(self._histories) > _MOST_HISTORIES:
                self._histories.pop(next(iter(self._histories)))
        return history

    def _series(self, since: datetime, period: Range) -> _SeriesRead:
        """The series with traffic since then, as they were last read if the carriers are the same.
        A choice of carriers is made again after _HISTORY_AGE."""
        carriers = self._queries.series_since(Cube.CARRIER, since)
        now = self._clock.now()
        is_choice = len(carriers) > MOST_CARRIERS
        key = period.start if is_choice else None
        with self._lock:
            read = self._reads.get(key)
        if read and read.carriers == carriers:
            is_new = timedelta() <= now - read.at < _HISTORY_AGE
            if is_new or not is_choice:
                return read
        series = leaves(self._queries, carriers, since, period)
        read = _SeriesRead(now, carriers, series, TrafficPlaces(series.names))
        with self._lock:
            self._reads[key] = read
            while len(self._reads) > _MOST_HISTORIES:
                self._reads.pop(next(iter(self._reads)))
        return read

    def _dated(self, cause: Cause, evidence: PlaceEvidence) -> Cause:
        """The cause with the exact moments of its beginning and its end, from the finest slots that
        are kept."""
        start_ms, end_ms = int(evidence.edges[0]), int(evidence.edges[-1])
        since_ms = to_ms(cause.since)
        span_ms = step_ms = int(np.diff(evidence.edges).max())
        is_by_day = evidence.history.is_by_day
        if since_ms < start_ms or (since_ms == start_ms and is_by_day):
            span_ms = Tier.DAY.slot_ms
        # The numbers of a cause are of the range, and of whole days before it if there are.
        bounds = (0 if is_by_day else start_ms, end_ms)
        since_ms = self._refined(cause, refined_start, since_ms, span_ms, bounds)
        cause = replace(cause, since=from_ms(since_ms))
        if cause.until is None:
            return cause
        until_ms = to_ms(cause.until)
        until_ms = self._refined(cause, refined_end, until_ms, step_ms, (since_ms, end_ms))
        cut = pieces(Range(from_ms(since_ms), from_ms(until_ms)), self._clock.now())
        cause = replace(cause, until=from_ms(until_ms))
        return recounted(cause, self._course(cause.place, cut, [cut[0].start_ms]))

    def _refined(
        self, cause: Cause, refine: Refine, edge_ms: int, span_ms: int, bounds: tuple[int, int]
    ) -> int:
        """An edge of a cause among the finer slots that are at most `span_ms` away from it."""
        for tier in (Tier.QUARTER, Tier.MINUTE):
            first = max(edge_ms - span_ms, bounds[0]) // tier.slot_ms
            last = min(edge_ms + span_ms, bounds[1]) // tier.slot_ms
            if last <= first or to_ms(self._clock.now()) >= tier.expires_ms(first * tier.slot_ms):
                break
            starts = [slot * tier.slot_ms for slot in range(first, last)]
            counts = self._course(cause.place, [Piece(tier, starts[0], len(starts))], starts)
            edge_ms = refine(cause, counts, np.array(starts), tier.slot_ms)
            span_ms = 2 * tier.slot_ms
        return edge_ms

    def _course(
        self, place: TrafficPlace, cut: Sequence[Piece], starts: Sequence[int]
    ) -> np.ndarray:
        period = Range(from_ms(cut[0].start_ms), from_ms(cut[-1].end_ms))
        filters = Filters(place.channel, place.country, place.carrier)
        return self._queries.course(period, filters, cut, starts)


def _earliest(plan: PastPlan, period: Range) -> datetime:
    return from_ms(int(plan.starts[0])) if len(plan.starts) else period.start

"""When an incident began and ended, and what it cost."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.figures.catalogue import COLUMNS
from core.findings.causes import Cause, CauseKind
from core.findings.change_point import Interval, best_interval, change_interval
from core.findings.evidence import PlaceEvidence
from core.findings.places import Bools, Floats, TrafficPlace
from core.findings.shares import DEFINITIONS, Expectation, Share
from core.model.clock import from_ms

_SURE = 2.0
#: The kinds that lose verifications and money.
_LOSING = {CauseKind.UNCLEAR, CauseKind.LOSES, CauseKind.PUMPING, CauseKind.SLOW}
#: What the attempts cost that brought the right code, or may have.
_COST_OF_USE = ("cost_verified_micros", "cost_unattributed_micros")


@dataclass(frozen=True, slots=True)
class Course:
    """The counters of one place over time: whole days of the past, if there are, then the steps of
    the range up to `ripe_ms`. `begins`: where the range begins."""

    counts: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    begins: int

    def column(self, name: str) -> Floats:
        return self.counts[:, COLUMNS.index(name)].astype(float)

    def since(self, interval: Interval) -> datetime:
        return from_ms(int(self.starts[interval.first]))

    def until(self, interval: Interval) -> datetime | None:
        """The end of an interval; None if attempts after it are not ripe or do not exist."""
        after = self.counts[interval.last + 1 :, COLUMNS.index("requested")]
        return from_ms(int(self.ends[interval.last])) if after.sum() else None


def course(
    evidence: PlaceEvidence, place: int, ripe_ms: float = np.inf, known: Bools | None = None
) -> Course:
    """The course of a place, without its `known` series."""
    members = evidence.places.members(place)
    if known is not None:
        members &= ~known
    ripe = evidence.ripe_steps(ripe_ms)
    counts = evidence.steps[members, :ripe].sum(axis=0)
    starts, ends = evidence.edges[:ripe], evidence.edges[1 : ripe + 1]
    history = evidence.history
    if not history.is_by_day:
        return Course(counts, starts, ends, 0)
    past = history.counts[members].sum(axis=0)
    edges = np.append(history.starts, evidence.edges[0])
    return Course(
        np.concatenate([past, counts]),
        np.concatenate([edges[:-1], starts]),
        np.concatenate([edges[1:], ends]),
        len(past),
    )


def share_interval(course: Course, share: Share, usual: float) -> Interval | None:
    """When a share was higher than usual: the interval that reaches into the range, None if none
    does."""
    definition = DEFINITIONS[share]
    n = definition.n(course.column)
    k = np.minimum(definition.k(course.column), n)
    usuals = np.full(len(n), np.clip(usual, 5e-4, 0.9995))
    interval = change_interval(k, n, usuals)
    if interval is None or interval.last < course.begins:
        # An earlier incident is larger than the one of the range.
        interval = change_interval(k[course.begins :], n[course.begins :], usuals[course.begins :])
        if interval is not None:
            interval = Interval(*(step + course.begins for step in interval))
    return interval


class ExpensiveInterval(NamedTuple):
    """An interval with a higher price: the cost of its priced attempts, in US dollars, and the
    usual price of one."""

    interval: Interval
    cost: float
    priced: float
    usual: float


def price_interval(course: Course, usual: float, ratio: float) -> ExpensiveInterval | None:
    """When a price was nearer to the new one than to the usual one. `ratio`: of the two, at least;
    the interval has its own, which is higher."""
    cost, priced = course.column("cost_micros") / 1e6, course.column("priced")
    expensive = None
    for _ in range(2):
        interval = best_interval(cost - priced * usual * (1 + ratio) / 2)
        if interval is None:
            return expensive
        inside = slice(interval.first, interval.last + 1)
        expensive = ExpensiveInterval(
            interval, float(cost[inside].sum()), float(priced[inside].sum()), usual
        )
        ratio = expensive.cost / (expensive.priced * usual) if expensive.priced else ratio
    return expensive


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual in a place: the share that is tested, the share of verifications that do not
    succeed, the part of the cost that is wasted. `is_new`: nothing was requested there."""

    share: float
    unconverted: float
    waste: float
    is_new: bool


def size(
    course: Course,
    kind: CauseKind,
    share: Share,
    place: TrafficPlace,
    interval: Interval,
    usual: Usual,
) -> Cause:
    """The cause with its numbers in an interval of the place's course."""
    inside = slice(interval.first, interval.last + 1)
    definition = DEFINITIONS[share]
    n = definition.n(course.column)[inside].sum()
    k = min(definition.k(course.column)[inside].sum(), n)
    has_loss = kind in _LOSING
    return Cause(
        kind=kind,
        place=place,
        since=course.since(interval),
        until=course.until(interval),
        k=float(k),
        n=float(n),
        usual=usual.share,
        lost=lost_verifications(course, interval, usual.unconverted) if has_loss else 0,
        money=wasted(course, interval, usual.waste) if has_loss else None,
        is_new=usual.is_new,
        requested=int(course.column("requested")[inside].sum()),
        converted=int(course.column("converted")[inside].sum()),
        measure=share,
    )


def lost_verifications(course: Course, interval: Interval, usual: float) -> int:
    """How many verifications more than usual did not succeed; 0 within chance. `usual`: the share
    that does not."""
    inside = slice(interval.first, interval.last + 1)
    started = course.column("started")[inside].sum()
    lost = started * (1 - usual) - course.column("converted")[inside].sum()
    return round(lost) if lost > _SURE * np.sqrt(started * usual * (1 - usual)) + 0.5 else 0


def wasted(course: Course, interval: Interval, usual_waste: float) -> float | None:
    """US dollars for attempts without a right code, beyond the usual part of what is spent. An
    attempt without a price counts as the others; None if none has a price."""
    inside = slice(interval.first, interval.last + 1)
    names = ("cost_micros", "priced", "accepted")
    cost, priced, accepted = (course.column(name)[inside].sum() for name in names)
    of_use = sum(course.column(name)[inside].sum() for name in _COST_OF_USE)
    if not priced or not cost:
        return None
    complete = max(1.0, accepted / priced)
    return float(max(0.0, cost - of_use - usual_waste * cost) * complete / 1e6)


def with_seconds(
    cause: Cause, evidence: PlaceEvidence, course: Course, interval: Interval, place: int
) -> Cause:
    """The cause with the number of seconds that shows best that codes are slow: `k` of `n` took
    longer."""
    inside = slice(interval.first, interval.last + 1)
    members = evidence.places.members(place)
    delivered = course.column("delivered")[inside].sum()
    past = evidence.history.column("delivered")[members].sum()
    choices = []
    for seconds in (60, 30, 10):
        name = f"within_{seconds}"
        longer = delivered - course.column(name)[inside].sum()
        usual = cause.usual
        if past:
            usual = 1 - evidence.history.column(name)[members].sum() / past
        choices.append((longer - usual * delivered, longer, usual, seconds))
    _, longer, usual, seconds = max(choices)
    return replace(cause, k=float(longer), n=float(delivered), usual=float(usual), seconds=seconds)


def usual_share(expected: Expectation, evidence: PlaceEvidence, place: int) -> float:
    """The expected share of a place."""
    members = evidence.places.members(place)
    n = expected.n[members]
    if not n.sum():
        return float(expected.q[members].mean())
    return float((n * expected.q[members]).sum() / n.sum())


def usual_waste(evidence: PlaceEvidence, place: int) -> float:
    """The part of the cost that was for codes that were not entered, in the past of a place."""
    members = evidence.places.members(place)
    cost = evidence.history.column("cost_micros")[members].sum()
    of_use = sum(evidence.history.column(name)[members].sum() for name in _COST_OF_USE)
    return float(1 - of_use / cost) if cost else 0.0

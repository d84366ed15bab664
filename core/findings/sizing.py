"""When an incident began and ended, and what it cost."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from core.figures.catalogue import COLUMNS
from core.findings.change_point import Interval, best_interval, change_interval
from core.findings.evidence import Evidence
from core.findings.places import Floats
from core.findings.shares import DEFINITIONS, Expectation, Share
from core.model.clock import from_ms

_SURE = 2.0


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


def course(evidence: Evidence, place: int, ripe_ms: float = np.inf) -> Course:
    """The course of a place."""
    members = evidence.places.members(place)
    ripe = evidence.edges[1:] <= ripe_ms
    counts = evidence.steps[members][:, ripe].sum(axis=0)
    starts, ends = evidence.edges[:-1][ripe], evidence.edges[1:][ripe]
    if not evidence.is_by_day:
        return Course(counts, starts, ends, 0)
    past = evidence.past[members].sum(axis=0)
    edges = np.append(evidence.past_edges, starts[:1])
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
        interval = change_interval(
            k[course.begins :], n[course.begins :], usuals[course.begins :]
        )
        if interval is not None:
            interval = Interval(*(step + course.begins for step in interval))
    return interval


def price_interval(course: Course, usual: float, ratio: float) -> Interval | None:
    """When a price was nearer to the new one than to the usual one."""
    cost, priced = course.column("cost_micros") / 1e6, course.column("priced")
    return best_interval(cost - priced * usual * (1 + ratio) / 2)


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
    names = ("cost_micros", "cost_verified_micros", "priced", "accepted")
    cost, verified, priced, accepted = (course.column(name)[inside].sum() for name in names)
    if not priced or not cost:
        return None
    complete = max(1.0, accepted / priced)
    return float(max(0.0, cost - verified - usual_waste * cost) * complete / 1e6)


def usual_share(expected: Expectation, evidence: Evidence, place: int) -> float:
    """The expected share of a place."""
    members = evidence.places.members(place)
    n = expected.n[members]
    if not n.sum():
        return float(expected.q[members].mean())
    return float((n * expected.q[members]).sum() / n.sum())


def usual_waste(evidence: Evidence, place: int) -> float:
    """The part of the cost that was for codes that were not entered, in the past of a place."""
    members = evidence.places.members(place)
    cost = evidence.past_column("cost_micros")[members].sum()
    verified = evidence.past_column("cost_verified_micros")[members].sum()
    return float(1 - verified / cost) if cost else 0.0

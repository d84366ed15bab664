"""A dry run: what the rules would have said of a time that is over."""

from collections import defaultdict
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from core.alerts.hours import QUARTER_MS
from core.alerts.records import Place, leaders
from core.alerts.rules import Hours, Judged, Measure, Rule, judge
from core.alerts.states import Standing, step
from core.model.clock import from_ms


@dataclass(frozen=True, slots=True)
class Fired:
    """An alert that would have been: from when to when; `until` is None where it would go on."""

    series: str
    measure: Measure
    rule: Rule
    at: datetime
    until: datetime | None
    under: str = ""


@dataclass(frozen=True, slots=True)
class DryRun:
    """What the rules would have said of a range. `moments` in the order of time; `fired` counts
    those that no other one explains. `checks` is how many there would have been."""

    fired: int
    moments: list[Fired]
    checks: int


def replay(series: Sequence[str], hours: Hours, first: int, wanted: Container[str]) -> DryRun:
    """Run the rules over hours that end with each quarter from `first` on, and tell what they say
    of the wanted series. All are judged, because a country is compared with its channel too."""
    fired = [
        one
        for judged in judge(hours)
        # A series that was never bad raised no alert.
        for row in np.flatnonzero(judged.bad.any(axis=1)).tolist()
        if series[row] in wanted
        for one in _replayed(judged, row, series[row], first)
    ]
    moments = sorted(_explained(fired), key=lambda one: (one.at, one.series, one.measure))
    checks = hours.requested.shape[1]
    return DryRun(sum(not one.under for one in moments), moments, checks)


def _replayed(judged: Judged, row: int, series: str, first: int) -> Iterator[Fired]:
    """The alerts of one series, moment by moment."""
    checks = judged.bad.shape[1]
    over = 0
    for begins in np.flatnonzero(judged.bad[row]).tolist():
        # Nothing comes of what is not bad until something is.
        if begins < over:
            continue
        standing = Standing()
        alert: Fired | None = None
        for over in range(begins, checks):
            standing = step(standing, judged.finding(row, over))
            at = from_ms((first + over) * QUARTER_MS)
            # What raises an alert is bad, so it has a rule.
            if alert is None and standing.state.is_alert and (rule := judged.rule(row, over)):
                alert = Fired(series, judged.measure, rule, at, None)
            if standing.state.is_quiet:
                if alert is not None:
                    yield replace(alert, until=at)
                break
        else:
            if alert is not None:
                yield alert
            return


def _explained(fired: Sequence[Fired]) -> Iterator[Fired]:
    """With each alert put under another one that was at the same time."""
    by_place: defaultdict[Place, list[Fired]] = defaultdict(list)
    for one in fired:
        by_place[one.series, one.measure].append(one)
    for one in fired:
        found = (
            place[0]
            for place in leaders(one.series, one.measure)
            if any(_overlap(one, other) for other in by_place[place])
        )
        yield replace(one, under=next(found, ""))


def _overlap(one: Fired, other: Fired) -> bool:
    return (other.until is None or one.at < other.until) and (
        one.until is None or other.at < one.until
    )

"""A dry run: the alerts that the rules would have raised in the past."""

from collections import defaultdict
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from core.alerts.hours import QUARTER_MS
from core.alerts.records import Place, leaders
from core.alerts.rules import Hours, Judgement, Measure, Rule, judge
from core.alerts.states import Standing, step
from core.model.clock import from_ms
from core.model.series import NO_SERIES, Series


@dataclass(frozen=True, slots=True)
class ReplayedAlert:
    """An alert of the dry run, from `at` to `until`; `until` is None if it would still fire."""

    series: Series
    measure: Measure
    rule: Rule
    at: datetime
    until: datetime | None
    under: Series = NO_SERIES


@dataclass(frozen=True, slots=True)
class DryRun:
    """The result of a dry run. `moments` are in the order of time; `fired` counts those that no
    other explains. `checks` is the number of checks."""

    fired: int
    moments: list[ReplayedAlert]
    checks: int


def replay(series: Sequence[Series], hours: Hours, first: int, selected: Container[str]) -> DryRun:
    """Run the rules over hours that end with each quarter from `first` on, and return the alerts of
    the selected series. All series are judged, because a country is compared with its channel."""
    fired = [
        one
        for judged in judge(hours)
        # Only a series with a bad hour can raise an alert.
        for row in np.flatnonzero(judged.bad.any(axis=1)).tolist()
        if series[row] in selected
        for one in _replayed(judged, row, series[row], first)
    ]
    moments = sorted(_explained(fired), key=lambda alert: (alert.at, alert.series, alert.measure))
    checks = hours.requested.shape[1]
    return DryRun(sum(not one.under for one in moments), moments, checks)


def _replayed(judged: Judgement, row: int, series: Series, first: int) -> Iterator[ReplayedAlert]:
    """The alerts of a series, in the order of time."""
    checks = judged.bad.shape[1]
    over = 0
    for begins in np.flatnonzero(judged.bad[row]).tolist():
        # Only a bad hour starts an alert.
        if begins < over:
            continue
        standing = Standing()
        alert: ReplayedAlert | None = None
        for over in range(begins, checks):
            standing = step(standing, judged.finding(row, over))
            at = from_ms((first + over) * QUARTER_MS)
            # The hour that raises an alert is bad, so it has a rule.
            if alert is None and standing.state.is_alert and (rule := judged.rule(row, over)):
                alert = ReplayedAlert(series, judged.measure, rule, at, None)
            if standing.state.is_quiet:
                if alert is not None:
                    yield replace(alert, until=at)
                break
        else:
            if alert is not None:
                yield alert
            return


def _explained(fired: Sequence[ReplayedAlert]) -> Iterator[ReplayedAlert]:
    """Sets `under` of each alert that another one at the same time explains."""
    by_place: defaultdict[Place, list[ReplayedAlert]] = defaultdict(list)
    for alert in fired:
        by_place[alert.series, alert.measure].append(alert)
    for alert in fired:
        series = (
            place[0]
            for place in leaders(alert.series, alert.measure)
            if any(_overlap(alert, other) for other in by_place[place])
        )
        yield replace(alert, under=next(series, NO_SERIES))


def _overlap(alert: ReplayedAlert, other: ReplayedAlert) -> bool:
    return (other.until is None or alert.at < other.until) and (
        alert.until is None or other.at < alert.until
    )

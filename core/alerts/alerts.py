"""Checks every quarter of an hour the last 60 minutes of each channel and of its countries.

`rules` judges an hour, `states` turns judgements into alerts, `hours` reads the figures. This
module runs the check on time, once for all processes, and stores its result.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np

from core.alerts.hours import QUARTER_MS, READ, HourReader
from core.alerts.notifications import SILENT, Announcer, notifications
from core.alerts.records import (
    UNREADABLE,
    AlertCheck,
    AlertStatus,
    StoredStatus,
    Transition,
    by_severity,
    transition_from_json,
    transition_to_json,
    with_leaders,
)
from core.alerts.replay import DryRun, replay
from core.alerts.rules import WEEKS, Hours, Measure, alpha, detectable_drop, judge
from core.alerts.snoozes import Snoozes
from core.alerts.states import AlertState, Standing, after_missed_checks, step
from core.figures.layout import Tier
from core.figures.packing import Counts
from core.model.clock import Clock, duration_ms, from_ms, to_ms
from core.model.series import Series
from core.store.client import Client
from core.store.failures import WatchError
from core.store.keys import Keys
from core.store.left_out import LeftOut
from core.webhooks.alert_event import AlertEvent, queue_alerts

log = logging.getLogger(__name__)

#: An hour is judged this long after its end: by then "within 60 seconds" is known, and nearly all
#: codes that arrive have arrived.
MATURITY = timedelta(minutes=2)
KEEP = timedelta(days=35)
MOST_KEPT = 1000
#: A series is checked until it has had no attempt for this long.
WATCHED = timedelta(weeks=WEEKS)
#: If the process that does a check dies, another one does it after this.
_TURN = timedelta(minutes=1)


class AlertWindow(Protocol):
    """An interval of aware times: a `Range` of the queries."""

    @property
    def start(self) -> datetime: ...
    @property
    def end(self) -> datetime: ...


class SeriesFilter(Protocol):
    """Selects series: the `Filters` of the queries. There are no alerts of carriers."""

    @property
    def channel(self) -> str | None: ...
    @property
    def country(self) -> str | None: ...


class Alerts:
    """Checks series, and reads the results. Any number of processes may call `check`.

    Every method raises StoreUnavailable.
    """

    def __init__(
        self,
        client: Client,
        keys: Keys,
        clock: Clock,
        hours: HourReader,
        announcer: Announcer = SILENT,
    ) -> None:
        self.snoozes = Snoozes(client, keys, clock)
        self._announcer = announcer
        self._client = client
        self._keys = keys
        self._clock = clock
        self._hours = hours
        self._left_out = LeftOut(client, keys, clock)

    def check(self) -> list[Transition]:
        """Check the newest whole hour, unless that is done; returns the changes that were stored.

        Each quarter of an hour is checked once: one process takes the turn, and its result
        replaces only the check that it is based on.
        """
        quarter = to_ms(self._clock.now() - MATURITY) // QUARTER_MS
        stored = self._client.get(self._keys.alert_check)
        before = self._read(stored)
        if before.quarter >= quarter:
            return []
        turn = self._keys.alert_turn(quarter)
        if not self._client.set(turn, "1", nx=True, px=_TURN):
            return []
        check = self._next(before, quarter)
        changes = _changes(before, check)
        news, kept = notifications(before.kept, check.kept, self.snoozes.active())
        now = self._clock.now()
        events = [event for one in news for event in self._announcer.events(one, now)]
        if not self._write(stored, replace(check, kept=kept), changes, events):
            return []
        for change in changes:
            if AlertState.FIRING in {change.before, change.after}:
                fields = {"series": change.series, "measure": change.measure, "n": change.n}
                log.warning("alert %s", change.after, extra=fields)
        return changes

    @property
    def receiver_count(self) -> int:
        """How many receivers notifications have."""
        return len(self._announcer.receivers)

    def send_test(self) -> int:
        """Queue a test for every receiver; returns their number."""
        now = self._clock.now()
        events = self._announcer.test_events(now)
        with self._client.pipeline() as pipe:
            queue_alerts(pipe, self._keys, events, now)
            pipe.execute()
        return len(events)

    def current(self) -> list[AlertStatus]:
        """The statuses of the last check: the worst first, each followed by the alerts that it
        explains. Empty before the first check."""
        return by_severity(kept.status for kept in self._stored().kept.values())

    def checked(self) -> datetime | None:
        """The end of the last hour that was checked; None before the first check."""
        check = self._stored()
        return from_ms(check.quarter * QUARTER_MS) if check.quarter else None

    def history(self, count: int = 100) -> list[Transition]:
        """The newest changes of state, newest first; 1000 are kept, for 35 days at most."""
        entries = self._client.xrevrange(self._keys.alerts, count=count)
        transitions = (self._transition(entry.get("transition", "")) for _, entry in entries)
        return [transition for transition in transitions if transition is not None]

    def dry_run(self, span: AlertWindow, filters: SeriesFilter) -> DryRun:
        """The alerts that the current rules would have raised in this span.

        It also counts late reports, which a check at the time could not. The quarter-hours are kept
        for 35 days. Older ones neither count nor serve as a baseline: of thirty days the first have
        none, and the next are compared with fewer weeks.
        """
        now = self._clock.now()
        kept_ms = to_ms(now) - Tier.QUARTER.keep_ms
        first = -(-max(to_ms(span.start), kept_ms) // QUARTER_MS)
        last = to_ms(min(span.end, now - MATURITY)) // QUARTER_MS
        series = self._hours.series(kept_ms)
        if first > last or not series:
            return DryRun(0, [], 0)
        selected = {name for name in series if _is_selected(name, filters)}
        return replay(series, self._hours.between(series, first, last), first, selected)

    def _stored(self) -> AlertCheck:
        return self._read(self._client.get(self._keys.alert_check))

    def _read(self, stored: str | None) -> AlertCheck:
        """A stored check. An unreadable one is treated as absent: the next check replaces it."""
        try:
            return AlertCheck.from_json(stored)
        except UNREADABLE as error:
            self._left_out.record("alert check", "the last check", error)
            return AlertCheck.from_json(None)

    def _transition(self, stored: str) -> Transition | None:
        try:
            return transition_from_json(stored)
        except UNREADABLE as error:
            self._left_out.record("alert transition", stored, error)
            return None

    def _next(self, before: AlertCheck, quarter: int) -> AlertCheck:
        """Judge an hour, based on the check before."""
        since_ms = quarter * QUARTER_MS - duration_ms(WATCHED)
        series = self._hours.series(since_ms)
        if not series:
            return AlertCheck(quarter, {})
        hours, counts = self._hours.at(series, quarter)
        kept = with_leaders(_judged(series, hours, counts, before, quarter))
        return AlertCheck(quarter, {entry.place: entry for entry in kept})

    def _write(
        self,
        stored: str | None,
        check: AlertCheck,
        changes: list[Transition],
        events: list[AlertEvent],
    ) -> bool:
        """Store a check and its changes, and queue its events, in one step; False if another
        process was first."""
        with self._client.pipeline() as pipe:
            pipe.watch(self._keys.alert_check)
            if pipe.get(self._keys.alert_check) != stored:
                return False
            pipe.multi()
            pipe.set(self._keys.alert_check, check.to_json(), ex=KEEP)
            for change in changes:
                entry = {"transition": transition_to_json(change)}
                pipe.xadd(self._keys.alerts, entry, maxlen=MOST_KEPT, approximate=False)
            pipe.expire(self._keys.alerts, KEEP)
            queue_alerts(pipe, self._keys, events, self._clock.now())
            try:
                pipe.execute()
            except WatchError:
                return False
        return True


def _judged(
    series: list[Series], hours: Hours, counts: Counts, before: AlertCheck, quarter: int
) -> Iterator[StoredStatus]:
    """The new status of every measure of every series."""
    at = from_ms(quarter * QUARTER_MS)
    missed = quarter - before.quarter > 1
    for judged in judge(hours):
        drops = np.full(len(series), np.nan)
        if judged.measure is not Measure.TRAFFIC:
            n = hours.requested[:-1, 0]
            drops = detectable_drop(n, judged.baseline[:, 0], alpha(len(series)))
        for row, name in enumerate(series):
            was = before.kept.get((name, judged.measure))
            standing = was.standing if was else Standing()
            if missed:
                standing = after_missed_checks(standing)
            standing = step(standing, judged.finding(row, 0))
            goes_on = was is not None and was.status.state is standing.state
            rule = judged.rule(row, 0)
            if rule is None and was is not None and standing.state.is_alert:
                rule = was.status.rule
            status = AlertStatus(
                series=name,
                measure=judged.measure,
                state=standing.state,
                rule=rule,
                n=int(counts[row, READ.index("requested")]),
                verified=int(counts[row, READ.index("verified")]),
                observed=_number(judged.observed[row, 0]),
                baseline=_number(judged.baseline[row, 0]),
                detectable_drop=_number(drops[row]),
                since=was.status.since if was is not None and goes_on else at,
            )
            yield StoredStatus(status, standing.streak, standing.silent)


def _changes(before: AlertCheck, check: AlertCheck) -> list[Transition]:
    """The changes to store: not those between two quiet states, as when traffic pauses at night."""
    at = from_ms(check.quarter * QUARTER_MS)
    changes = []
    for place, entry in check.kept.items():
        kept = before.kept.get(place)
        was, now = kept.status.state if kept else AlertState.NO_DATA, entry.status
        if was is not now.state and not (was.is_quiet and now.state.is_quiet):
            changes.append(
                Transition(
                    at=at,
                    series=now.series,
                    measure=now.measure,
                    before=was,
                    after=now.state,
                    rule=now.rule,
                    n=now.n,
                    observed=now.observed,
                    baseline=now.baseline,
                    under=now.under,
                )
            )
    return changes


def _is_selected(series: Series, filters: SeriesFilter) -> bool:
    return filters.channel in {None, series.channel} and filters.country in {None, series.country}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

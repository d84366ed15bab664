"""Alerts: every quarter of an hour the last 60 minutes of each channel, and of each country in it,
are compared with what they should be.

`alert_rules` says what is bad, `alert_states` what becomes of it, `alert_hours` reads the figures;
here it is done on time, once for all processes, and written down.
"""

import logging
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np

from core.alerts.hours import QUARTER_MS, READ, HourReader
from core.alerts.records import (
    UNREADABLE,
    AlertCheck,
    AlertStatus,
    Kept,
    Transition,
    grouped,
    in_order,
    transition_from_json,
    transition_to_json,
)
from core.alerts.replay import DryRun, replay
from core.alerts.rules import WEEKS, Hours, Measure, alpha, detectable_drop, judge
from core.alerts.states import AlertState, Standing, after_a_gap, step
from core.figures.layout import Counts, Tier
from core.model.clock import Clock, from_ms, to_ms
from core.model.errors import ProductError
from core.store.client import Client
from core.store.failures import WatchError
from core.store.keys import Keys
from core.store.left_out import LeftOut

log = logging.getLogger(__name__)

#: An hour is judged this long after its end: by then "within 60 seconds" is known, and of the codes
#: that arrive nearly all have.
MATURITY = timedelta(minutes=2)
KEEP = timedelta(days=35)
MOST_KEPT = 1000
#: A series without an attempt for as long is watched no more.
WATCHED = timedelta(weeks=WEEKS)
TICK = timedelta(seconds=15)
_PAUSE_SECONDS = 5.0
#: Should the process die that has taken a check, another one takes it after this.
_TURN = timedelta(minutes=1)


class AlertWindow(Protocol):
    """From when to when, aware: a `Range` of the queries."""

    @property
    def start(self) -> datetime: ...
    @property
    def end(self) -> datetime: ...


class Chosen(Protocol):
    """Which series are asked for: the `Filters` of the queries. There are no alerts of carriers."""

    @property
    def channel(self) -> str | None: ...
    @property
    def country(self) -> str | None: ...


class Alerts:
    """Checks, and tells. `start` does so in a thread; any number of processes may.

    Every method raises StoreUnavailable.
    """

    def __init__(self, client: Client, keys: Keys, clock: Clock, hours: HourReader) -> None:
        self._client = client
        self._keys = keys
        self._clock = clock
        self._hours = hours
        self._left_out = LeftOut(client, keys, clock)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def check(self) -> list[Transition]:
        """Check the newest whole hour, unless that is done; the changes that were written down.

        Once for each quarter of an hour, whoever asks: one process takes the turn, and what it
        finds replaces only the check that it went on from.
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
        if not self._write(stored, check, changes):
            return []
        for one in changes:
            if AlertState.FIRING in {one.before, one.after}:
                told = {"series": one.series, "measure": one.measure, "n": one.n}
                log.warning("alert %s", one.after, extra=told)
        return changes

    def current(self) -> list[AlertStatus]:
        """How everything stood at the last check: the worst first, and what another alert explains
        right after that. Empty before the first check."""
        return in_order(one.status for one in self._stored().kept.values())

    def checked(self) -> datetime | None:
        """The end of the last hour that was checked; None before the first check."""
        check = self._stored()
        return from_ms(check.quarter * QUARTER_MS) if check.quarter else None

    def history(self, count: int = 100) -> list[Transition]:
        """The newest changes of state, newest first; 1000 are kept, for 35 days at most."""
        entries = self._client.xrevrange(self._keys.alerts, count=count)
        found = (self._transition(entry.get("transition", "")) for _, entry in entries)
        return [transition for transition in found if transition is not None]

    def dry_run(self, span: AlertWindow, chosen: Chosen) -> DryRun:
        """What the rules as they are would have said of this span.

        It knows what came late too, which a check at the time could not. The quarter-hours that it
        compares are kept for 35 days. What is older neither counts nor serves as a baseline: of
        thirty days the first have none, and the next are compared with fewer weeks.
        """
        now = self._clock.now()
        kept_ms = to_ms(now) - Tier.QUARTER.keep_ms
        first = -(-max(to_ms(span.start), kept_ms) // QUARTER_MS)
        last = to_ms(min(span.end, now - MATURITY)) // QUARTER_MS
        series = self._hours.series(kept_ms)
        if first > last or not series:
            return DryRun(0, [], 0)
        wanted = {one for one in series if _is_chosen(one, chosen)}
        return replay(series, self._hours.between(series, first, last), first, wanted)

    def start(self) -> None:
        """Check in the background until `stop`."""
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the background thread and wait for it."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(TICK.total_seconds()):
            try:
                self.check()
            except ProductError as error:
                # Redis is away. The check is made once it is back, if it is still the newest.
                log.warning("alerts paused", extra={"cause": error.cause})
                self._stopping.wait(_PAUSE_SECONDS)
            except Exception:
                # A bug in one round must not end the thread for good; the log has the traceback.
                log.exception("alerts failed")
                self._stopping.wait(_PAUSE_SECONDS)

    def _stored(self) -> AlertCheck:
        return self._read(self._client.get(self._keys.alert_check))

    def _read(self, stored: str | None) -> AlertCheck:
        """A stored check. One that cannot be read is like none: the next check replaces it."""
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
        """Judge one hour, and go on from the check before."""
        since_ms = quarter * QUARTER_MS - int(WATCHED.total_seconds() * 1000)
        series = self._hours.series(since_ms)
        if not series:
            return AlertCheck(quarter, {})
        hours, counts = self._hours.at(series, quarter)
        kept = grouped(_judged(series, hours, counts, before, quarter))
        return AlertCheck(quarter, {one.place: one for one in kept})

    def _write(self, stored: str | None, check: AlertCheck, changes: list[Transition]) -> bool:
        """Store a check and its changes in one step; False if another process was first."""
        with self._client.pipeline() as pipe:
            pipe.watch(self._keys.alert_check)
            if pipe.get(self._keys.alert_check) != stored:
                return False
            pipe.multi()
            pipe.set(self._keys.alert_check, check.to_json(), ex=KEEP)
            for one in changes:
                entry = {"transition": transition_to_json(one)}
                pipe.xadd(self._keys.alerts, entry, maxlen=MOST_KEPT, approximate=False)
            pipe.expire(self._keys.alerts, KEEP)
            try:
                pipe.execute()
            except WatchError:
                return False
        return True


def _judged(
    series: list[str], hours: Hours, counts: Counts, before: AlertCheck, quarter: int
) -> Iterator[Kept]:
    """What an hour makes of every measure of every series."""
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
            standing = step(after_a_gap(standing) if missed else standing, judged.finding(row, 0))
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
            yield Kept(status, standing.streak, standing.silent)


def _changes(before: AlertCheck, check: AlertCheck) -> list[Transition]:
    """What is worth telling: not that traffic pauses at night."""
    at = from_ms(check.quarter * QUARTER_MS)
    changes = []
    for place, one in check.kept.items():
        kept = before.kept.get(place)
        was, now = kept.status.state if kept else AlertState.NO_DATA, one.status
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


def _is_chosen(series: str, chosen: Chosen) -> bool:
    channel, _, country = series.partition("/")
    return chosen.channel in {None, channel} and chosen.country in {None, country}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

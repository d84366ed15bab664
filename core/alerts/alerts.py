"""Evaluates the alerts once a minute, and at once when sends become unclear.

`figures` reads the last day and the four weeks before, `judging` compares them, `stepping` makes
statuses of that. This module does it on time, once for all processes, and stores the result.

Nothing but the states is kept between evaluations: the evidence is computed from the figures of the
last day each time, so a restart or a missed minute loses nothing.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock

from core.alerts.baseline import DAYS
from core.alerts.course import AlertCourse, course
from core.alerts.evaluating import evaluated
from core.alerts.figures import MINUTE_MS, AlertFigures
from core.alerts.measures import Measure
from core.alerts.notifications import (
    SILENT,
    Announcer,
    Notification,
    ends_without_figures,
    notifications,
)
from core.alerts.records import (
    UNREADABLE,
    AlertCheck,
    AlertStatus,
    Place,
    Spans,
    StoredStatus,
    Transition,
    by_severity,
    transition_from_json,
    transition_to_json,
)
from core.alerts.snoozes import Snoozes
from core.alerts.states import AlertState
from core.alerts.stepping import transitions
from core.alerts.unnamed import unnamed
from core.figures.filters import Filters
from core.figures.ranges import Range
from core.findings.causes import Cause
from core.model.clock import Clock, from_ms, to_ms
from core.store.client import Client
from core.store.failures import WatchError
from core.store.keys import Keys
from core.store.left_out import LeftOut
from core.webhooks.alert_event import AlertEvent, queue_alerts

log = logging.getLogger(__name__)

KEEP = timedelta(days=35)
MOST_KEPT = 1000
#: A series is checked until it has had no attempt for this long.
WATCHED = timedelta(days=DAYS)
#: The least time between two checks at once, over all processes.
_URGENT_MS = 5_000
#: Checks are further apart only if no process ran. Then attempts in flight got no receipts, and no
#: attempt was requested: that is no evidence of an incident.
_MOST_BETWEEN_MINUTES = 2
_IN_FLIGHT = timedelta(minutes=5)
#: A stored check that is further in the future comes from a wrong clock, and is replaced.
_MOST_AHEAD_MINUTES = 10
_DAY_MS = 24 * 60 * MINUTE_MS
#: Longer than any check takes.
_TURN = timedelta(minutes=2)


class Alerts:
    """Evaluates alerts, and reads the results. Any number of processes may call `check`.

    Every method raises StoreUnavailable.
    """

    def __init__(
        self,
        client: Client,
        keys: Keys,
        clock: Clock,
        figures: AlertFigures,
        announcer: Announcer = SILENT,
    ) -> None:
        self.snoozes = Snoozes(client, keys, clock, figures.has)
        self._announcer = announcer
        self._client = client
        self._keys = keys
        self._clock = clock
        self._figures = figures
        self._left_out = LeftOut(client, keys, clock)
        #: Evaluations share the figures that are kept in the process.
        self._evaluation = Lock()
        #: The minute of the last call of `check` in this process, 0 before the first one.
        self._ran_minute = 0

    def check(self, *, at_once: bool = False) -> list[Transition]:
        """Evaluate all series, once a minute, unless the figures lag behind; returns the changes of
        state that were stored. `at_once`: again in this minute, but not more often than every five
        seconds.

        One process takes the turn, and its result replaces only the one that it is based on. If it
        ends before it has stored the result, the next minute's check finds the same.
        """
        now_ms = to_ms(self._clock.now())
        turn = f"{now_ms // _URGENT_MS * _URGENT_MS}" if at_once else f"{now_ms // MINUTE_MS}"
        has_turn = self._client.set(self._keys.alert_turn(turn), "1", nx=True, px=_TURN)
        ran_minute, self._ran_minute = self._ran_minute, now_ms // MINUTE_MS
        if not has_turn:
            return []
        stored = self._client.get(self._keys.alert_check)
        before = self._read(stored)
        # Read the clock again: this process may have been paused since it took the turn.
        now_ms = to_ms(self._clock.now())
        if 0 < before.minute - now_ms // MINUTE_MS <= _MOST_AHEAD_MINUTES:
            return []
        if self._figures.are_late():
            # What is not counted yet would look like traffic that has stopped.
            log.warning("alerts not checked: the figures lag behind")
            return []
        with self._evaluation:
            check = self._evaluated(before, now_ms, _gaps(before, now_ms, ran_minute))
        changes = transitions(before.kept, check.kept, from_ms(now_ms))
        to_notify, kept = notifications(
            before.kept,
            check.kept,
            self.snoozes.active(),
            now_ms,
            has_receivers=bool(self._announcer.receivers),
        )
        events = self._events(to_notify, now_ms)
        if not self._write(stored, replace(check, kept=kept), changes, events):
            return []
        for change in changes:
            if AlertState.FIRING in {change.before, change.after}:
                fields = {"series": change.series, "measure": change.measure, "n": change.n}
                log.warning("alert %s", change.after, extra=fields)
        return changes

    def forget(self) -> None:
        """Remove the last check and the history, because the figures that they are about are
        removed. The alerts that were notified are notified as ended, in the same step."""
        is_removed = False
        while not is_removed:
            with self._client.pipeline() as pipe:
                pipe.watch(self._keys.alert_check)
                before = self._read(pipe.get(self._keys.alert_check))
                now_ms = to_ms(self._clock.now())
                events = self._events(ends_without_figures(before.kept, {}), now_ms)
                pipe.multi()
                pipe.delete(self._keys.alert_check, self._keys.alert_history)
                queue_alerts(pipe, self._keys, events, from_ms(now_ms))
                # Not if a check has stored another result meanwhile.
                with suppress(WatchError):
                    is_removed = bool(pipe.execute())

    def _events(self, to_notify: Sequence[Notification], now_ms: int) -> list[AlertEvent]:
        """The events of notifications; their ids have the moment that `notified_ms` has."""
        now = from_ms(now_ms)
        return [event for item in to_notify for event in self._announcer.events(item, now)]

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

    def firing(self) -> list[StoredStatus]:
        """The alerts that no other alert explains, in the order of `current`."""
        kept = self._stored().kept
        heads = by_severity(entry.status for entry in kept.values() if entry.is_head)
        return [kept[status.series, status.measure] for status in heads]

    def unnamed(
        self, causes: Sequence[Cause], period: Range, filters: Filters
    ) -> list[AlertStatus]:
        """Of `firing` the alerts that belong to a verdict on this range, and none of its causes
        names."""
        alerts = [entry.status for entry in self.firing()]
        return unnamed(alerts, causes, period, filters)

    def course(self, place: Place) -> AlertCourse:
        """What an alert is about, over the last day."""
        series, measure = place
        return course(measure, self._figures.recent([series], to_ms(self._clock.now())))

    def snoozed(self) -> dict[Place, datetime]:
        """The snoozed alerts, and when each snooze ends."""
        return self.snoozes.active()

    def checked(self) -> datetime | None:
        """The minute of the last check; None before the first one."""
        check = self._stored()
        return from_ms(check.minute * MINUTE_MS) if check.minute else None

    def history(self, count: int = 100) -> list[Transition]:
        """The newest changes of state, newest first; 1000 are kept, for 35 days at most."""
        entries = self._client.xrevrange(self._keys.alert_history, count=count)
        transitions = (self._transition(entry.get("transition", "")) for _, entry in entries)
        return [transition for transition in transitions if transition is not None]

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

    def _evaluated(self, before: AlertCheck, now_ms: int, gaps: Spans) -> AlertCheck:
        """Judge all series, based on the check before, without the gaps."""
        minute = now_ms // MINUTE_MS
        series = self._figures.series(now_ms - WATCHED // timedelta(milliseconds=1))
        if not series:
            return AlertCheck(minute, {}, gaps, before.of_newer)
        slots = self._figures.last_day(series, now_ms).without(gaps)
        usual = self._figures.usual(series, now_ms)
        kept = evaluated(series, slots, usual, before.kept, now_ms)
        return AlertCheck(minute, self._with_budgets(kept, now_ms), gaps, before.of_newer)

    def _with_budgets(
        self, kept: dict[Place, StoredStatus], now_ms: int
    ) -> dict[Place, StoredStatus]:
        """Alerts about refused sends with the budgets that have refused them since they began."""
        refused = {
            series: entry.status
            for (series, measure), entry in kept.items()
            if measure is Measure.REFUSED and entry.status.state.is_alert
        }
        since_ms = {series: to_ms(status.since) for series, status in refused.items()}
        budgets = self._figures.refusing(since_ms, now_ms)
        return kept | {
            (series, Measure.REFUSED): replace(
                kept[series, Measure.REFUSED], status=replace(status, budgets=budgets[series])
            )
            for series, status in refused.items()
        }

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
                pipe.xadd(self._keys.alert_history, entry, maxlen=MOST_KEPT, approximate=False)
            pipe.expire(self._keys.alert_history, KEEP)
            queue_alerts(pipe, self._keys, events, self._clock.now())
            try:
                pipe.execute()
            except WatchError:
                return False
        return True


def _gaps(before: AlertCheck, now_ms: int, ran_minute: int) -> Spans:
    """The gaps of the last day, with that since the check before, if it is one. It is none while
    this process ran: the clock of the process that made that check may be behind."""
    gaps = before.gaps
    minute, last = now_ms // MINUTE_MS, max(before.minute, ran_minute)
    if before.minute and minute - last > _MOST_BETWEEN_MINUTES:
        begin_ms = last * MINUTE_MS - _IN_FLIGHT // timedelta(milliseconds=1)
        gaps = (*gaps, (begin_ms, minute * MINUTE_MS))
    return tuple(gap for gap in gaps if gap[1] > now_ms - _DAY_MS)

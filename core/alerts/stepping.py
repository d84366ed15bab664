"""Turns judgements into the statuses of alerts, based on those of the check before."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from core.alerts.judgement import Alerting, Judgement
from core.alerts.measures import Measure
from core.alerts.records import AlertStatus, Place, StoredStatus, Transition
from core.alerts.states import PENDING, RECOVERING, RELAPSE, AlertState, hold, next_state
from core.model.clock import duration_ms, from_ms, to_ms
from core.model.series import NO_SERIES, Series

#: With more series, carriers that are ok are not listed: their statuses would take megabytes.
MANY_SERIES = 300
#: As far back as alerts look.
_REMEMBERED_MS = duration_ms(timedelta(days=1))
_UNSEEN = StoredStatus(
    AlertStatus(
        NO_SERIES, Measure.CONFIRMED, AlertState.NO_DATA, 0, 0, None, None, None, from_ms(0)
    )
)
Statuses = Mapping[Place, StoredStatus]


def alerting(series: Sequence[Series], before: Statuses) -> dict[Measure, Alerting]:
    """What this check takes over from the check before, for each series that is checked now."""
    rows = {name: row for row, name in enumerate(series)}
    size = len(series)
    left = {
        measure: Alerting(
            np.full(size, np.nan), np.zeros(size, dtype=np.intp), np.zeros(size, dtype=np.intp)
        )
        for measure in Measure
    }
    for (name, measure), entry in before.items():
        row = rows.get(name)
        if row is None:
            continue
        status, of_measure = entry.status, left[measure]
        of_measure.cleared_ms[row] = entry.cleared_ms
        of_measure.since_ms[row] = to_ms(status.since)
        if status.state.is_alert and status.observed is not None:
            of_measure.observed[row] = status.observed
    return left


def next_statuses(
    series: Sequence[Series], judged: Judgement, before: Statuses, now_ms: int
) -> Iterator[tuple[int, StoredStatus]]:
    """The rows of the series whose status is stored, and the statuses.

    Not stored are those of countries and carriers without data, and with many series those of
    carriers without an alert in the last day.
    """
    for row in _rows_to_step(series, judged, before):
        was = before.get((series[row], judged.measure), _UNSEEN)
        entry = _stepped(series[row], judged, row, was, now_ms)
        if _is_stored(entry, now_ms, are_many=len(series) > MANY_SERIES):
            yield row, entry


def _rows_to_step(series: Sequence[Series], judged: Judgement, before: Statuses) -> Iterator[int]:
    """All rows whose status may be stored, without a look at each of thousands of carriers."""
    are_many = len(series) > MANY_SERIES
    is_noted = ~judged.is_silent & (judged.evidence >= PENDING)
    is_silent, is_noted = judged.is_silent.tolist(), is_noted.tolist()
    for row, name in enumerate(series):
        is_listed = not name.country or not (is_silent[row] or (are_many and name.last))
        if is_listed or is_noted[row] or (name, judged.measure) in before:
            yield row


def _is_stored(entry: StoredStatus, now_ms: int, *, are_many: bool) -> bool:
    status = entry.status
    if not status.series.country or not status.state.is_quiet:
        return True
    if status.state is AlertState.NO_DATA:
        return False
    is_recent = entry.cleared_ms > now_ms - _REMEMBERED_MS
    return is_recent or not (are_many and status.series.last)


def _stepped(
    series: Series, judged: Judgement, row: int, was: StoredStatus, now_ms: int
) -> StoredStatus:
    """The new status of a series, from the one before."""
    evidence, recovery = float(judged.evidence[row]), float(judged.recovery[row])
    calm_ms, relapses = 0, was.relapses
    if was.status.state.is_alert and recovery >= (RECOVERING if was.calm_ms else 1):
        calm_ms = was.calm_ms or now_ms
    state = next_state(
        was.status.state,
        is_silent=bool(judged.is_silent[row]),
        evidence=evidence,
        recovery=recovery,
        is_held=now_ms - calm_ms < duration_ms(hold(relapses)),
    )
    is_ongoing = state.is_alert and was.status.state.is_alert
    began_ms, cleared_ms = was.began_ms, was.cleared_ms
    since = from_ms(now_ms)
    if is_ongoing:
        since = was.status.since
    elif state.is_alert:
        began_ms, since = now_ms, from_ms(int(judged.start_ms[row]))
        has_relapsed = now_ms - was.cleared_ms <= duration_ms(RELAPSE)
        relapses = relapses + 1 if has_relapsed else 0
    else:
        began_ms = 0
        if was.status.state.is_alert:
            cleared_ms = now_ms
        elif was.status.state is state and was is not _UNSEEN:
            since = was.status.since
    status = AlertStatus(
        series=series,
        measure=judged.measure,
        state=state,
        n=round(float(judged.n[row])),
        verified=int(judged.verified[row]),
        observed=_number(judged.observed[row]),
        baseline=_number(judged.baseline[row]),
        detectable_drop=_number(judged.detectable_drop[row]),
        since=since,
        chance=_number(judged.chance[row]) if state.is_alert else None,
    )
    if is_ongoing and (evidence < 1 or state is AlertState.RECOVERING):
        status = _as_seen(status, was.status)
    return replace(
        was,
        status=status,
        cleared_ms=cleared_ms,
        began_ms=began_ms,
        calm_ms=calm_ms if state.is_alert else 0,
        relapses=relapses,
    )


def _as_seen(status: AlertStatus, before: AlertStatus) -> AlertStatus:
    """The status with what the alert saw before, and what explained it: the newest attempts may be
    good again."""
    return replace(
        status,
        n=before.n,
        verified=before.verified,
        observed=before.observed,
        baseline=before.baseline,
        chance=before.chance,
        under=before.under,
    )


def transitions(before: Statuses, after: Statuses, at: datetime) -> list[Transition]:
    """The changes to or from an alert."""
    changes = []
    for place in dict.fromkeys((*after, *before)):
        was = before.get(place, _UNSEEN).status
        entry = after.get(place)
        now = replace(was, state=AlertState.NO_DATA) if entry is None else entry.status
        if was.state is now.state or not (was.state.is_alert or now.state.is_alert):
            continue
        changes.append(
            Transition(
                at=at,
                series=now.series,
                measure=now.measure,
                before=was.state,
                after=now.state,
                n=now.n,
                observed=now.observed,
                baseline=now.baseline,
                since=now.since if now.state.is_alert else was.since,
                under=now.under if now.state.is_alert else was.under,
            )
        )
    return changes


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

"""Judges the traffic: more attempts than verifications explain, which is pumping, or none at all.

Both are tests of counts: Poisson CUSUM (Hawkins & Olwell 1998, Cumulative Sum Charts, ch. 5).
"""

import numpy as np

from core.alerts.baseline import LEAST_DAYS, UsualFigures
from core.alerts.evidence import ALL_ROWS, expected_alarms, threshold, weight_limit
from core.alerts.judgement import Alerting, Judgement
from core.alerts.leading import REST_IS_GOOD, leads
from core.alerts.measures import SHARE_OF, Measure
from core.alerts.sequential import Floats, Indices, limited_sum, poisson_evidence, statistic
from core.alerts.slots import Slots, sums_from
from core.alerts.states import PENDING, RECOVERED

#: Attempts that no verification explains are usual up to this part of the traffic, and up to so
#: many an hour in any place.
UNEXPLAINED, UNEXPLAINED_AN_HOUR = 0.5, 0.5
#: So many unexplained attempts are needed to suspect pumping: fewer may be a demonstration.
LEAST_PUMPED = 10
#: Traffic has stopped if a fiftieth is left. Half of it may stay away on a holiday.
_STOPPED, _HOLIDAY = 0.02, 0.5
#: Pumping has ended after half an hour without it, at the earliest.
_LEAST_QUIET_HOURS = 0.5
Rows = Indices | slice


def unexplained(slots: Slots, usual: UsualFigures, rows: Rows = ALL_ROWS) -> Floats:
    """Attempts that the verifications do not explain: pumping requests codes and enters none."""
    figures = slots.figures
    explained = figures["verified"][rows] / usual.verified[rows, None]
    counted: Floats = figures["requested"][rows] - figures["resends"][rows] - explained
    counted[:, slots.count_older(SHARE_OF[Measure.CONFIRMED].after_ms) :] = 0.0
    return counted


def usual_unexplained_an_hour(slots: Slots, usual: UsualFigures, rows: Rows = ALL_ROWS) -> Floats:
    """How many unexplained attempts an hour each slot may have."""
    an_hour: Floats = UNEXPLAINED * usual.most_traffic[rows][:, slots.hour_of_week]
    return an_hour + UNEXPLAINED_AN_HOUR


def growth_evidence(
    slots: Slots, usual: UsualFigures, limit: float, rows: Rows = ALL_ROWS
) -> Floats:
    """The evidence of pumping."""
    factor = float(np.exp(weight_limit(limit, LEAST_PUMPED)))
    expected = usual_unexplained_an_hour(slots, usual, rows) * slots.length_hours
    expected[:, slots.count_older(SHARE_OF[Measure.CONFIRMED].after_ms) :] = 0.0
    return poisson_evidence(unexplained(slots, usual, rows), expected, factor)


def stop_evidence(slots: Slots, usual: UsualFigures, rows: Rows = ALL_ROWS) -> Floats:
    """The evidence that traffic has stopped."""
    an_hour = _HOLIDAY * usual.least_traffic[rows][:, slots.hour_of_week]
    expected = an_hour * slots.length_hours
    return poisson_evidence(slots.figures["requested"][rows], expected, _STOPPED)


def judge_traffic(
    slots: Slots, usual: UsualFigures, alerting: Alerting, parents: Indices
) -> Judgement:
    """Judge the traffic of all series. Only those are tested whose counts can have evidence of a
    change: of the others it is 0."""
    limit = threshold(Measure.TRAFFIC, usual)
    requested, is_alert = slots.figures["requested"], ~np.isnan(alerting.observed)
    day = requested.sum(axis=1)
    size = len(requested)
    counts = np.maximum(unexplained(slots, usual), 0.0).sum(axis=1)
    can_grow = counts * weight_limit(limit, LEAST_PUMPED) >= PENDING * limit
    can_stop = _HOLIDAY * _day_of(usual.least_traffic, slots) >= PENDING * limit
    growing = np.flatnonzero(can_grow | is_alert)
    stopping = np.flatnonzero(can_stop | is_alert)
    growth_tests = growth_evidence(slots, usual, limit, growing)
    growth_tests *= slots.starts >= alerting.cleared_ms[growing, None]
    growth = statistic(growth_tests).spread(growing, size)
    stop_tests = stop_evidence(slots, usual, stopping)
    stop_tests *= slots.starts >= alerting.cleared_ms[stopping, None]
    stop = statistic(stop_tests).spread(stopping, size)
    grows = growth.value >= stop.value
    value = np.where(grows, growth.value, stop.value)
    has_little = (value < PENDING * limit) & ~is_alert
    start = np.where(has_little | (value == 0), 0, np.where(grows, growth.start, stop.start))
    tested = np.flatnonzero(start)
    hours = sums_from(np.broadcast_to(slots.length_hours, requested.shape), start)
    # Not zero where all slots are left out.
    hours = np.maximum(hours, slots.length_hours.max() or 1.0)
    total = sums_from(requested, start)
    baseline = _day_of(usual.traffic, slots)
    per_slot = usual.traffic[tested][:, slots.hour_of_week] * slots.length_hours
    baseline[tested] = sums_from(per_slot, start[tested])

    def is_rest_good(parent: int, children: Indices) -> bool:
        rows = np.array([parent, *children])
        if grows[parent]:
            evidence = growth_evidence(slots, usual, limit, rows)
            return bool(statistic(evidence[0] - evidence[1:].sum(axis=0)).value < limit)
        evidence = stop_evidence(slots, usual, rows)[:, start[parent] :].sum(axis=1)
        return bool(evidence[1:].sum() - evidence[0] >= REST_IS_GOOD)

    return Judgement(
        measure=Measure.TRAFFIC,
        # In the first week all places are new.
        is_silent=(day + usual.requested_per_day == 0) | (usual.days < LEAST_DAYS),
        evidence=value / limit,
        recovery=_recovery(slots, usual, alerting),
        start_ms=slots.starts[start],
        n=total,
        verified=sums_from(slots.figures["verified"], start),
        observed=total / hours,
        baseline=baseline / hours,
        detectable_drop=np.full(size, np.nan),
        chance=expected_alarms(value, limit),
        lead=leads((value >= limit) | is_alert, value, parents, day, is_rest_good),
    )


def _day_of(per_hour: Floats, slots: Slots) -> Floats:
    """The sum over all slots of values by hour of the week, (series, HOURS)."""
    weights = np.bincount(slots.hour_of_week, slots.length_hours, per_hour.shape[1])
    return np.asarray(per_hour @ weights)


def _recovery(slots: Slots, usual: UsualFigures, alerting: Alerting) -> Floats:
    """The evidence that the alert has ended: for pumping, that unexplained attempts are as usual
    again; for stopped traffic, that there is traffic again."""
    part = np.zeros(len(alerting.observed))
    rows = np.flatnonzero(~np.isnan(alerting.observed))
    if not len(rows):
        return part
    observed, counted = alerting.observed[rows], slots.starts >= alerting.since_ms[rows, None]
    an_hour = usual_unexplained_an_hour(slots, usual, rows)
    seen = np.maximum(observed[:, None], 2.0 * an_hour)
    less = np.minimum(
        (seen - an_hour) * slots.length_hours,
        RECOVERED / _LEAST_QUIET_HOURS * slots.length_hours,
    )
    calm = less - np.maximum(unexplained(slots, usual, rows), 0.0) * np.log(seen / an_hour)
    value = np.where(
        observed < usual.traffic[rows].mean(axis=1) * 0.5,
        limited_sum(-stop_evidence(slots, usual, rows) * counted, RECOVERED),
        limited_sum(calm * counted, RECOVERED),
    )
    part[rows] = value / RECOVERED
    return part

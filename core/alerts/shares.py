"""Judges the measures that are shares: of all attempts some are bad."""

import numpy as np

from core.alerts.baseline import UsualFigures
from core.alerts.evidence import (
    detectable_drop,
    expected_alarms,
    most_evidence,
    share_evidence,
    threshold,
    trials,
    usual_bad,
)
from core.alerts.excluded_places import ExcludedPlaces
from core.alerts.judgement import Alerting, Judgement
from core.alerts.leading import REST_IS_GOOD, leads
from core.alerts.measures import ShareMeasure
from core.alerts.sequential import Floats, Indices, largest, limited_sum, statistic
from core.alerts.slots import Slots, sums_from
from core.alerts.states import PENDING, RECOVERED

#: So many good attempts end an alert at the earliest.
_LEAST_GOOD = 3


def judge_share(
    share: ShareMeasure,
    slots: Slots,
    usual: UsualFigures,
    alerting: Alerting,
    excluded: ExcludedPlaces,
) -> Judgement:
    """Judge a share of all series. Only those with enough bad attempts for evidence of a change are
    tested: of the others it is 0."""
    measure, usual_share = share.measure, usual.bad[share.measure]
    limit = threshold(measure, usual)
    n, bad = (excluded.removed_from(values) for values in trials(share, slots))
    known, is_alert = ~np.isnan(usual_share), ~np.isnan(alerting.observed)
    most = most_evidence(share, bad.sum(axis=1), np.where(known, usual_share, 0.5), limit)
    rows = np.flatnonzero(known & ((most >= PENDING * limit) | is_alert))
    counted = slots.starts >= alerting.cleared_ms[rows, None]
    expected = usual_bad(measure, slots, usual, rows)
    tests = share_evidence(share, n[rows] * counted, bad[rows] * counted, expected, limit)
    result = largest([statistic(test) for test in tests]).spread(rows, len(n))
    has_little = (result.value < PENDING * limit) & ~is_alert
    start = np.where(has_little | (result.value == 0), 0, result.start)
    day = n.sum(axis=1)
    total, worse = sums_from(n, start), sums_from(bad, start)

    def is_rest_good(parent: int, children: Indices) -> bool:
        first = max(start[parent], start[children].min())
        # Excluded places are not in the whole.
        children = children[~excluded.is_excluded[children]]
        rest, parts = n[parent, first:].sum(), n[children, first:].sum()
        rest_bad, parts_bad = bad[parent, first:].sum(), bad[children, first:].sum()
        good = float(usual_share[parent])
        least = 0.02 * (1 - good)
        failed = np.clip(parts_bad / max(parts, 1.0), good + least, 1 - least)
        rest = max(rest - parts, 0.0)
        rest_bad = np.clip(rest_bad - parts_bad, 0.0, rest)
        evidence = (rest - rest_bad) * np.log((1 - good) / (1 - failed))
        return bool(evidence + rest_bad * np.log(good / failed) >= REST_IS_GOOD)

    fires = known & ((result.value >= limit) | is_alert)
    return Judgement(
        measure=measure,
        is_silent=~known | (day == 0),
        evidence=result.value / limit,
        recovery=_recovery(n, bad, slots, usual, alerting, share),
        start_ms=slots.starts[start],
        n=total,
        verified=sums_from(slots.figures["verified"], start),
        observed=np.divide(total - worse, total, out=np.full(len(n), np.nan), where=total > 0),
        baseline=1.0 - usual.shown[measure],
        detectable_drop=detectable_drop(usual.per_day[measure], usual_share, limit, share.least),
        chance=expected_alarms(result.value, limit),
        lead=leads(fires, result.value, excluded.parents, day, is_rest_good),
    )


def _recovery(
    n: Floats,
    bad: Floats,
    slots: Slots,
    usual: UsualFigures,
    alerting: Alerting,
    share: ShareMeasure,
) -> Floats:
    """The evidence of the baseline against what the alert saw, as a part of what is needed."""
    part = np.zeros(len(n))
    rows = np.flatnonzero(~np.isnan(alerting.observed) & ~np.isnan(usual.bad[share.measure]))
    if not len(rows):
        return part
    counted = slots.starts >= alerting.since_ms[rows, None]
    good_usual = 1.0 - usual_bad(share.measure, slots, usual, rows)
    seen = np.clip(alerting.observed[rows, None], 0.02, good_usual * 0.98)
    of_good = np.minimum(np.log(good_usual / seen), RECOVERED / _LEAST_GOOD * 1.0001)
    of_bad = np.log((1.0 - good_usual) / (1.0 - seen))
    evidence = (n[rows] - bad[rows]) * of_good + bad[rows] * of_bad
    part[rows] = limited_sum(evidence * counted, RECOVERED) / RECOVERED
    return part

"""How much evidence each slot of time has that a share has changed: for `sequential`."""

import numpy as np

from core.alerts.baseline import UsualFigures
from core.alerts.measures import Measure, ShareMeasure
from core.alerts.sequential import Floats, Indices, binomial_evidence
from core.alerts.slots import Slots

#: False alarms a year for which a measure's threshold is set, by the bound of `sequential`, over
#: all series. Measured ones are a small part of it: the bound is not tight, and the baseline has a
#: margin.
FALSE_ALARMS = 8.0
_SLOTS_A_YEAR = 365 * 24 * 60
#: A capped attempt counts a little more than its part, so that `least` of them reach the threshold.
_ABOVE = 1.0001
ALL_ROWS = slice(None)


def threshold(measure: Measure, usual: UsualFigures) -> float:
    """The evidence at which a measure alerts: log(slots / FALSE_ALARMS), with the slots of a year
    that have traffic, of all series (Bonferroni's correction with the bound of `sequential`)."""
    per_day = usual.per_day.get(measure, usual.requested_per_day)
    slots = float(np.minimum(365 * per_day, _SLOTS_A_YEAR).sum())
    return float(np.log(max(slots, 1000.0) / FALSE_ALARMS))


def weight_limit(limit: float, least: int) -> float:
    """The most that one attempt may count, so that an alert needs `least` of them."""
    return limit / least * _ABOVE


def expected_alarms(evidence: Floats, limit: float) -> Floats:
    """At most so many alarms a year are expected by chance with evidence as strong as this."""
    alarms: Floats = FALSE_ALARMS * np.exp(np.minimum(limit - evidence, 0.0))
    return alarms


def trials(share: ShareMeasure, slots: Slots) -> tuple[Floats, Floats]:
    """The attempts of each slot and the bad ones. A resend is no attempt of its own: the same
    person has the same phone. So attempts count as the part of them that are no resends."""
    part = slots.first_sends if share.has_resends else 1.0
    n: Floats = share.n(slots.figures) * part
    bad: Floats = share.bad(slots.figures) * part
    old = slots.count_older(share.after_ms)
    n[:, old:] = 0.0
    bad[:, old:] = 0.0
    return n, np.minimum(bad, n)


def usual_bad(
    measure: Measure, slots: Slots, usual: UsualFigures, rows: Indices | slice = ALL_ROWS
) -> Floats:
    """The usual share of bad attempts of some series, in each slot or, as (series, 1), the same in
    all; NaN without a baseline."""
    share = usual.bad[measure][rows, None]
    by_hour = usual.factors[measure]
    if (by_hour != 1.0).any():
        share = share * by_hour[usual.profile[rows]][:, slots.hour_of_week % 24]
    limited: Floats = np.minimum(share, 0.99)
    return limited


def changed_bad(usual: Floats, remaining: float) -> Floats:
    """The share of bad attempts after a change that leaves this part of the good ones."""
    changed: Floats = 1.0 - (1.0 - usual) * remaining
    return changed


def share_evidence(
    share: ShareMeasure, n: Floats, bad: Floats, usual: Floats, limit: float
) -> list[Floats]:
    """The evidence of each assumed change; zero without a baseline."""
    known = ~np.isnan(usual)
    expected = np.where(known, usual, 0.5)
    most = weight_limit(limit, share.least)
    evidence = []
    for remaining in share.remaining:
        slots = binomial_evidence(bad, n, expected, changed_bad(expected, remaining), most)
        evidence.append(np.where(known, slots, 0.0))
    return evidence


def most_evidence(share: ShareMeasure, bad: Floats, usual: Floats, limit: float) -> Floats:
    """More evidence than so many bad attempts can have: as if none were good, with the largest
    assumed change and the smallest usual share."""
    weight = np.log(changed_bad(usual, min(share.remaining)) / usual)
    evidence: Floats = bad * np.minimum(weight, weight_limit(limit, share.least))
    return evidence


def detectable_drop(per_day: Floats, usual: Floats, limit: float, least: int) -> Floats:
    """The smallest drop of a share, in whole points, that the attempts of a day show; NaN where not
    even a total failure would. `least` of them are bad then, and the attempts times the
    Kullback-Leibler divergence of the dropped share reach the threshold: the mean evidence of
    Wald's test (Wald 1945, Ann. Math. Stat. 16)."""
    bad = np.where(np.isnan(usual), 0.5, usual)

    def shows(points: Indices) -> Floats:
        changed = np.minimum(bad + points / 100, 0.999)
        divergence = changed * np.log(changed / bad)
        divergence += (1 - changed) * np.log((1 - changed) / (1 - bad))
        return np.asarray((per_day * divergence >= limit) & (per_day * changed >= least))

    # The divergence grows with the drop, so halving finds the least of 1 to 100 points.
    low, high = np.zeros(len(bad), dtype=np.intp), np.full(len(bad), 100, dtype=np.intp)
    for _ in range(7):
        middle = np.maximum((low + high) // 2, 1)
        is_shown = shows(middle)
        high = np.where(is_shown, middle, high)
        low = np.where(is_shown, low, middle)
    is_seen = ~np.isnan(usual) & shows(high) & (bad + high / 100 <= 1)
    return np.where(is_seen, high / 100, np.nan)

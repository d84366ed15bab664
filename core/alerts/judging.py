"""Judges every measure of every series at one moment."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from core.alerts.baseline import DAYS, LEAST_DAYS, UsualFigures
from core.alerts.evidence import (
    FALSE_ALARMS,
    PRICE_WINDOW_HOURS,
    Slots,
    growth_evidence,
    risen_prices,
    share_evidence,
    stop_evidence,
    threshold,
    trials,
    unexplained,
    usual_bad,
    usual_unexplained,
)
from core.alerts.measures import SHARES, Measure, ShareMeasure
from core.alerts.sequential import Bools, Floats, Indices, Statistic, statistic
from core.alerts.states import RECOVERED
from core.model.series import Series

#: So many good attempts end an alert at the earliest, and pumping has ended after half an hour.
_LEAST_GOOD, _LEAST_QUIET_HOURS = 3, 0.5
_DROPS = np.linspace(0.01, 1.0, 100)


@dataclass(frozen=True, slots=True)
class Alerting:
    """What is known of a measure from the evaluations before, of each series: what its alert saw,
    NaN where none fires, and since when; and until when slots do not count. Times are Unix ms."""

    observed: Floats
    since_ms: Indices
    cleared_ms: Indices


@dataclass(frozen=True, slots=True)
class Judgement:
    """A measure of all series; every array is (series,).

    `evidence` of a change and of `recovery`, as parts of what is needed. `start_ms`: where the
    evidence begins. `n`: attempts since then, or in the last day where there is little evidence;
    `observed` and `baseline` are the good share of these, attempts an hour, or micros an attempt.
    `chance`: at most so many alarms a year are expected by chance with this evidence. `lead`: the
    row of the series whose alert explains this one, -1 where there is none.
    """

    measure: Measure
    is_silent: Bools
    evidence: Floats
    recovery: Floats
    start_ms: Indices
    n: Floats
    observed: Floats
    baseline: Floats
    detectable_drop: Floats
    chance: Floats
    lead: Indices


def judge(
    series: Sequence[Series], slots: Slots, usual: UsualFigures, alerting: dict[Measure, Alerting]
) -> Iterator[Judgement]:
    """The judgements of all measures."""
    rows = {name: row for row, name in enumerate(series)}
    parents = np.array([rows.get(name.parent, -1) for name in series], dtype=np.intp)
    traffic = _judge_traffic(slots, usual, alerting[Measure.TRAFFIC], parents)
    pumped = (traffic.evidence >= 1) & (traffic.observed > traffic.baseline)
    requested = slots.figures["requested"].sum(axis=1)
    is_new = requested > usual.requested_per_day * DAYS
    apart = _Apart(parents, pumped | is_new)
    yield traffic
    for share in SHARES:
        yield _judge_share(share, slots, usual, alerting[share.measure], apart)
    yield _judge_price(series, slots, usual, parents)


@dataclass(frozen=True, slots=True)
class _Apart:
    """Places that do not count in their whole: pumped ones, and those with more attempts in the
    last day than in the four weeks before. Their attempts are no sign of the others'."""

    parents: Indices
    is_apart: Bools

    def without(self, values: Floats) -> Floats:
        """(series, slots), the wholes without the places apart."""
        if not self.is_apart.any():
            return values
        taken = np.where(self.is_apart[:, None], values, 0.0)
        # Carriers, then countries: a whole that is apart itself is taken as a whole.
        depths = self._depths()
        for depth in (2, 1):
            for row in np.flatnonzero(depths == depth):
                parent = self.parents[row]
                if parent >= 0 and not self.is_apart[parent]:
                    taken[parent] += taken[row]
        kept: Floats = np.where(self.is_apart[:, None], values, np.maximum(values - taken, 0.0))
        return kept

    def _depths(self) -> Indices:
        has_parent = self.parents >= 0
        depths = has_parent.astype(np.intp)
        depths[has_parent] += self.parents[self.parents[has_parent]] >= 0
        return depths


def _judge_share(
    share: ShareMeasure, slots: Slots, usual: UsualFigures, alerting: Alerting, apart: _Apart
) -> Judgement:
    measure = share.measure
    parents = apart.parents
    limit = threshold(measure, usual)
    n, bad = (apart.without(values) for values in trials(share, slots))
    expected = usual_bad(measure, slots, usual)
    counted = slots.starts >= alerting.cleared_ms[:, None]

    def test(n: Floats, bad: Floats, expected: Floats) -> Statistic:
        tests = [statistic(one) for one in share_evidence(share, n, bad, expected, limit)]
        values = np.stack([one.value for one in tests])
        starts = np.stack([one.start for one in tests])
        best = values.argmax(axis=0)[None]
        return Statistic(
            np.take_along_axis(values, best, axis=0)[0], np.take_along_axis(starts, best, axis=0)[0]
        )

    result = test(n * counted, bad * counted, expected)
    start = np.where(result.value > 0, result.start, 0)
    total, worse = _since(n, start), _since(bad, start)
    observed = np.divide(total - worse, total, out=np.full(total.shape, np.nan), where=total > 0)
    known = ~np.isnan(usual.bad[measure])
    fires = known & ((result.value >= limit) | ~np.isnan(alerting.observed))

    def rest_value(parent: int, children: Indices) -> float:
        """The evidence of a series without some of its children."""
        rest, rest_bad = (
            n[parent] - n[children].sum(axis=0),
            bad[parent] - bad[children].sum(axis=0),
        )
        rest = np.maximum(rest, 0) * counted[parent]
        rest_bad = np.clip(rest_bad * counted[parent], 0, rest)
        return float(test(rest[None], rest_bad[None], expected[parent][None]).value[0])

    lead = _leads(fires, result.value, parents, limit, rest_value)
    return Judgement(
        measure=measure,
        is_silent=~known | (n.sum(axis=1) == 0),
        evidence=result.value / limit,
        recovery=_recovery(n, bad, expected, alerting, slots),
        start_ms=slots.starts[start],
        n=total,
        observed=observed,
        baseline=1.0 - usual.shown[measure],
        detectable_drop=_detectable_drop(usual.per_day[measure], usual.bad[measure], limit),
        chance=FALSE_ALARMS * np.exp(np.minimum(limit - result.value, 0.0)),
        lead=lead,
    )


def _since(values: Floats, start: Indices) -> Floats:
    """The sums of (series, slots) from a slot on."""
    sums = np.cumsum(values[:, ::-1], axis=1)
    last = values.shape[1] - 1
    since: Floats = np.take_along_axis(sums, (last - start)[:, None], axis=1)[:, 0]
    return since


def _recovery(n: Floats, bad: Floats, usual: Floats, alerting: Alerting, slots: Slots) -> Floats:
    """The evidence of the baseline against what the alert saw, as a part of what is needed."""
    observed, counted = alerting.observed, slots.starts >= alerting.since_ms[:, None]
    fires = ~np.isnan(observed) & ~np.isnan(usual[:, 0])
    good_usual = 1.0 - np.where(fires[:, None], usual, 0.5)
    seen = np.where(fires, observed, 0.25)[:, None]
    seen = np.clip(seen, 0.02, good_usual * 0.98)
    of_good = np.minimum(np.log(good_usual / seen), RECOVERED / _LEAST_GOOD * 1.0001)
    of_bad = np.log((1.0 - good_usual) / (1.0 - seen))
    value = statistic(((n - bad) * of_good + bad * of_bad) * counted).value
    part: Floats = np.where(fires, value / RECOVERED, 0.0)
    return part


def _leads(
    fires: Bools,
    value: Floats,
    parents: Indices,
    limit: float,
    rest_value: Callable[[int, Indices], float],
) -> Indices:
    """Which alert explains which: that of a series those of its parts, unless the series without
    the parts that fire is good. Then the worst part explains the series."""
    lead = np.full(len(parents), -1, dtype=np.intp)
    for parent in np.unique(parents[fires & (parents >= 0)]):
        children = np.flatnonzero(fires & (parents == parent))
        if not fires[parent]:
            continue
        if rest_value(int(parent), children) < limit:
            lead[parent] = children[value[children].argmax()]
        else:
            lead[children] = parent
    return lead


def _detectable_drop(per_day: Floats, usual: Floats, limit: float) -> Floats:
    """The smallest drop, as a share, that the attempts of a day show; NaN where none does: the
    attempts times the Kullback-Leibler divergence of the dropped share reach the threshold."""
    bad = np.where(np.isnan(usual), 0.5, usual)[:, None]
    changed = np.minimum(bad + _DROPS, 0.999)
    divergence = changed * np.log(changed / bad) + (1 - changed) * np.log((1 - changed) / (1 - bad))
    seen = (per_day[:, None] * divergence >= limit) & (bad + _DROPS <= 1)
    drops = np.where(seen.any(axis=1), _DROPS[seen.argmax(axis=1)], np.nan)
    shown: Floats = np.where(np.isnan(usual), np.nan, drops)
    return shown


def _judge_traffic(
    slots: Slots, usual: UsualFigures, alerting: Alerting, parents: Indices
) -> Judgement:
    limit = threshold(Measure.TRAFFIC, usual)
    counted = slots.starts >= alerting.cleared_ms[:, None]
    growth = statistic(growth_evidence(slots, usual, limit) * counted)
    stop = statistic(stop_evidence(slots, usual) * counted)
    grows = growth.value / limit >= stop.value / limit
    value = np.where(grows, growth.value, stop.value)
    start = np.where(value > 0, np.where(grows, growth.start, stop.start), 0)
    hours = _since(np.broadcast_to(slots.length_hours, counted.shape), start)
    requested = slots.figures["requested"]
    total = _since(requested, start)
    per_hour = usual.traffic[:, slots.hour_of_week]
    baseline = _since(per_hour * slots.length_hours, start) / hours
    fires = (value >= limit) | ~np.isnan(alerting.observed)

    def rest_value(parent: int, children: Indices) -> float:
        of_children = [growth_evidence(slots, usual, limit)[children].sum(axis=0)]
        return float(statistic(growth_evidence(slots, usual, limit)[parent] - of_children[0]).value)

    return Judgement(
        measure=Measure.TRAFFIC,
        # In the first week all places are new.
        is_silent=(requested.sum(axis=1) + usual.requested_per_day == 0)
        | (usual.days < LEAST_DAYS),
        evidence=value / limit,
        recovery=_traffic_recovery(slots, usual, alerting),
        start_ms=slots.starts[start],
        n=total,
        observed=total / hours,
        baseline=baseline,
        detectable_drop=np.full(len(parents), np.nan),
        chance=FALSE_ALARMS * np.exp(np.minimum(limit - value, 0.0)),
        lead=_leads(fires, value, parents, limit, rest_value),
    )


def _traffic_recovery(slots: Slots, usual: UsualFigures, alerting: Alerting) -> Floats:
    """Of pumping, the evidence of the usual unexplained attempts against those of the alert; of
    stopped traffic, that of traffic."""
    observed, counted = alerting.observed, slots.starts >= alerting.since_ms[:, None]
    fires = ~np.isnan(observed)
    expected = usual_unexplained(slots, usual)
    an_hour = np.divide(expected, slots.length_hours)
    seen = np.maximum(np.where(fires, observed, 1.0)[:, None], 2.0 * an_hour)
    less = np.minimum(
        (seen - an_hour) * slots.length_hours,
        RECOVERED / _LEAST_QUIET_HOURS * slots.length_hours,
    )
    calm = less - np.maximum(unexplained(slots, usual), 0.0) * np.log(seen / an_hour)
    stopped = fires & (observed < usual.traffic.mean(axis=1) * 0.5)
    value = np.where(
        stopped,
        statistic(-stop_evidence(slots, usual) * counted).value,
        statistic(calm * counted).value,
    )
    part: Floats = np.where(fires, value / RECOVERED, 0.0)
    return part


def _judge_price(
    series: Sequence[Series], slots: Slots, usual: UsualFigures, parents: Indices
) -> Judgement:
    """Of countries and carriers: the price of a channel depends on its mix of countries."""
    window = slots.ends > slots.ends[-1] - PRICE_WINDOW_HOURS * 3_600_000
    priced = slots.figures["priced"][:, window].sum(axis=1)
    cost = slots.figures["cost_micros"][:, window].sum(axis=1)
    risen, price = risen_prices(priced, cost, usual)
    has_prices = ~np.isnan(usual.prices).all(axis=1)
    median = np.full(len(series), np.nan)
    median[has_prices] = np.nanmedian(usual.prices[has_prices], axis=1)
    applies = np.array([not name.is_channel for name in series], dtype=np.bool_)
    silent = ~applies | ~has_prices | np.isnan(price)
    risen &= ~silent

    def rest_value(parent: int, children: Indices) -> float:
        return 0.0 if len(children) == 1 else 1.0

    return Judgement(
        measure=Measure.PRICE,
        is_silent=silent,
        evidence=risen.astype(float),
        recovery=(~risen).astype(float),
        start_ms=np.full(len(series), slots.starts[window][0]),
        n=priced,
        observed=price,
        baseline=median,
        detectable_drop=np.full(len(series), np.nan),
        chance=np.zeros(len(series)),
        lead=_leads(risen, priced, parents, 1.0, rest_value),
    )

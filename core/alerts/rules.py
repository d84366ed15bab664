"""Judges whether an hour of a series is worse than expected, for many series and hours at once.

Three measures of the 60 minutes before a moment:

    confirmed  confirmed attempts, of those requested
    within_60  attempts delivered within 60 seconds, of those requested
    traffic    attempts requested; a sudden increase is how SMS pumping begins

The baseline is the expected value: the median of the same hour on the same weekday of four weeks
before, so that one bad week does not lower it. The rate of a small series is shrunk towards that of
its channel: more for fewer attempts, and more for similar countries of the channel (empirical
Bayes; the weight of the channel by the method of moments).

A rate is bad by either of two rules. The fixed rule detects a drop of more than ten points from 100
attempts on, as Plivo's own alerts do; of 150 series with 20,000 messages a day, one has so many.
The exact rule uses, for every n, the probability of so few if the rate were only three points below
the baseline: P(X <= x; n, p0 - 0.03) < alpha. Each rule detects drops that the other misses.

Decision: the fixed rule also requires a probability as small as that of ten points of 100 attempts
at 95 %, where it was measured. Where half of all codes arrive, ten points are two standard
deviations, which would raise an alert a day.

Decision: alpha is divided by the number of series and checks. Measured over 42 days each of 151
healthy series, false alerts a day at 20,000 · 200,000 · 2,000,000 messages a day: none · none ·
0.02 where all deliver 95 %, and none · 0.07 · 0.29 where countries differ between 75 and 99 %.
Traffic in bursts varies more than a binomial: two checks in a row and the three points are the
margin.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from core.alerts.states import Finding
from core.alerts.tails import Bools, Floats, binomial_tail, critical_count, poisson_tail

#: Checks are made every quarter of an hour, on the 60 minutes before.
CHECKS_A_DAY = 96
WEEKS = 4

#: A baseline is a whole number of millionths and a count is whole, so a drop of exactly ten points
#: is recognised without rounding: floats differ in their last digit there.
UNIT = 1_000_000

FIXED_FROM = 100
FIXED_DROP = 100_000  # millionths
FIXED_CHANCE = 4e-5
EXACT_MARGIN = 30_000  # millionths
FALSE_ALERTS_A_DAY = 0.1
#: Fewer attempts in the hours of the four weeks are no baseline. With five attempts an hour no drop
#: is significant, not even from all to none.
LEAST_HISTORY = 20
#: An hour is good again if its probability is at least this and, from FIXED_FROM attempts on, its
#: drop is at most half of FIXED_DROP.
GOOD_CHANCE = 0.05
GOOD_DROP = FIXED_DROP // 2

#: The lowest number of attempts that is expected in an hour.
LEAST_TRAFFIC = 0.5
#: Fewer attempts in an hour are no attack: they may be a demo, and pumping would earn nothing.
LEAST_SPIKE = 20
#: Traffic grows and comes in bursts: an increase of less than half is no alert, however certain.
SPIKE_FROM = 1.5
SPIKE_GOOD = 1.25
SPIKE_GOOD_CHANCE = 0.01

#: The weight of the parent's rate, in attempts.
_LEAST_PRIOR_WEIGHT, _MOST_PRIOR_WEIGHT = 20.0, 500.0


class Measure(StrEnum):
    """The measures that are checked."""

    CONFIRMED = "confirmed"
    WITHIN_60 = "within_60"
    TRAFFIC = "traffic"


RATES = (Measure.CONFIRMED, Measure.WITHIN_60)


class Rule(StrEnum):
    """The rule by which an hour is bad."""

    FIXED = "fixed"  # ten points down, n >= 100
    EXACT = "exact"  # too unlikely by the binomial, any n
    SPIKE = "spike"  # too many by the Poisson distribution


@dataclass(frozen=True, slots=True)
class Hours:
    """Counts of hours: (series, moments). The last row is the sum of the channels.

    The same hours of the weeks before have one axis more, the last: (series, moments, WEEKS).
    `parents` is the row of each series' parent: of a country its channel, of a channel the last.
    `ran` is whether traffic had begun by then, (moments, WEEKS): if not, a zero is no data.
    """

    parents: NDArray[np.intp]
    ran: Bools
    requested: Floats
    requested_before: Floats
    good: dict[Measure, Floats]  # confirmed, and delivered within 60 s
    good_before: dict[Measure, Floats]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The judgement of a measure: (series, moments), without the last row of `Hours`.

    `observed` and `baseline` are shares, for traffic attempts an hour; NaN if there is none. An
    hour that is neither bad nor good is in the middle, unless it is `silent`.
    """

    measure: Measure
    silent: Bools
    bad: Bools
    good: Bools
    exact: Bools  # bad by the exact rule; else by the fixed one
    observed: Floats
    baseline: Floats

    def finding(self, series: int, moment: int) -> Finding:
        """The finding of a cell."""
        if self.silent[series, moment]:
            return Finding.SILENT
        if self.bad[series, moment]:
            return Finding.BAD
        return Finding.GOOD if self.good[series, moment] else Finding.MIDDLE

    def rule(self, series: int, moment: int) -> Rule | None:
        """The rule by which a cell is bad; None if it is not."""
        if not self.bad[series, moment]:
            return None
        if self.measure is Measure.TRAFFIC:
            return Rule.SPIKE
        return Rule.EXACT if self.exact[series, moment] else Rule.FIXED


def alpha(series: int) -> float:
    """The probability below which an hour is bad, with so many series checked at once."""
    return FALSE_ALERTS_A_DAY / (max(series, 1) * CHECKS_A_DAY * len(Measure))


def judge(hours: Hours) -> list[Judgement]:
    """Judge every measure of all series."""
    limit = alpha(len(hours.parents))
    rates = [judge_rate(hours, measure, limit) for measure in RATES]
    return [*rates, judge_traffic(hours, limit)]


def judge_rate(hours: Hours, measure: Measure, limit: float) -> Judgement:
    """Judge a rate; `limit` is alpha."""
    n, x = hours.requested[:-1], hours.good[measure][:-1]
    baseline, history = _rates_expected(
        hours.good_before[measure], hours.requested_before, hours.parents
    )
    silent = (n == 0) | (history < LEAST_HISTORY) | np.isnan(baseline)
    expected = _millionths(np.where(silent, 0.0, baseline))
    probability = _tail_probability(x, n, expected)
    exact = probability < limit
    bad = exact | _is_fixed_bad(x, n, expected)
    within_drop = _shortfall(x, n, expected) <= n * GOOD_DROP
    good = ~silent & ~bad & (probability > GOOD_CHANCE) & ((n < FIXED_FROM) | within_drop)
    observed = np.divide(x, n, out=np.full(n.shape, np.nan), where=n > 0)
    baseline = np.where(silent, np.nan, expected / UNIT)
    return Judgement(measure, silent, bad, good, exact, observed, baseline)


def judge_traffic(hours: Hours, limit: float) -> Judgement:
    """Judge how many attempts there were; `limit` is alpha. Fewer than usual is no alert."""
    before = hours.requested_before[:-1]
    ran = np.broadcast_to(hours.ran, before.shape)
    weeks = ran.sum(axis=-1)
    median = _median(before, ran)
    silent = weeks == 0
    usual = np.maximum(np.where(silent, 0.0, median), LEAST_TRAFFIC)
    # A median of so few weeks is uncertain: it may be too low by this much.
    most = usual + np.sqrt(usual / np.maximum(weeks, 1))
    x = hours.requested[:-1]
    probability = np.ones(x.shape)
    is_high = ~silent & (x > most)
    probability[is_high] = poisson_tail(x[is_high], most[is_high])
    bad = is_high & (probability < limit) & (x >= np.maximum(SPIKE_FROM * usual, LEAST_SPIKE))
    good = ~silent & ~bad & ((probability > SPIKE_GOOD_CHANCE) | (x <= SPIKE_GOOD * usual))
    baseline = np.where(silent, np.nan, usual)
    return Judgement(Measure.TRAFFIC, silent, bad, good, np.zeros(x.shape, bool), x, baseline)


def detectable_drop(n: Floats, baseline: Floats, limit: float) -> Floats:
    """How far below its baseline a rate must be to be bad with so many attempts, as a share (0.1
    are ten points); NaN where no drop would be."""
    comparable = (n > 0) & ~np.isnan(baseline)
    expected = _millionths(np.where(comparable, baseline, 0.0))

    def is_bad(x: Floats) -> Bools:
        return (_tail_probability(x, n, expected) < limit) | _is_fixed_bad(x, n, expected)

    critical = critical_count(n, is_bad)
    drop = _shortfall(critical, n, expected) / np.where(comparable, n * UNIT, 1.0)
    return np.where(comparable & (critical >= 0), drop, np.nan)


def _millionths(rate: Floats) -> Floats:
    return np.rint(rate * UNIT)


def _shortfall(x: Floats, n: Floats, expected: Floats) -> Floats:
    """How far x of n is below the expected millionths, in millionths times n: whole and exact."""
    return n * expected - x * UNIT


def _tail_probability(x: Floats, n: Floats, expected: Floats) -> Floats:
    """The probability of so few, by the exact rule. 1 where the rate is above the compared rate:
    that cannot be bad and needs no tail."""
    probability = np.ones(n.shape)
    low = _shortfall(x, n, expected) > n * EXACT_MARGIN
    probability[low] = binomial_tail(x[low], n[low], (expected[low] - EXACT_MARGIN) / UNIT)
    return probability


def _is_fixed_bad(x: Floats, n: Floats, expected: Floats) -> Bools:
    """Whether an hour is bad by the fixed rule."""
    bad = (n >= FIXED_FROM) & (_shortfall(x, n, expected) > n * FIXED_DROP)
    bad[bad] = binomial_tail(x[bad], n[bad], expected[bad] / UNIT) < FIXED_CHANCE
    return bad


def _rates_expected(x: Floats, n: Floats, parents: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Baselines of the series (without the last row), and the attempts that they are based on."""
    rates = np.divide(x, n, out=np.zeros(x.shape), where=n > 0)
    own, weight = _median(rates, n > 0), n.sum(axis=-1)
    prior_weight = _prior_weight(own, weight, parents)
    expected = own.copy()
    # Parents before their children: the channels, whose parent is the last row, then the countries.
    channels = parents == len(parents)
    for rows in (np.flatnonzero(channels), np.flatnonzero(~channels)):
        parent = parents[rows]
        expected[rows] = _shrunk(own[rows], weight[rows], expected[parent], prior_weight[parent])
    return expected[:-1], weight[:-1]


def _shrunk(own: Floats, weight: Floats, parent: Floats, prior_weight: Floats) -> Floats:
    total = np.where(weight > 0, own, 0.0) * weight + parent * prior_weight
    mixed = total / (weight + prior_weight)
    return np.where(np.isnan(parent), own, mixed)


def _prior_weight(own: Floats, weight: Floats, parents: NDArray[np.intp]) -> Floats:
    """The weight of each row's rate in the rates of its children, in attempts.

    Method of moments: the variance between the children is the variance of their rates beyond
    that of chance; the weight is a binomial's variance divided by it.
    """
    has_rate = (weight[:-1] > 0) & ~np.isnan(own[parents])
    rate = np.where(np.isnan(own), 0.0, own)
    variance = rate * (1 - rate)
    spread = np.zeros(own.shape)
    total = np.zeros(own.shape)
    deviation = weight[:-1] * (rate[:-1] - rate[parents]) ** 2 - variance[parents]
    np.add.at(spread, parents, np.where(has_rate, deviation, 0.0))
    np.add.at(total, parents, np.where(has_rate, weight[:-1], 0.0))
    between = np.divide(spread, total, out=np.zeros(own.shape), where=total > 0)
    is_even = between <= variance / _MOST_PRIOR_WEIGHT
    prior_weight = np.divide(
        variance, between, out=np.full(own.shape, _MOST_PRIOR_WEIGHT), where=~is_even
    )
    bounded: Floats = np.maximum(prior_weight, _LEAST_PRIOR_WEIGHT)
    return bounded


def _median(values: Floats, counted: Bools) -> Floats:
    """The median of the counted values along the last axis; NaN where there are none."""
    ordered = np.sort(np.where(counted, values, np.inf), axis=-1)
    n = counted.sum(axis=-1)
    some = np.maximum(n, 1)
    low = np.take_along_axis(ordered, ((some - 1) // 2)[..., None], axis=-1)[..., 0]
    high = np.take_along_axis(ordered, (some // 2)[..., None], axis=-1)[..., 0]
    return np.where(n > 0, (low + high) / 2, np.nan)

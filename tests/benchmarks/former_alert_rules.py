"""The alert rules that the engine replaced, for the benchmark alone: it compares with them.

Every quarter of an hour the last 60 minutes of each channel and country are compared with the same
hour of four weeks before: by a fixed rule (ten points down, from 100 attempts on) and by the exact
binomial; two bad checks in a row raise an alert, two good ones end it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.alerts.states import AlertState

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: A term this small beside the sum no longer changes it.
_NOTHING = 1e-17
_TABLE = np.array([math.lgamma(k + 1) for k in range(1024)])


def binomial_tail(x: ArrayLike, n: ArrayLike, p: ArrayLike) -> Floats:
    """P(X <= x) of n trials that succeed with p each; the arguments are broadcast."""
    xs, ns, ps = (np.array(a, dtype=float) for a in np.broadcast_arrays(x, n, p))
    tail = np.where((xs >= ns) | (ps <= 0) & (xs >= 0), 1.0, 0.0)
    open_ = (xs >= 0) & (xs < ns) & (ps > 0) & (ps < 1)
    left = open_ & (xs <= ns * ps)
    tail[left] = _binomial_left(xs[left], ns[left], ps[left])
    right = open_ & ~left
    tail[right] = 1 - _binomial_left(ns[right] - xs[right] - 1, ns[right], 1 - ps[right])
    return tail


def poisson_tail(x: ArrayLike, mean: ArrayLike) -> Floats:
    """P(X >= x) of a count with this mean, above 0; the arguments are broadcast."""
    xs, means = (np.array(a, dtype=float) for a in np.broadcast_arrays(x, mean))
    tail = np.ones(xs.shape)
    right = xs > means
    tail[right] = _poisson_right(xs[right], means[right])
    left = (xs > 0) & ~right
    tail[left] = 1 - _poisson_left(xs[left] - 1, means[left])
    return tail


def _binomial_left(x: Floats, n: Floats, p: Floats) -> Floats:
    log_first = (
        _log_factorial(n)
        - _log_factorial(x)
        - _log_factorial(n - x)
        + x * np.log(p)
        + (n - x) * np.log1p(-p)
    )
    odds, rest = (1 - p) / p, n - x + 1
    return np.exp(log_first) * _outwards(lambda i, at: (x[at] - i) * odds[at] / (rest[at] + i), x)


def _poisson_right(x: Floats, mean: Floats) -> Floats:
    endless = np.full(x.shape, np.inf)
    first = np.exp(x * np.log(mean) - mean - _log_factorial(x))
    return first * _outwards(lambda i, at: mean[at] / (x[at] + i + 1), endless)


def _poisson_left(x: Floats, mean: Floats) -> Floats:
    first = np.exp(x * np.log(mean) - mean - _log_factorial(x))
    return first * _outwards(lambda i, at: (x[at] - i) / mean[at], x)


def _outwards(ratio: Callable[[int, NDArray[np.intp]], Floats], most: Floats) -> Floats:
    """1 + r0 + r0 r1 + …, where `ratio(i, at)` gives the r_i of the cells `at`; a cell has at most
    `most` of them."""
    total = np.ones(most.shape)
    at = np.flatnonzero(most > 0)
    term = np.ones(at.shape)
    i = 0
    while at.size:
        term = term * ratio(i, at)
        total[at] += term
        i += 1
        going = (term > _NOTHING * total[at]) & (most[at] > i)
        at, term = at[going], term[going]
    return total


def _log_factorial(k: Floats) -> Floats:
    """Stirling's series where the table ends: there it is exact to the last digit."""
    large = np.maximum(k, len(_TABLE))
    series = (
        (large + 0.5) * np.log(large)
        - large
        + 0.5 * math.log(2 * math.pi)
        + 1 / (12 * large)
        - 1 / (360 * large**3)
    )
    small = _TABLE[np.minimum(k, len(_TABLE) - 1).astype(np.int64)]
    return np.where(k < len(_TABLE), small, series)


class Finding(StrEnum):
    """The result of a check."""

    SILENT = "silent"  # nothing to judge
    GOOD = "good"
    MIDDLE = "middle"  # neither: not good enough to end an alert, not bad enough to raise one
    BAD = "bad"


#: Checks in a row that raise an alert, and that end it.
CONSECUTIVE = 2
#: Silent checks in a row after which an alert becomes no_data: two hours.
MOST_SILENT = 8


@dataclass(frozen=True, slots=True)
class Standing:
    """A state, how many checks in a row support it, and how many in a row were silent."""

    state: AlertState = AlertState.NO_DATA
    streak: int = 0
    silent: int = 0


def step(before: Standing, finding: Finding) -> Standing:
    """The standing after another check."""
    match finding:
        case Finding.SILENT:
            silent = before.silent + 1
            if before.state.is_alert and silent < MOST_SILENT:
                return Standing(before.state, before.streak, silent)
            return Standing(AlertState.NO_DATA, silent=silent)
        case Finding.BAD:
            if before.state.is_alert:
                return Standing(AlertState.FIRING, CONSECUTIVE)
            streak = before.streak + 1 if before.state is AlertState.PENDING else 1
            state = AlertState.FIRING if streak >= CONSECUTIVE else AlertState.PENDING
            return Standing(state, streak)
        case Finding.MIDDLE:
            if before.state is AlertState.RECOVERING:
                # The two good checks must be in a row.
                return Standing(AlertState.RECOVERING)
            return before if before.state.is_alert else Standing(AlertState.OK)
        case Finding.GOOD:
            if not before.state.is_alert:
                return Standing(AlertState.OK)
            streak = before.streak + 1 if before.state is AlertState.RECOVERING else 1
            done = streak >= CONSECUTIVE
            return Standing(AlertState.OK) if done else Standing(AlertState.RECOVERING, streak)


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


class FormerMeasure(StrEnum):
    """The measures that are checked."""

    CONFIRMED = "confirmed"
    WITHIN_60 = "within_60"
    TRAFFIC = "traffic"


RATES = (FormerMeasure.CONFIRMED, FormerMeasure.WITHIN_60)


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
    good: dict[FormerMeasure, Floats]  # confirmed, and delivered within 60 s
    good_before: dict[FormerMeasure, Floats]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The judgement of a measure: (series, moments), without the last row of `Hours`.

    `observed` and `baseline` are shares, for traffic attempts an hour; NaN if there is none. An
    hour that is neither bad nor good is in the middle, unless it is `silent`.
    """

    measure: FormerMeasure
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


def alpha(series: int) -> float:
    """The probability below which an hour is bad, with so many series checked at once."""
    return FALSE_ALERTS_A_DAY / (max(series, 1) * CHECKS_A_DAY * len(FormerMeasure))


def judge(hours: Hours) -> list[Judgement]:
    """Judge every measure of all series."""
    limit = alpha(len(hours.parents))
    rates = [judge_rate(hours, measure, limit) for measure in RATES]
    return [*rates, judge_traffic(hours, limit)]


def judge_rate(hours: Hours, measure: FormerMeasure, limit: float) -> Judgement:
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
    return Judgement(FormerMeasure.TRAFFIC, silent, bad, good, np.zeros(x.shape, bool), x, baseline)


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

"""The shares that are tested in every place, with what is expected of them.

A share is k failures of n. Expected is the place's own past, as far as there is enough of it, mixed
with the rate of the channel (empirical Bayes, the weight by the method of moments; Efron & Morris,
Journal of the American Statistical Association 70, 1975). A place that has existed for less than
half of the days before has no past of its own: what is usual elsewhere is expected there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from core.findings.evidence import Evidence
from core.findings.places import Bools, Floats

#: A column of counters as a function of its name: (series, …).
Column = Callable[[str], Floats]
UNCLEAR = "unconfirmed"


class Share(StrEnum):
    """What is tested, in the order in which one explains the next."""

    UNCLEAR = "unclear"
    FAILED = "failed"
    SLOW = "slow"
    UNCONVERTED = "unconverted"
    UNREPORTED = "unreported"


@dataclass(frozen=True, slots=True)
class ShareDefinition:
    """`k` of `n`. An excess below `least` of n is not named, however certain it is."""

    k: Callable[[Column], Floats]
    n: Callable[[Column], Floats]
    least: float


def _failed(column: Column) -> Floats:
    return column("failed") + column("undelivered") + column("rejected")


def _clear(column: Column) -> Floats:
    return column("requested") - column(UNCLEAR)


def _late(column: Column) -> Floats:
    """Deliveries by how late they are: a third for each of 10, 30 and 60 seconds."""
    in_time = column("within_10") + column("within_30") + column("within_60")
    return np.maximum(column("delivered") - in_time / 3, 0)


def _unreported(column: Column) -> Floats:
    return np.maximum(column("accepted") - column("delivered") - _failed(column), 0)


DEFINITIONS = {
    Share.UNCLEAR: ShareDefinition(
        lambda column: column(UNCLEAR), lambda column: column("requested"), 0.01
    ),
    Share.FAILED: ShareDefinition(_failed, _clear, 0.02),
    Share.SLOW: ShareDefinition(_late, lambda column: column("delivered"), 0.10),
    Share.UNCONVERTED: ShareDefinition(
        lambda column: np.maximum(column("started") - column("converted"), 0),
        lambda column: column("started"),
        0.02,
    ),
    Share.UNREPORTED: ShareDefinition(_unreported, lambda column: column("accepted"), 0.25),
}
#: What is expected where nothing is known, and the weight of that in attempts.
_UNKNOWN_SHARE, _LEAST_WEIGHT, _MOST_WEIGHT = 0.5, 10.0, 300.0
#: The correlation of the attempts of a day where the past does not show it, and the least one.
_USUAL_RHO, _LEAST_RHO = 3e-3, 1e-4
#: How many days of the past the estimate of all places of a level counts as.
_RHO_WEIGHT = 7
#: Days that differ from the usual ones by more deviations are left out: incidents are no baseline.
_OUTLIER = 4.0
_LEAST_SHARE = 5e-4


@dataclass(frozen=True, slots=True)
class Expectation:
    """Of each series: k of n in the range, and the expected share `q` with its weight: `own`
    attempts of the past, and `prior` of the channel. Of each place: `rho`, the correlation of the
    attempts of a day, with the degrees of freedom of its estimate."""

    k: Floats
    n: Floats
    q: Floats
    own: Floats
    prior: Floats
    rho: Floats
    freedom: Floats
    ripe_ms: float


def counts(evidence: Evidence, share: Share, steps: slice) -> tuple[Floats, Floats]:
    """(series,): k and n in some steps of the range."""
    definition = DEFINITIONS[share]
    now = _by_column(lambda name: evidence.column(name)[:, steps].sum(axis=1))
    n = definition.n(now)
    return np.minimum(definition.k(now), n), n


def established(evidence: Evidence) -> Bools:
    """The series that have existed for at least half of the days with traffic."""
    begun = np.flatnonzero(evidence.begun)
    if not len(begun):
        return np.zeros(len(evidence.places.names), dtype=np.bool_)
    had = evidence.past_column("requested") > 0
    first = np.where(had.any(axis=1), had.argmax(axis=1), had.shape[1])
    middle = begun[len(begun) // 2]
    return np.asarray(first <= middle, dtype=np.bool_)


def expectation(evidence: Evidence, share: Share, ripe_ms: float) -> Expectation:
    """What is expected of a share in the steps that end by `ripe_ms`."""
    definition = DEFINITIONS[share]
    k, n = counts(evidence, share, slice(evidence.ripe_steps(ripe_ms)))
    past = _by_column(evidence.past_column)
    past_k, past_n = definition.k(past), definition.n(past)
    is_kept = _usual_days(past_k, past_n) & established(evidence)[:, None]
    past_k, past_n = np.where(is_kept, past_k, 0), np.where(is_kept, past_n, 0)
    own_k, own = past_k.sum(axis=1), past_n.sum(axis=1)
    usual, weight = _elsewhere(evidence, k, n, own_k, own)
    q = np.clip((own_k + weight * usual) / (own + weight), _LEAST_SHARE, 1 - _LEAST_SHARE)
    own_q = np.divide(own_k, own, out=q.copy(), where=own > 0)
    rho, freedom = _correlation(evidence, past_k, past_n, own_q)
    return Expectation(k, n, q, own, weight, rho, freedom, ripe_ms)


def _by_column(values: Column) -> Column:
    """Each column once."""
    cache: dict[str, Floats] = {}

    def column(name: str) -> Floats:
        if name not in cache:
            cache[name] = values(name)
        return cache[name]

    return column


def _usual_days(k: Floats, n: Floats) -> Bools:
    """Which days are like most of the series' days: (series, days)."""
    rate = np.divide(k, n, out=np.zeros(k.shape), where=n > 0)
    order = np.argsort(rate, axis=1, kind="stable")
    cumulated = np.take_along_axis(n, order, axis=1).cumsum(axis=1)
    total = n.sum(axis=1, keepdims=True)
    middle = (cumulated < total / 2).sum(axis=1, keepdims=True)
    middle = np.minimum(middle, max(0, k.shape[1] - 1))
    if not k.shape[1]:
        return np.ones(k.shape, dtype=np.bool_)
    median = np.take_along_axis(np.take_along_axis(rate, order, axis=1), middle, axis=1)
    # A median of few attempts is no estimate.
    days = np.maximum((n > 0).sum(axis=1, keepdims=True), 1)
    pooled = np.divide(k.sum(axis=1, keepdims=True), total, out=median.copy(), where=total > 0)
    q = np.clip(np.where(total / days < 20, pooled, median), 0.01, 0.99)
    spread = np.sqrt(n * q * (1 - q) * (1 + n * _USUAL_RHO))
    usual = np.abs(k - n * q) <= _OUTLIER * spread + 1
    # Where most attempts are of unusual days, there is no usual one.
    is_most = np.where(usual, n, 0).sum(axis=1, keepdims=True) >= total / 2
    return np.asarray(usual | ~is_most, dtype=np.bool_)


def _elsewhere(
    evidence: Evidence, k: Floats, n: Floats, own_k: Floats, own: Floats
) -> tuple[Floats, Floats]:
    """Of each series: the share in its channel, and the weight of that share. From the past; where
    the channel has none, from the range, without the series itself."""
    channels = [name.channel for name in evidence.places.names]
    has_past = own.sum() > 0
    base_k, base_n = (own_k, own) if has_past else (k, n)
    share, weight = np.empty(len(n)), np.empty(len(n))
    for channel in set(channels):
        inside = np.array([name == channel for name in channels])
        same = inside if base_n[inside].sum() > 0 else np.ones(len(n), dtype=np.bool_)
        total_k, total_n = base_k[same].sum(), base_n[same].sum()
        if has_past:
            others_k, others_n = np.full(inside.sum(), total_k), np.full(inside.sum(), total_n)
        else:
            others_k, others_n = total_k - base_k[inside], total_n - base_n[inside]
        between = _weight(base_k[same], base_n[same])
        weight[inside] = between
        share[inside] = (others_k + _LEAST_WEIGHT * _UNKNOWN_SHARE * (others_n < 20)) / np.maximum(
            others_n + _LEAST_WEIGHT * (others_n < 20), 1
        )
    return share, weight


def _weight(k: Floats, n: Floats) -> float:
    """How many attempts the common share counts as: a binomial's variance by the variance of the
    series' own shares beyond chance."""
    enough = n >= 20
    if enough.sum() < 3:
        return _LEAST_WEIGHT
    k, n = k[enough], n[enough]
    q = float(np.clip(k.sum() / n.sum(), _LEAST_SHARE, 1 - _LEAST_SHARE))
    variance = q * (1 - q)
    spread = (n * (k / n - q) ** 2).sum() - (len(n) - 1) * variance
    between = spread / (n.sum() - (n**2).sum() / n.sum())
    if between <= variance / _MOST_WEIGHT:
        return _MOST_WEIGHT
    return float(max(_LEAST_WEIGHT, variance / between))


def _correlation(evidence: Evidence, k: Floats, n: Floats, q: Floats) -> tuple[Floats, Floats]:
    """Of each place: rho by the method of moments from its days, mixed with that of all places of
    its level; and the degrees of freedom."""
    places = evidence.places
    expected = n * q[:, None]
    deviation = places.sums(k - expected)
    variance = places.sums(expected * (1 - q[:, None]))
    number = places.sums(n)
    days = (number > 0).sum(axis=1)
    correction = np.where(days > 1, days / np.maximum(days - 1, 1), 0)
    beyond = (deviation**2).sum(axis=1) * correction - variance.sum(axis=1) * (days > 1)
    pairs = (variance * np.maximum(number - 1, 0)).sum(axis=1) * (days > 1)
    of_level = np.full(len(places), _USUAL_RHO)
    for level in np.unique(places.levels):
        inside = places.levels == level
        if pairs[inside].sum() > 0:
            of_level[inside] = max(0.0, beyond[inside].sum() / pairs[inside].sum())
    own = np.maximum(np.divide(beyond, pairs, out=of_level.copy(), where=pairs > 0), 0)
    mixed = (days * own + _RHO_WEIGHT * of_level) / (days + _RHO_WEIGHT)
    freedom: Floats = days.astype(float) + _RHO_WEIGHT
    return np.maximum(mixed, _LEAST_RHO), freedom


Groups = NDArray[np.intp]

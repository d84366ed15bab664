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

from core.findings.evidence import History, PlaceEvidence
from core.findings.places import Bools, Floats, TrafficPlaces

#: A column of counters as a function of its name: (series, …).
Column = Callable[[str], Floats]
UNCLEAR = "unclear"


class Share(StrEnum):
    """The shares that are tested. An incident in one may explain an excess in those after it."""

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
_LEAST_KNOWN = 20
#: The correlation of the attempts of a day where the past does not show it, and the least one.
_USUAL_RHO, _LEAST_RHO = 3e-3, 1e-4
#: How many days of the past the estimate of all places of a level counts as.
_RHO_WEIGHT = 7
#: Days that differ from the usual ones by more deviations are left out: incidents are no baseline.
_OUTLIER = 4.0
_LEAST_SHARE = 5e-4


@dataclass(frozen=True, slots=True)
class Baseline:
    """The usual share by the days before. Of each series: k of n on its usual days. Of each place:
    `rho`, the correlation of the attempts of a day, with the degrees of freedom of its estimate."""

    k: Floats
    n: Floats
    rho: Floats
    freedom: Floats


@dataclass(frozen=True, slots=True)
class Expectation:
    """Of each series: k of n in the range up to `ripe_ms`, and the expected share `q` with its
    weight: `own` attempts of the days before, and `prior` of the channel. `known`: the series in
    which an incident explains the share; they are left out."""

    k: Floats
    n: Floats
    q: Floats
    own: Floats
    prior: Floats
    baseline: Baseline
    ripe_ms: float
    known: Bools


def counts(
    evidence: PlaceEvidence, share: Share, steps: slice, known: Bools
) -> tuple[Floats, Floats]:
    """(series,): k and n in some steps of the range; 0 in the `known` series."""
    definition = DEFINITIONS[share]
    column = _by_column(lambda name: evidence.column(name, steps))
    n = np.where(known, 0, definition.n(column))
    return np.minimum(definition.k(column), n), n


def baseline(history: History, share: Share) -> Baseline:
    """The usual share, computed once for a history."""
    return history.once(("baseline", share), lambda: _baseline(history, share))


def expectation(evidence: PlaceEvidence, share: Share, ripe_ms: float, known: Bools) -> Expectation:
    """What is expected of a share in the steps that end by `ripe_ms`."""
    k, n = counts(evidence, share, slice(evidence.ripe_steps(ripe_ms)), known)
    usual = baseline(evidence.history, share)
    elsewhere, weight = _elsewhere(evidence.places, k, n, usual)
    q = (usual.k + weight * elsewhere) / (usual.n + weight)
    q = np.clip(q, _LEAST_SHARE, 1 - _LEAST_SHARE)
    return Expectation(k, n, q, usual.n, weight, usual, ripe_ms, known)


def _baseline(history: History, share: Share) -> Baseline:
    definition = DEFINITIONS[share]
    k, n = definition.k(history.column), definition.n(history.column)
    is_kept = _usual_days(k, n) & history.established[:, None]
    k, n = np.where(is_kept, k, 0), np.where(is_kept, n, 0)
    rho, freedom = _correlation(history.places, k, n)
    return Baseline(k.sum(axis=1), n.sum(axis=1), rho, freedom)


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
    places: TrafficPlaces, k: Floats, n: Floats, usual: Baseline
) -> tuple[Floats, Floats]:
    """Of each series: the share in its channel, and the weight of that share. From the days before;
    where there are none, from the range, without the series itself."""
    has_past = usual.n.sum() > 0
    base_k, base_n = (usual.k, usual.n) if has_past else (k, n)
    share, weight = np.empty(len(n)), np.empty(len(n))
    for inside in places.channels:
        same = inside if base_n[inside].sum() > 0 else np.ones(len(n), dtype=np.bool_)
        own_k, own_n = (0.0, 0.0) if has_past else (base_k[inside], base_n[inside])
        others_k, others_n = base_k[same].sum() - own_k, base_n[same].sum() - own_n
        # Where next to nothing is known, little is expected.
        unknown = _LEAST_WEIGHT * (others_n < _LEAST_KNOWN)
        share[inside] = (others_k + unknown * _UNKNOWN_SHARE) / (others_n + unknown)
        weight[inside] = _weight(base_k[same], base_n[same])
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


def _correlation(places: TrafficPlaces, k: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Of each place: rho by the method of moments from its days, mixed with that of all places of
    its level; and the degrees of freedom. k of n: (series, days)."""
    total = n.sum(axis=1)
    q = np.divide(k.sum(axis=1), total, out=np.zeros(len(total)), where=total > 0)[:, None]
    deviation = places.sums(k - n * q)
    variance = places.sums(n * q * (1 - q))
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

"""Names the places that explain why a share is higher than expected.

One cause raises the share in all parts of a place alike. Of all places whose excess is significant,
the one with the largest likelihood ratio is named (the scan statistic of Kulldorff, Communications
in Statistics 26, 1997), unless a considerable part of it is as usual: a carrier's failure is not
its country's. Then the excess that it explains is expected, and the rest is searched again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.findings import sizing
from core.findings.evidence import PlaceEvidence
from core.findings.places import Bools, Floats, Level
from core.findings.shares import DEFINITIONS, Expectation, Share, counts
from core.findings.statistics import (
    deviance,
    discovery_limit,
    excess_deviate,
    tail_probability,
)

#: A place with fewer attempts is not judged.
LEAST_ATTEMPTS = 10
_LEAST_EXCESS = 3.0
#: A part is as usual if it has significantly less than half of the excess. A place is not named if
#: more than this share of its attempts is in such parts.
_UNAFFECTED, _SURE = 0.15, 2.5
_MOST_NAMED = 12


@dataclass(frozen=True, slots=True)
class Excess:
    """A place in which a share is higher than expected: k of n, `expected` of them."""

    share: Share
    place: int
    k: float
    n: float
    expected: float
    probability: float


@dataclass(frozen=True, slots=True)
class Assessment:
    """The test of every place: arrays over the places."""

    k: Floats
    n: Floats
    expected: Floats
    inflation: Floats
    probability: Floats


def relative_excess(k: float, n: float, expected: float) -> float:
    return (k - expected) / max(n - expected, 1e-9)


def assessed(evidence: PlaceEvidence, expected: Expectation) -> Assessment:
    """Test every place against what is expected."""
    places, n, q = evidence.places, expected.n, expected.q
    variance = n * q * (1 - q)
    weight = expected.own + expected.prior
    of_prior = expected.prior / weight
    columns = np.stack(
        [
            *(expected.k, n, n * q, variance),
            # The error of each series' own past, and that of the share that all have in common.
            n * variance * expected.own / weight**2,
            np.sqrt(n * variance / expected.prior) * of_prior,
        ],
        axis=1,
    )
    sum_k, sum_n, mean, sum_variance, own_error, common_error = places.sums(columns).T
    chance = 1 + np.maximum(sum_n / max(1.0, evidence.lengths) - 1, 0) * expected.baseline.rho
    error = np.divide(
        own_error * chance + common_error**2,
        sum_variance,
        out=np.zeros(len(sum_n)),
        where=sum_variance > 0,
    )
    inflation = chance + error
    deviate = excess_deviate(sum_k, sum_n, mean, inflation)
    # Satterthwaite: only what is beyond the binomial is estimated.
    freedom = expected.baseline.freedom * (inflation / np.maximum(chance - 1, 1e-6)) ** 2
    probability = tail_probability(deviate, np.minimum(freedom, 1e6))
    return Assessment(sum_k, sum_n, mean, inflation, probability)


def name_places(
    evidence: PlaceEvidence,
    share: Share,
    expected: Expectation,
    rate: float,
    blocked: Sequence[Bools] = (),
) -> list[Excess]:
    """The places that explain the excess, the largest likelihood ratio first. `rate`: the share of
    false ones (`discovery_limit`). `blocked`: series; no place among some of them is named."""
    named: list[Excess] = []
    blocked = list(blocked)
    while len(named) < _MOST_NAMED:
        tested = assessed(evidence, expected)
        is_tested = evidence.places.is_named & (tested.n >= LEAST_ATTEMPTS)
        limit = discovery_limit(tested.probability[is_tested], rate)
        place = next(_candidates(evidence, share, expected, tested, limit, blocked), None)
        if place is None:
            break
        k, n, mean = tested.k[place], tested.n[place], tested.expected[place]
        named.append(Excess(share, place, k, n, mean, float(tested.probability[place])))
        members = evidence.places.members(place)
        blocked.append(members)
        expected = with_excess(expected, members, relative_excess(k, n, mean))
    return named


def with_excess(expected: Expectation, members: Bools, relative: Floats | float) -> Expectation:
    """The expectation if these series fail more often by this relative excess."""
    q = np.where(members, expected.q + (1 - expected.q) * relative, expected.q)
    return replace(expected, q=np.minimum(q, 0.9995))


def _candidates(
    evidence: PlaceEvidence,
    share: Share,
    expected: Expectation,
    tested: Assessment,
    limit: float,
    blocked: Sequence[Bools],
) -> Iterator[int]:
    places = evidence.places
    excess = tested.k - tested.expected
    with np.errstate(divide="ignore", invalid="ignore"):
        is_large = excess / tested.n >= DEFINITIONS[share].least
    is_candidate = (
        places.is_named
        & (tested.n >= LEAST_ATTEMPTS)
        & (excess >= _LEAST_EXCESS)
        & is_large
        & (tested.probability <= limit)
    )
    candidates = np.flatnonzero(is_candidate)
    if not len(candidates):
        return
    ratio = deviance(tested.k[candidates], tested.n[candidates], tested.expected[candidates])
    # Of a level with more places, one is higher by chance more easily.
    sizes = np.bincount(places.levels, minlength=len(Level))
    ratio = ratio - 2 * np.log(sizes[places.levels[candidates]])
    for place in candidates[np.argsort(-ratio)].tolist():
        members = places.members(place)
        if any(not (members & ~other).any() for other in blocked):
            continue
        if _is_uniform(evidence, share, expected, tested, place):
            yield place


def _is_uniform(
    evidence: PlaceEvidence, share: Share, expected: Expectation, tested: Assessment, place: int
) -> bool:
    """Whether the excess is in nearly all parts of the place, while it lasts."""
    course = sizing.course(evidence, place, expected.ripe_ms, expected.known)
    interval = sizing.share_interval(course, share, sizing.usual_share(expected, evidence, place))
    if interval is None:
        return False
    steps = slice(max(0, interval.first - course.begins), interval.last + 1 - course.begins)
    k, n = counts(evidence, share, steps, expected.known)
    sum_k, sum_n, mean = evidence.places.sums(np.stack([k, n, n * expected.q], axis=1)).T
    relative = relative_excess(sum_k[place], sum_n[place], mean[place])
    for part in evidence.places.parts(place):
        half = mean[part] + relative / 2 * (sum_n[part] - mean[part])
        below = excess_deviate(
            sum_n[part] - sum_k[part], sum_n[part], sum_n[part] - half, tested.inflation[part]
        )
        if sum_n[part][below > _SURE].sum() > _UNAFFECTED * sum_n[place]:
            return False
    return True

"""Tests whether a share is higher than expected, for many places at once.

The counts of a day vary more than a binomial: p-values allow for it by a quasi-likelihood
(McCullagh & Nelder, Generalized Linear Models, 1989, chapter 4). The variance of k of n is
n q (1 - q) (1 + (n - 1) rho), as of a beta-binomial; rho is estimated from the days before.
"""

from math import erfc, sqrt
from typing import Any

import numpy as np

from core.findings.places import Floats

#: The normal deviate of a tail of 0.02, the largest one that is computed.
_LEAST_NORMAL = 2.05


def deviance(k: Floats, n: Floats, mean: Floats) -> Floats:
    """Twice the log likelihood ratio of k of n against `mean` expected of n (binomial)."""
    ratio: Floats = _weighted_log(k, mean) + _weighted_log(n - k, n - mean)
    ratio *= 2
    return ratio


def excess_deviate(k: Floats, n: Floats, mean: Floats, inflation: Any = 1.0) -> Floats:
    """How many standard deviations k is above its mean, 0 if it is not above it.

    It is the signed root of the deviance, with a continuity correction: its tails are right for
    small counts, where those of (k - mean) / deviation are not. `inflation` is the variance
    relative to that of a binomial.
    """
    corrected = np.minimum(np.maximum(k - 0.5, mean), n)
    deviate: Floats = np.sqrt(np.maximum(deviance(corrected, n, mean), 0) / inflation)
    return deviate


def tail_probability(deviate: Floats, freedom: Floats) -> Floats:
    """The upper tail of Student's t with so many degrees of freedom, by Wallace's normal
    approximation (Annals of Mathematical Statistics 30, 1959). 0.5 in place of all
    tails above 0.02: none of these is significant, and most places have one."""
    normal = np.sqrt(freedom * np.log1p(deviate**2 / freedom)) * (8 * freedom + 1)
    normal /= 8 * freedom + 3
    tail = np.full(deviate.shape, 0.5)
    for at in np.flatnonzero(normal > _LEAST_NORMAL):
        tail[at] = 0.5 * erfc(normal[at] / sqrt(2))
    return tail


def discovery_limit(probabilities: Floats, rate: float) -> float:
    """The greatest p-value that is significant, such that at most the share `rate` of the
    significant ones is expected to be false; 0 if none is.

    Source: Benjamini & Hochberg, Journal of the Royal Statistical Society B 57 (1995), 289-300. If
    all places are equal, the probability of any significant one is at most `rate`.
    """
    ordered = np.sort(probabilities)
    is_below = ordered <= rate * np.arange(1, len(ordered) + 1) / max(1, len(ordered))
    return float(ordered[is_below][-1]) if is_below.any() else 0.0


def _weighted_log(k: Floats, mean: Floats) -> Floats:
    """k log(k / mean); 0 where k is 0."""
    logs: Floats = np.zeros(np.shape(k))
    np.divide(k, mean, out=logs, where=(k > 0) & (mean > 0))
    np.log(logs, out=logs, where=logs > 0)
    weighted: Floats = k * logs
    return weighted

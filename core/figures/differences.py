"""Judges whether figures of two ranges differ by more than chance and the usual variation.

A view of the page tests all figures with a coloured change at once, so each is tested at
FALSE_POSITIVE_RATE divided by their number: of a hundred views of usual traffic, less than one
shows a coloured change.

Days and hours differ by more than chance: carriers, countries and people vary. So the variation
between earlier windows, as long as the range but at most a day, is estimated and added to that of
chance (`Variation`). Where history is short, a typical variation is assumed.

Shares are compared on the arcsine scale (Anscombe 1948), on which the variance does not depend on
the share: the usual test of two proportions is wrong for small n and shares near 0 or 1. A quantile
is compared by the share of values above the common quantile, which needs no distribution.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, pi, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.figures.packing import Counts
from core.figures.rates import ENOUGH, Rate

#: The share of views of usual traffic that may show a coloured change, and how many figures a view
#: tests.
FALSE_POSITIVE_RATE = 0.005
TESTED_FIGURES = 5
_Z = NormalDist().inv_cdf(1 - FALSE_POSITIVE_RATE / TESTED_FIGURES / 2)
#: The assumed variation between windows: one point of a share of 95 %, two of one of 80 %. It
#: counts as `_ASSUMED_WINDOWS` of history; and a test has at least `_LEAST_FREEDOM`.
_ASSUMED_EXCESS, _ASSUMED_WINDOWS, _LEAST_FREEDOM = 0.002, 2, 8
#: The share of windows that are left out as incidents: those that differ most.
_LEFT_OUT = 1 / 8
#: A mean of costs needs so many earlier windows: its distribution is not known.
_LEAST_WINDOWS = 10


@dataclass(frozen=True, slots=True)
class Variation:
    """How shares vary from window to window beyond chance. `excess`: the variance of a window, in
    units of p * (1 - p). `windows`: how many windows it was estimated from."""

    excess: float = _ASSUMED_EXCESS
    windows: int = 0

    @classmethod
    def of(cls, k: Any, n: Any) -> "Variation":
        """Of earlier windows, in each of which k of n succeeded."""
        ks, ns = np.asarray(k, dtype=float), np.asarray(n, dtype=float)
        ks, ns = ks[ns >= ENOUGH], ns[ns >= ENOUGH]
        count = len(ns)
        if count < 2:
            return cls()
        places = _arcsine(ks, ns)
        centre = float(np.median(places))
        squares, share_kept = _without_largest(4 * (places - centre) ** 2)
        measured = squares.mean() / _kept_variance(share_kept) - (1 / (ns + 0.5)).mean()
        assumed = _ASSUMED_WINDOWS * _ASSUMED_EXCESS
        excess = (assumed + count * max(0.0, float(measured))) / (_ASSUMED_WINDOWS + count)
        return cls(excess, count)


def differ(now: Rate, before: Rate, variation: Variation, spans: float) -> bool:
    """Whether two shares differ. `spans`: how many windows of the variation each range has."""
    if not (now.n and before.n):
        return False
    first, second = _arcsine(np.array([now.k, before.k]), np.array([now.n, before.n])).tolist()
    chance = 1 / (now.n + 0.5) + 1 / (before.n + 0.5)
    spread = sqrt(chance + 2 * variation.excess / max(1.0, spans))
    critical = _critical(_LEAST_FREEDOM + variation.windows)
    return bool(2 * abs(first - second) > critical * spread)


def quantiles_differ(now: Counts, before: Counts, q: float, history: Counts, spans: float) -> bool:
    """Whether the q-quantiles of two histograms differ; `history`: (windows, bins)."""
    cumulated = (now + before).cumsum()
    place = int((cumulated < q * cumulated[-1]).sum())
    # The edge of the quantile's bin that divides closer to q, with values on both sides.
    shares = cumulated / max(1, cumulated[-1])
    lower = shares[place - 1] if place else 0
    if lower > 0 and (shares[place] == 1 or q - lower < shares[place] - q):
        place -= 1
    bins = slice(place + 1)
    below_now = Rate(int(now[bins].sum()), int(now.sum()))
    below_before = Rate(int(before[bins].sum()), int(before.sum()))
    variation = Variation.of(history[:, bins].sum(axis=1), history.sum(axis=1))
    return differ(below_now, below_before, variation, spans)


def means_differ(
    now: tuple[float, int],
    before: tuple[float, int],
    history: Sequence[tuple[float, int]],
    spans: float,
) -> bool | None:
    """Whether two means, each with the number of its values, differ, by the variation of the
    logarithm between earlier windows; None if there are too few of them."""
    windows = [(log(mean), n) for mean, n in history if n >= ENOUGH and mean > 0]
    if len(windows) < _LEAST_WINDOWS or min(now[1], before[1]) < ENOUGH:
        return None
    logs = np.array([value for value, _ in windows])
    usual_n = float(np.median([n for _, n in windows]))
    squares, share_kept = _without_largest((logs - np.median(logs)) ** 2)
    variance = float(squares.mean()) / _kept_variance(share_kept)
    # A range with fewer values than a usual window varies more.
    weight = sum(max(1 / max(1.0, spans), usual_n / n) for _, n in (now, before))
    difference = abs(log(now[0] / before[0]))
    return difference > _critical(len(windows) - 1) * sqrt(variance * weight)


def _arcsine(k: NDArray[Any], n: NDArray[Any]) -> NDArray[np.float64]:
    """Shares on a scale where their variance is 1 / (4 n + 2)."""
    places: NDArray[np.float64] = np.arcsin(np.sqrt((k + 0.375) / (n + 0.75)))
    return places


def _without_largest(squares: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """The squares without the largest, and the share of them that is left."""
    kept = len(squares) - int(np.ceil(len(squares) * _LEFT_OUT))
    return np.sort(squares)[:kept], kept / len(squares)


def _kept_variance(share: float) -> float:
    """The mean square of this share of normal deviates, the smallest ones."""
    z = NormalDist().inv_cdf((1 + share) / 2)
    return 1 - 2 * z * exp(-z * z / 2) / sqrt(2 * pi) / share


def _critical(freedom: int) -> float:
    """The two-sided critical value of Student's t, by the Cornish-Fisher expansion: right to 1 %
    from 8 degrees of freedom on."""
    z, v = _Z, max(freedom, 1)
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    )

"""Exact tails of the binomial and the Poisson distribution, for whole arrays at once.

scipy would be a dependency of 100 MB for two functions. A tail is summed from its largest term
outwards: each term follows from the one before it, and they shrink, so some thousand terms are
enough for any traffic. Relative error below 1e-9 up to a million attempts.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

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


def critical_count(n: ArrayLike, holds: Callable[[Floats], Bools]) -> Floats:
    """The greatest x from 0 to n - 1 for which `holds`, cell by cell; -1 where there is none.

    `holds` gets an array of counts in the shape of `n`. In each cell it is true up to some count,
    and false above it and at n.
    """
    ns = np.array(n, dtype=float)
    # Bisection. Invariant: `holds` is true at `low` (or low is -1), and false at `high`.
    low, high = np.full(ns.shape, -1.0), ns.copy()
    while (high - low > 1).any():
        middle = np.floor((low + high) / 2)
        # A cell that is done evaluates `holds` at its `low` again, so it does not change.
        true = holds(middle)
        low, high = np.where(true, middle, low), np.where(true, high, middle)
    return low


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

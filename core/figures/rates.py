"""Computes rates with their confidence interval, and percentiles from histograms."""

from dataclasses import dataclass
from math import erfc, isnan, nan, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.figures.layout import BINS
from core.figures.packing import MIDDLE_MS, Counts

#: The normal deviate of a two-sided interval of 95 %.
Z95 = 1.959963984540054
#: With fewer attempts a percentage is not shown: it would look more certain than it is.
ENOUGH = 10
QUANTILES = (0.5, 0.9, 0.95, 0.99)


def wilson(k: float, n: float) -> tuple[float, float]:
    """The Wilson score interval of k out of n, as fractions; (nan, nan) when n is 0.

    Source: Wilson 1927. Unlike the normal interval it has its coverage for small n too: five out
    of five means at least 57 %.
    """
    low, high = wilsons(np.array([k], dtype=float), np.array([n], dtype=float))
    return float(low[0]), float(high[0])


def wilsons(k: Any, n: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`wilson` of arrays: the lower bounds and the upper bounds."""
    ks, ns, z = np.asarray(k, dtype=float), np.asarray(n, dtype=float), Z95
    with np.errstate(divide="ignore", invalid="ignore"):
        p = ks / ns
        middle = p + z * z / (2 * ns)
        spread = z * np.sqrt(p * (1 - p) / ns + z * z / (4 * ns * ns))
        below = 1 + z * z / ns
        # Rounding may move a bound slightly outside of 0 to 1.
        return np.clip((middle - spread) / below, 0, 1), np.clip((middle + spread) / below, 0, 1)


@dataclass(frozen=True, slots=True)
class Rate:
    """k out of n."""

    k: int
    n: int

    @property
    def value(self) -> float:
        """The fraction; nan when n is 0."""
        return self.k / self.n if self.n else nan

    @property
    def low(self) -> float:
        """The lower bound of the 95 % interval; sort by this."""
        return wilson(self.k, self.n)[0]

    @property
    def high(self) -> float:
        """The upper bound of the 95 % interval."""
        return wilson(self.k, self.n)[1]

    @property
    def is_enough(self) -> bool:
        """Whether n is large enough to be shown as a percentage."""
        return self.n >= ENOUGH


def chance_of_fall(now: Rate, before: Rate) -> float:
    """The probability of a fall as large as this one, if both rates are equal (pooled z test, one
    tail); 1 without a fall."""
    if not (now.n and before.n) or now.value >= before.value:
        return 1.0
    return 0.5 * erfc(_deviate(now, before) / sqrt(2))


def _deviate(rate: Rate, other: Rate) -> float:
    pooled = (rate.k + other.k) / (rate.n + other.n)
    spread = sqrt(pooled * (1 - pooled) * (1 / rate.n + 1 / other.n))
    return abs(rate.value - other.value) / spread if spread > 0 else 0.0


def quantile(histogram: Counts, q: float) -> float:
    """The q-quantile in ms of a histogram; nan when it is empty. At most 4.4 % off.

    It is the geometric middle of the bin that holds the value of rank q * n.
    """
    return float(quantiles(histogram.reshape(1, BINS), q)[0])


def quantiles(histograms: Counts, q: float) -> NDArray[np.float64]:
    """`quantile` of several histograms, (histograms, bins)."""
    cumulated = histograms.cumsum(axis=1)
    total = cumulated[:, -1]
    rank = np.maximum(np.ceil(q * total), 1)
    place = np.minimum((cumulated < rank[:, None]).sum(axis=1), BINS - 1)
    return np.where(total > 0, MIDDLE_MS[place], nan)


def stepwise_quantiles(histograms: Counts, q: float) -> NDArray[np.float64]:
    """The q-quantile in ms of each step of (steps, bins), over as many steps as it needs.

    Neighbouring steps are grouped, in groups of the smallest size with which most non-empty groups
    hold enough values (`values_needed`). All steps of a group get its quantile; nan where the group
    holds too few, and everywhere if all steps together hold too few.
    """
    steps = len(histograms)
    no_values = np.full(steps, nan)
    totals = histograms.sum(axis=1)
    if totals.sum() < values_needed(q):
        return no_values
    for size in range(1, steps + 1):
        edges = np.arange(0, steps, size)
        counts = np.add.reduceat(totals, edges)
        enough = counts >= values_needed(q)
        if 2 * enough.sum() > (counts > 0).sum():
            values = quantiles(np.add.reduceat(histograms, edges, axis=0), q)
            return np.where(enough, values, nan).repeat(size)[:steps]
    return no_values


def values_needed(q: float) -> int:
    """How many values a percentile needs: ten above it (p99: 1,000)."""
    return round(10 / (1 - q))


def percentiles(histogram: Counts) -> dict[float, float | None]:
    """QUANTILES in ms; None for a quantile with too few values (`values_needed`)."""
    total = int(histogram.sum())
    quantiles_ms = {
        q: quantile(histogram, q) if total >= values_needed(q) else nan for q in QUANTILES
    }
    return {q: None if isnan(ms) else ms for q, ms in quantiles_ms.items()}

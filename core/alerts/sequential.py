"""Page's CUSUM test, for many series at once, on binomial and Poisson likelihood ratios.

The evidence of a slot of time is the logarithm of a likelihood ratio: how much better a certain
change explains its counts than the baseline does. Where a change would begin is unknown, so the
statistic is the greatest sum of evidence over all windows that end now, up to a day long:

    S(t) = max over s <= t of the evidence of the slots s … t, at least 0
         = max(0, S(t - 1) + evidence of the slot t)

So the window fits the traffic by itself: minutes for a busy series, hours for a small one. It is
computed from the counts of the last day, and nothing needs to be remembered between evaluations.

Of n slots without a change, at most n e^-h are expected to begin a run in which S reaches h,
whatever the traffic: that bounds the false alarms, also of many series together. For a change of
the assumed size no test with so few false alarms is faster in the worst case.

Sources: Page 1954 (Biometrika 41); Wald 1945 (Ann. Math. Stat. 16) for the likelihood ratios;
Lorden 1971 (Ann. Math. Stat. 42) for the bound; Moustakides 1986 (Ann. Stat. 14) for the optimum;
Lai 1998 (IEEE Trans. Inf. Theory 44) for the limited window; Hawkins & Olwell 1998 (Cumulative Sum
Charts and Charting for Quality Improvement) for counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Statistic:
    """The greatest evidence of a window that ends now, and the window's first slot."""

    value: Floats
    start: Indices

    def spread(self, rows: Indices, count: int) -> "Statistic":
        """The statistic of `count` series, of which these rows were tested: 0 for the others."""
        value, start = np.zeros(count), np.zeros(count, dtype=np.intp)
        value[rows], start[rows] = self.value, self.start
        return Statistic(value, start)


def statistic(evidence: Floats) -> Statistic:
    """The statistic at the end of the last axis, which holds slots in the order of time."""
    sums = np.cumsum(evidence[..., ::-1], axis=-1)
    longest = sums.shape[-1] - 1
    # Of equal windows the shortest: its first slot is the first with evidence.
    steps = sums.argmax(axis=-1)
    value = np.take_along_axis(sums, steps[..., None], axis=-1)[..., 0]
    return Statistic(np.maximum(value, 0.0), longest - steps)


def limited_sum(evidence: Floats, most: float) -> Floats:
    """Page's sum at the end of the last axis, kept from 0 to `most`: however much evidence there
    was before, the newest against it counts."""
    value = np.zeros(evidence.shape[:-1])
    for slot in np.moveaxis(evidence, -1, 0):
        value = np.clip(value + slot, 0.0, most)
    return value


def largest(tests: Sequence[Statistic]) -> Statistic:
    """Of several tests of the same series the one with the most evidence."""
    values, starts = (
        np.stack([test.value for test in tests]),
        np.stack([test.start for test in tests]),
    )
    best = values.argmax(axis=0)[None]
    return Statistic(
        np.take_along_axis(values, best, axis=0)[0], np.take_along_axis(starts, best, axis=0)[0]
    )


def binomial_evidence(
    bad: Floats, n: Floats, usual: Floats, changed: Floats, most: float
) -> Floats:
    """For bad attempts of n: that the share of bad ones is `changed` instead of `usual`, which is
    smaller: bad log(changed / usual) + (n - bad) log((1 - changed) / (1 - usual)). A bad attempt
    counts at most `most`; less evidence keeps the bound."""
    of_bad = np.minimum(np.log(changed / usual), most)
    of_good = np.log1p(-changed) - np.log1p(-usual)
    evidence: Floats = bad * of_bad + (n - bad) * of_good
    return evidence


def poisson_evidence(count: Floats, usual: Floats, factor: float) -> Floats:
    """For a count with a mean of at most `usual` (factor > 1) or at least `usual` (factor < 1):
    that the mean is `factor` times that: count log(factor) - usual (factor - 1)."""
    evidence: Floats = count * np.log(factor) - usual * (factor - 1)
    return evidence

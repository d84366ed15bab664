"""Finds since when a share has been higher.

The maximum-likelihood interval: of all intervals the one whose counts speak most for the higher
share against the usual one (Hinkley, Biometrika 57, 1970; its running sum is the CUSUM of Page,
Biometrika 41, 1954).
"""

from typing import NamedTuple

import numpy as np

from core.findings.places import Floats

_ROUNDS = 3
_MOST_SHARE = 0.9999
_ENDED = 3.0


class Interval(NamedTuple):
    """From a step to another one, both included."""

    first: int
    last: int


def change_interval(k: Floats, n: Floats, usual: Floats) -> Interval | None:
    """The steps in which k of n is higher than the usual share; None if there are none."""
    total = float(n.sum())
    if not total:
        return None
    relative = float((k.sum() - (n * usual).sum()) / max((n * (1 - usual)).sum(), 1e-9))
    relative = max(relative, 0.02)
    interval = None
    for _ in range(_ROUNDS):
        interval = best_interval(evidence_by_step(k, n, usual, relative))
        if interval is None:
            return None
        inside = slice(interval.first, interval.last + 1)
        succeeding = (n[inside] * (1 - usual[inside])).sum()
        excess = k[inside].sum() - (n[inside] * usual[inside]).sum()
        relative = float(np.clip(excess / max(succeeding, 1e-9), 0.02, 0.999))
    if interval is None:
        return None
    # It has ended only if what follows speaks clearly against the higher share.
    after = evidence_by_step(k, n, usual, relative)[interval.last + 1 :].sum()
    return interval if after < -_ENDED else Interval(interval.first, len(n) - 1)


def evidence_by_step(k: Floats, n: Floats, usual: Floats, relative: float) -> Floats:
    """The log likelihood ratio of each step for the higher share against the usual one."""
    high = np.minimum(usual + relative * (1 - usual), _MOST_SHARE)
    ratio: Floats = k * np.log(high / usual) + (n - k) * np.log((1 - high) / (1 - usual))
    return ratio


def best_interval(ratio: Floats) -> Interval | None:
    """The consecutive steps with the largest sum; None if no sum is above 0."""
    sums = np.concatenate([[0.0], np.cumsum(ratio)])
    lowest = np.minimum.accumulate(sums)
    gain = sums[1:] - lowest[:-1]
    if not len(gain) or gain.max() <= 0:
        return None
    last = int(gain.argmax())
    return Interval(first_step(ratio[: last + 1]), last)


def first_step(ratio: Floats) -> int:
    """From which step on the sum of the rest is largest; of equal ones the last."""
    sums = np.concatenate([[0.0], np.cumsum(ratio)])[:-1]
    return len(sums) - 1 - int(sums[::-1].argmin())

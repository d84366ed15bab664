"""Finds where traffic is missing or has grown, compared with the days before."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from core.findings.evidence import History, PlaceEvidence
from core.findings.places import Bools, Floats
from core.findings.statistics import discovery_limit, tail_probability

#: Traffic has gone if less than this part of it is left.
_LEFT = 0.1
#: Growth counts from 1.5 times the usual number and 20 more on.
_GROWTH, _LEAST_GROWTH, _SURE = 1.5, 20, 4.0
_LEAST_DAYS = 3


@dataclass(frozen=True, slots=True)
class Traffic:
    """Of each place: the number in the range, and the usual one with its variance by its mean."""

    number: Floats
    usual: Floats
    spread: Floats
    days: int

    @property
    def has_grown(self) -> np.ndarray:
        """Whether there is more than days usually differ."""
        deviation = np.sqrt(np.maximum(self.usual, 1) * self.spread)
        more = self.number - self.usual
        return (
            (self.days > 0)
            & (self.number >= _GROWTH * self.usual)
            & (more >= _LEAST_GROWTH)
            & (more > _SURE * deviation)
        )


class _Past(NamedTuple):
    """Of each place by the days since the first traffic: the numbers (places, days), the usual one,
    and its variance by its mean."""

    numbers: Floats
    usual: Floats
    spread: Floats


def traffic(evidence: PlaceEvidence, column: str) -> Traffic:
    """The traffic of every place by a column of counters."""
    number = evidence.places.sums(evidence.column(column))
    past = _past(evidence.history, column)
    lengths = evidence.lengths
    return Traffic(
        number, past.usual * lengths, past.spread * max(1.0, lengths), past.numbers.shape[1]
    )


def gone_places(evidence: PlaceEvidence, rate: float, known: Bools) -> list[int]:
    """The widest places without requests, or with hardly any, where there were some every day.
    `rate`: the share of false ones (`discovery_limit`). `known`: series that are left out."""
    places = evidence.places
    seen = traffic(evidence, "requested")
    if seen.days < _LEAST_DAYS:
        return []
    past = _past(evidence.history, "requested")
    is_tested = (past.numbers > 0).all(axis=1) & places.is_named
    is_gone = is_tested & (seen.number <= _LEFT * seen.usual)
    # Poisson deviance of the number against the usual one.
    number, usual = seen.number, np.maximum(seen.usual, 1e-9)
    logs = np.where(number > 0, number * np.log(np.maximum(number, 1e-9) / usual), 0)
    deviate = np.sqrt(np.maximum(2 * (logs - (number - usual)) / seen.spread, 0))
    probability = tail_probability(deviate, np.full(len(places), seen.days + 2.0))
    limit = discovery_limit(probability[is_tested], rate)
    named: list[int] = []
    covered = known.copy()
    for place in np.flatnonzero(is_gone & (probability <= limit)).tolist():
        members = places.members(place)
        if (members & ~covered).any():
            named.append(place)
            covered |= members
    return named


def _past(history: History, column: str) -> _Past:
    return history.once(("traffic", column), lambda: _read_past(history, column))


def _read_past(history: History, column: str) -> _Past:
    numbers = history.places.sums(history.column(column)[:, history.begun])
    places, days = numbers.shape
    if not days:
        return _Past(numbers, np.zeros(places), np.ones(places))
    mean = np.median(numbers, axis=1)
    variance = numbers.var(axis=1, ddof=1) if days > 1 else mean * 4
    spread = np.divide(variance, mean, out=np.ones(places), where=mean > 0)
    return _Past(numbers, mean, np.maximum(spread, 1))

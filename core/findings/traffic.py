"""Where traffic has gone or has grown, by the number of requests of the days before."""

from dataclasses import dataclass

import numpy as np

from core.findings.evidence import PlaceEvidence
from core.findings.places import Floats
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


def traffic(evidence: PlaceEvidence, column: str) -> Traffic:
    """The traffic of every place by a column of counters."""
    places = evidence.places
    number = places.sums(evidence.column(column))
    days = int(evidence.history.begun.sum())
    past = _past(evidence, column)
    if not days:
        return Traffic(number, np.zeros(len(places)), np.ones(len(places)), 0)
    mean = np.median(past, axis=1)
    variance = past.var(axis=1, ddof=1) if days > 1 else mean * 4
    spread = np.maximum(np.divide(variance, mean, out=np.ones(len(mean)), where=mean > 0), 1)
    return Traffic(number, mean * evidence.lengths, spread * max(1.0, evidence.lengths), days)


def gone(evidence: PlaceEvidence, rate: float) -> list[int]:
    """The widest places without requests, or with hardly any, where there were some every day.
    `rate`: the share of false ones (`discovery_limit`)."""
    places = evidence.places
    seen = traffic(evidence, "requested")
    if seen.days < _LEAST_DAYS:
        return []
    past = _past(evidence, "requested")
    is_tested = (past > 0).all(axis=1) & places.is_named
    is_gone = is_tested & (seen.number <= _LEFT * seen.usual)
    # Poisson deviance of the number against the usual one.
    number, usual = seen.number, np.maximum(seen.usual, 1e-9)
    logs = np.where(number > 0, number * np.log(np.maximum(number, 1e-9) / usual), 0)
    deviate = np.sqrt(np.maximum(2 * (logs - (number - usual)) / seen.spread, 0))
    probability = tail_probability(deviate, np.full(len(places), seen.days + 2.0))
    limit = discovery_limit(probability[is_tested], rate)
    named: list[int] = []
    covered = np.zeros(len(places.names), dtype=np.bool_)
    for place in np.flatnonzero(is_gone & (probability <= limit)).tolist():
        members = places.members(place)
        if (members & ~covered).any():
            named.append(place)
            covered |= members
    return named


def _past(evidence: PlaceEvidence, column: str) -> Floats:
    """(places, days): the numbers of the days since the first traffic."""
    history = evidence.history
    return history.once(
        ("traffic", column),
        lambda: evidence.places.sums(history.column(column)[:, history.begun]),
    )

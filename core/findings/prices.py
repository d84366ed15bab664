"""Finds where a message or call costs more than before.

What the priced attempts cost is compared with what they would have cost at the prices of the days
before, series by series. So a shift of traffic to a more expensive country is no rise, and neither
are messages with more parts than before.
"""

from typing import NamedTuple

import numpy as np

from core.findings.evidence import History, PlaceEvidence
from core.findings.places import Bools, Floats

#: A rise counts from this ratio and number of priced attempts on.
_LEAST_RATIO, _LEAST_PRICED = 1.3, 10
#: The deviation of the price of one attempt by its mean: different numbers have different prices.
_SPREAD, _SURE = 0.5, 5.0
_UNAFFECTED = 0.15


class PriceRise(NamedTuple):
    """The priced attempts of a place cost so much; `expected` by the prices before. In US
    dollars."""

    place: int
    priced: float
    cost: float
    expected: float

    @property
    def ratio(self) -> float:
        return self.cost / self.expected


def price_rises(evidence: PlaceEvidence, known: Bools) -> list[PriceRise]:
    """The places with higher prices, the most certain first, none inside another. `known`: series
    that are left out."""
    places = evidence.places
    cost = evidence.column("cost_micros") / 1e6
    priced = np.where(known, 0, evidence.column("priced"))
    priced, expected = _expected(evidence, priced)
    columns = np.stack([cost * (priced > 0), priced, expected], axis=1)
    costs, numbers, means = places.sums(columns).T
    ratio = np.divide(costs, means, out=np.ones(len(costs)), where=means > 0)
    sureness = (ratio - 1) * np.sqrt(numbers) / _SPREAD
    is_higher = places.is_named & (ratio >= _LEAST_RATIO) & (numbers >= _LEAST_PRICED)
    candidates = np.flatnonzero(is_higher & (sureness > _SURE))
    rises: list[PriceRise] = []
    covered = np.zeros(len(places.names), dtype=np.bool_)
    for place in candidates[np.argsort(-sureness[candidates], kind="stable")].tolist():
        members = places.members(place)
        half = 1 + (ratio[place] - 1) / 2
        if (members & covered).any() or any(
            means[part][(ratio[part] < half) & (numbers[part] > 0)].sum()
            > _UNAFFECTED * means[place]
            for part in places.parts(place)
        ):
            continue
        covered |= members
        rises.append(PriceRise(place, *(float(one[place]) for one in (numbers, costs, means))))
    return rises


def _expected(evidence: PlaceEvidence, priced: Floats) -> tuple[Floats, Floats]:
    """Of each series: the priced attempts that can be compared, and their cost at the prices
    before."""
    history = evidence.history
    past_priced = history.column("priced").sum(axis=1)
    price = history.once("price", lambda: _usual_price(history))
    is_comparable = history.established & (past_priced >= _LEAST_PRICED) & (price > 0)
    parts = _parts_by_attempt(evidence.column("units"), evidence.column("priced"))
    past_parts = _parts_by_attempt(
        evidence.history.column("units").sum(axis=1), evidence.history.column("priced").sum(axis=1)
    )
    has_parts = (parts > 0) & (past_parts > 0)
    longer = np.divide(parts, past_parts, out=np.ones(len(priced)), where=has_parts)
    priced = np.where(is_comparable, priced, 0)
    return priced, priced * price * np.maximum(longer, 1)


def _usual_price(history: History) -> Floats:
    """The price of an attempt of each series, in US dollars: that of its median day, so that a rise
    that has begun lately is not taken for usual. 0 without one."""
    cost, priced = history.column("cost_micros") / 1e6, history.column("priced")
    by_day = np.divide(cost, priced, out=np.full(cost.shape, np.nan), where=priced > 0)
    ordered = np.sort(by_day, axis=1)
    days = (priced > 0).sum(axis=1)
    if not cost.shape[1]:
        return np.zeros(len(cost))
    middle = np.take_along_axis(ordered, np.maximum(days - 1, 0)[:, None] // 2, axis=1)[:, 0]
    return np.where(days > 0, middle, 0.0)


def _parts_by_attempt(units: Floats, priced: Floats) -> Floats:
    return np.divide(units, priced, out=np.zeros(len(units)), where=priced > 0)

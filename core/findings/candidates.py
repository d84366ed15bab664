"""Chooses which carriers to judge where there are thousands: the largest, and those with the
clearest losses.

All carriers are compared with their own week before, by whole days and in every share, in price and
in the number of requests. So a small carrier that delivers nothing, is pumped or has become
expensive is among them, however many are larger.
"""

import numpy as np
from numpy.typing import NDArray

from core.figures.catalogue import COLUMNS
from core.figures.packing import Counts
from core.findings.places import Floats
from core.findings.shares import DEFINITIONS, Column
from core.findings.statistics import excess_deviate

#: At least so many are the largest, and so many have the clearest excess of each kind.
_LARGEST, _CLEAREST = 500, 70
#: The share of all carriers counts as so many attempts of each.
_WEIGHT = 10.0
_LEAST_SHARE = 5e-4


def choose(past: Counts, now: Counts, lengths: float, most: int) -> NDArray[np.intp]:
    """The rows of at most `most` carriers, ascending. `past`, `now`: (carriers, COLUMNS), of which
    now is `lengths` times as long."""
    before, column = _columns(past), _columns(now)
    by_size = np.argsort(-column("requested"), kind="stable")
    is_chosen = np.zeros(len(now), dtype=np.bool_)
    is_chosen[by_size[:_LARGEST]] = True
    for score in _scores(before, column, lengths):
        clearest = np.argsort(-score, kind="stable")[:_CLEAREST]
        is_chosen[clearest[score[clearest] > 0]] = True
    others = by_size[~is_chosen[by_size]]
    is_chosen[others[: max(0, most - int(is_chosen.sum()))]] = True
    return np.flatnonzero(is_chosen)


def _scores(before: Column, column: Column, lengths: float) -> list[Floats]:
    """How clear the excess of each carrier is: of each share, in price, and of requests that are
    missing. In standard deviations, or in proportion to them."""
    scores = []
    for definition in DEFINITIONS.values():
        n, past_n = definition.n(column), definition.n(before)
        k, past_k = np.minimum(definition.k(column), n), np.minimum(definition.k(before), past_n)
        # Without a past, what is usual is what the others have now.
        known_k, known_n = (past_k, past_n) if past_n.any() else (k, n)
        common = known_k.sum() / max(known_n.sum(), 1.0)
        q = np.clip((past_k + _WEIGHT * common) / (past_n + _WEIGHT), _LEAST_SHARE, 1)
        scores.append(excess_deviate(k, n, n * np.minimum(q, 1 - _LEAST_SHARE)))
    price = _divided(before("cost_micros"), before("priced"))
    usual = price * column("priced")
    additional_cost = np.where(price > 0, column("cost_micros") - usual, 0)
    scores.append(_divided(additional_cost, np.sqrt(column("priced")) * price))
    requested = before("requested") * lengths
    scores.append(_divided(requested - column("requested"), np.sqrt(requested)))
    return scores


def _columns(counts: Counts) -> Column:
    return lambda name: counts[:, COLUMNS.index(name)].astype(float)


def _divided(values: Floats, by: Floats) -> Floats:
    return np.divide(values, by, out=np.zeros(len(values)), where=by > 0)

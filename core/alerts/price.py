"""Judges the price of an attempt, without a test of chance: prices hardly vary."""

from collections.abc import Sequence

import numpy as np

from core.alerts.baseline import UsualFigures
from core.alerts.judgement import Judgement
from core.alerts.leading import leads
from core.alerts.measures import Measure
from core.alerts.sequential import Bools, Floats, Indices
from core.alerts.slots import HOUR_MS, Slots
from core.model.series import Series

_WINDOW_HOURS = 24
#: Fewer priced attempts are no price.
_LEAST_PRICED = 5
#: A price has risen if it is above the dearest day of the four weeks before by this factor, which
#: allows for a different mix of carriers.
_DEARER = 1.25


def risen_prices(priced: Floats, cost_micros: Floats, usual: UsualFigures) -> tuple[Bools, Floats]:
    """Which series cost more in the last day than ever in the four weeks before, (series,), and
    micros an attempt."""
    price = np.divide(
        cost_micros, priced, out=np.full(priced.shape, np.nan), where=priced >= _LEAST_PRICED
    )
    dearest = np.where(np.isnan(usual.prices), -np.inf, usual.prices).max(axis=1)
    risen: Bools = (dearest > 0) & (price > _DEARER * dearest)
    return risen, price


def judge_price(
    series: Sequence[Series], slots: Slots, usual: UsualFigures, parents: Indices
) -> Judgement:
    """Judge countries and carriers: the price of a channel depends on its mix of countries."""
    first = int(np.searchsorted(slots.ends, slots.ends[-1] - _WINDOW_HOURS * HOUR_MS, "right"))
    priced = slots.figures["priced"][:, first:].sum(axis=1)
    cost = slots.figures["cost_micros"][:, first:].sum(axis=1)
    risen, price = risen_prices(priced, cost, usual)
    has_prices = ~np.isnan(usual.prices).all(axis=1)
    median = np.full(len(series), np.nan)
    median[has_prices] = np.nanmedian(usual.prices[has_prices], axis=1)
    applies = np.array([bool(name.country) for name in series], dtype=np.bool_)
    is_silent = ~applies | ~has_prices | np.isnan(price)
    risen &= ~is_silent

    def is_rest_good(parent: int, children: Indices) -> bool:
        return len(children) == 1

    return Judgement(
        measure=Measure.PRICE,
        is_silent=is_silent,
        evidence=risen.astype(float),
        recovery=(~risen).astype(float),
        start_ms=np.full(len(series), slots.starts[first]),
        n=priced,
        verified=slots.figures["verified"][:, first:].sum(axis=1),
        observed=price,
        baseline=median,
        detectable_drop=np.full(len(series), np.nan),
        chance=np.zeros(len(series)),
        lead=leads(risen, priced, parents, priced, is_rest_good),
    )

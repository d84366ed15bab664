"""Judges the price of an attempt, without a test of chance: prices hardly vary."""

from collections.abc import Sequence

import numpy as np

from core.alerts.baseline import LEAST_DAYS, UsualFigures
from core.alerts.judgement import Judgement
from core.alerts.leading import leads
from core.alerts.measures import Measure
from core.alerts.sequential import Bools, Floats, Indices
from core.alerts.slots import HOUR_MS, Slots
from core.model.series import Series

_WINDOW_HOURS = 24
#: Fewer priced attempts are no price.
_LEAST_PRICED = 5
#: A price has risen if it is above that of the most expensive day of the four weeks before by this
#: factor, which allows for a different mix of carriers.
_LEAST_RISE = 1.25
#: So many days that had risen above all others are no baseline: an incident of a day is on two
#: dates. A price that stays is usual after one more day.
_RISEN_DAYS = 2


def risen_prices(priced: Floats, cost_micros: Floats, usual: UsualFigures) -> tuple[Bools, Floats]:
    """Which series cost more in the last day than usual in the four weeks before, (series,), and
    micros an attempt."""
    price = np.divide(
        cost_micros, priced, out=np.full(priced.shape, np.nan), where=priced >= _LEAST_PRICED
    )
    highest = _highest(usual.prices)
    risen: Bools = (highest > 0) & (price > _LEAST_RISE * highest)
    return risen, price


def _highest(prices: Floats) -> Floats:
    """The price of the most expensive day of (series, DAYS), without the days of an incident; minus
    infinity without a price."""
    ordered = -np.sort(-np.where(np.isnan(prices), -np.inf, prices), axis=1)
    count = np.isfinite(ordered).sum(axis=1)
    highest = ordered[:, 0]
    for days in range(1, _RISEN_DAYS + 1):
        has_risen = ordered[:, days - 1] > _LEAST_RISE * ordered[:, days]
        is_left_out = has_risen & (count - days >= LEAST_DAYS)
        highest = np.where(is_left_out, ordered[:, days], highest)
    return highest


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

"""The figure of the cost per verified: its value, its share of prices, and its change."""

from typing import Any

import numpy as np
import pandas as pd

from core.figures.filters import ALL, Filters
from core.figures.layout import BINS
from core.panels.figure_inputs import FigureInputs, RipeInput, TimesInput
from core.panels.figures import Figure, figures
from tests.panels.frames import NO_TIMES, row, steps

HEAT = np.zeros((4, BINS), dtype=np.int64)


def cost(
    now: "pd.Series[Any]", before: "pd.Series[Any] | None" = None, filters: Filters = ALL
) -> Figure:
    drawn = steps(requested=10, priced=10, cost_micros=50_000, verified=9, converted=9)
    usual = [row(requested=50, priced=50, cost_micros=3_000_000 + n, converted=50)
             for n in range(28)]  # fmt: skip
    compared = None if before is None else (now, before)
    ripe = RipeInput(now, compared, drawn, pd.DataFrame(usual))
    times = TimesInput(NO_TIMES, None, HEAT, HEAT)
    inputs = FigureInputs(now, compared, drawn, ripe, ripe, times, filters=filters)
    return next(figure for figure in figures(inputs) if figure.name == "Cost per verified")


def test_under_a_filter_it_is_by_the_attempts_verified_there() -> None:
    calls = row(requested=40, priced=40, cost_micros=2_000_000, verified=40)
    assert (cost(calls).value, cost(calls).detail) == ("none verified", "$2.00 spent")
    figure = cost(calls, None, Filters("voice"))
    assert (figure.value, figure.detail) == ("$0.0500", "n = 40, 100.0 % priced")


def test_it_says_how_much_of_it_is_known_and_is_judged_only_from_95_percent_on() -> None:
    def at(priced: int, before: int = 100) -> Figure:
        now = row(requested=100, priced=priced, cost_micros=9_000_000, converted=50)
        return cost(now, row(requested=100, priced=before, cost_micros=3_000_000, converted=50))

    assert at(94).value == "\N{GREATER-THAN OR EQUAL TO} $0.18"
    assert at(94).detail == "n = 50, 94.0 % priced"
    assert [at(*priced).good for priced in [(94,), (95,), (95, 94)]] == [None, False, None]
    assert at(94).change == "200 %"
    unpriced = row(requested=100, priced=3, converted=50)
    assert cost(unpriced).value == "no price yet"


def test_neither_a_small_amount_nor_a_share_of_one_is_rounded_away() -> None:
    figure = cost(row(requested=1, priced=1, cost_micros=20, converted=1))
    assert (figure.value, figure.detail) == ("<$0.0001", "n = 1, 1 of 1 priced")

"""The main figures: value, interval, change and course."""

from math import isnan
from typing import Any

import numpy as np
import pandas as pd

from core.figures.layout import BINS
from core.figures.queries import ALL, Filters
from core.figures.rates import Rate
from core.panels import figures
from core.panels.figures import ShownRange
from tests.panels.frames import NO_TIMES, row, steps


def made(
    now: "pd.Series[Any]", before: "pd.Series[Any] | None" = None, filters: Filters = ALL
) -> list[figures.Figure]:
    heat = np.zeros((4, BINS), dtype=np.int64)
    then = ShownRange(before, NO_TIMES, filters) if before is not None else None
    shown = ShownRange(now, NO_TIMES, filters)
    return figures.figures(shown, then, steps(requested=10, confirmed=9), heat)


def cost_figure(*args: Any) -> figures.Figure:
    return next(figure for figure in made(*args) if figure.name == "Cost per verified")


def test_the_confirmed_rate_comes_first_with_its_interval_its_n_its_change_and_course() -> None:
    figure = made(row(requested=1000, confirmed=950), row(requested=1000, confirmed=900))[0]
    assert (figure.name, figure.value) == ("Confirmed", "95.0 %")
    assert figure.detail == "93.5\N{EN DASH}96.2, n = 1,000"
    assert (figure.change, figure.rose, figure.good) == ("5.0 points", True, True)
    assert figure.drawn == [0.9] * 4


def test_every_figure_has_a_course() -> None:
    frame = steps(
        requested=20, confirmed=19, within_30=15, started=20, converted=18, pending=1,
        cost_micros=90_000, priced=20,
    )  # fmt: skip
    heat = np.zeros((4, BINS), dtype=np.int64)
    heat[:, 50] = 300
    found = figures.figures(ShownRange(frame.sum(), heat.sum(axis=0)), None, frame, heat)
    assert [len(one.drawn) for one in found] == [4] * len(found)
    assert [one.name for one in found if one.is_share] == [
        "Confirmed", "Within 30 s", "Conversion",
    ]  # fmt: skip


def test_a_change_within_chance_is_neither_good_nor_bad() -> None:
    figure = made(row(requested=20, confirmed=19), row(requested=20, confirmed=18))[0]
    assert (figure.change, figure.rose, figure.good) == ("5.0 points", True, None)


def test_no_change_is_said_so_and_points_nowhere() -> None:
    same = row(requested=1000, confirmed=950)
    assert [(one.change, one.rose) for one in made(same, same) if one.name == "Confirmed"] == [
        ("no change", None)
    ]


def test_a_higher_cost_is_bad_and_a_lower_one_good() -> None:
    def cost(now: int, before: int) -> figures.Figure:
        def spent(micros: int) -> "pd.Series[Any]":
            return row(cost_micros=micros, requested=10, priced=10, converted=100)

        return cost_figure(spent(now), spent(before))

    assert (cost(6_000_000, 5_000_000).change, cost(6_000_000, 5_000_000).good) == ("20 %", False)
    assert cost(4_000_000, 5_000_000).good is True
    assert cost(5_050_000, 5_000_000).good is None


def test_at_a_place_the_cost_is_by_the_attempts_that_were_verified_there() -> None:
    calls = row(requested=40, priced=40, cost_micros=2_000_000, verified=40)
    assert cost_figure(calls).value == "none verified"
    cost = cost_figure(calls, None, Filters("voice"))
    assert (cost.value, cost.detail) == ("$0.0500", "40 verified, 100.0 % priced")


def test_a_cost_says_how_much_of_it_is_known_and_is_judged_only_from_95_percent_on() -> None:
    def cost(priced: int, before: int = 100) -> figures.Figure:
        now = row(requested=100, priced=priced, cost_micros=9_000_000, converted=50)
        return cost_figure(now, row(**{**now, "priced": before, "cost_micros": 3_000_000}))

    assert cost(94).value == "\N{GREATER-THAN OR EQUAL TO} $0.18"
    assert cost(94).detail == "50 verified, 94.0 % priced"
    assert [cost(*priced).good for priced in [(94,), (95,), (95, 94)]] == [None, False, None]
    assert cost(0).value == "no price yet"
    one = cost_figure(row(requested=1, priced=1, cost_micros=20, converted=1))
    assert (one.value, one.detail) == ("<$0.0001", "1 verified, 1 of 1 priced")


def test_under_ten_attempts_there_is_no_percentage() -> None:
    figure = made(row(requested=5, confirmed=5))[0]
    assert (figure.value, figure.detail) == ("too few", "5 of 5")
    assert figure.n == 5


def test_the_table_of_figures_holds_the_numbers_that_the_page_rounds() -> None:
    now, before = row(requested=1000, confirmed=943), row(requested=1000, confirmed=950)
    table = figures.table(made(now, before))
    first = table.iloc[0]
    assert (first["figure"], first["value"], first["n"]) == ("Confirmed", 0.943, 1000)
    assert first["low"] == Rate(943, 1000).low
    assert first["change"] == "-0.7 points"
    assert isnan(table.set_index("figure")["value"]["Cost per verified"])

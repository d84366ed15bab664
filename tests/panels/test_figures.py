"""The main figures: value, interval, change and course."""

from math import isnan
from typing import Any

import numpy as np
import pandas as pd

from core.figures.layout import BINS
from core.figures.rates import Rate
from core.panels import figures
from core.panels.figures import ShownRange
from tests.panels.frames import NO_TIMES, row, steps


def made(now: "pd.Series[Any]", before: "pd.Series[Any] | None" = None) -> list[figures.Figure]:
    heat = np.zeros((4, BINS), dtype=np.int64)
    then = ShownRange(before, NO_TIMES) if before is not None else None
    return figures.figures(ShownRange(now, NO_TIMES), then, steps(requested=10, confirmed=9), heat)


def test_the_confirmed_rate_comes_first_with_its_interval_its_n_its_change_and_course() -> None:
    figure = made(row(requested=1000, confirmed=950), row(requested=1000, confirmed=900))[0]
    assert (figure.name, figure.value) == ("Confirmed", "95.0 %")
    assert figure.detail == "93.5\N{EN DASH}96.2, n = 1,000"
    assert (figure.change, figure.rose, figure.good) == ("5.0 points", True, True)
    # Steps of ten attempts carry no rate: the ended ones are a group, the unfinished one another.
    assert figure.course.values == [0.9, 0.9]
    assert [point.n for point in figure.course.points] == [30, 10]
    assert figure.course.ends_unfinished


def test_every_figure_has_a_course() -> None:
    frame = steps(
        requested=200, confirmed=190, within_30=150, started=200, converted=180, pending=1,
        cost_micros=90_000, priced=20,
    )  # fmt: skip
    heat = np.zeros((4, BINS), dtype=np.int64)
    heat[:, 50] = 300
    found = figures.figures(ShownRange(frame.sum(), heat.sum(axis=0)), None, frame, heat)
    assert [len(one.course.values) for one in found] == [4] * len(found)
    assert all(one.course.is_line and one.course.ends_unfinished for one in found)
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
            return row(cost_micros=micros, priced=10, converted=100)

        return next(one for one in made(spent(now), spent(before)) if "Cost" in one.name)

    assert (cost(6_000_000, 5_000_000).change, cost(6_000_000, 5_000_000).good) == ("20 %", False)
    assert cost(4_000_000, 5_000_000).good is True
    assert cost(5_050_000, 5_000_000).good is None


def test_under_ten_attempts_there_is_no_percentage() -> None:
    figure = made(row(requested=5, confirmed=5))[0]
    assert (figure.value, figure.detail) == ("too few", "5 of 5")
    assert figure.n == 5


def test_a_rate_says_in_words_whether_it_meets_its_target() -> None:
    def words(confirmed: int) -> str:
        now = ShownRange(row(requested=1000, confirmed=confirmed), NO_TIMES)
        heat = np.zeros((4, BINS), dtype=np.int64)
        frame = steps(requested=10, confirmed=9)
        return figures.figures(now, None, frame, heat, {"confirmed": 0.95})[0].target_words

    assert words(960) == words(950) == "Target 95 %: met"
    assert words(940) == "Target 95 %: too close"
    assert words(900) == "Target 95 %: missed"
    assert made(row(requested=1000, confirmed=950))[0].target_words == ""


def test_the_table_of_figures_holds_the_numbers_that_the_page_rounds() -> None:
    now, before = row(requested=1000, confirmed=943), row(requested=1000, confirmed=950)
    table = figures.table(made(now, before))
    first = table.iloc[0]
    assert (first["figure"], first["value"], first["n"]) == ("Confirmed", 0.943, 1000)
    assert first["low"] == Rate(943, 1000).low
    assert first["change"] == "-0.7 points"
    assert isnan(table.set_index("figure")["value"]["Cost per verified"])

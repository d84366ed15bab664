"""The main figures: value, interval, change and course."""

from math import isnan
from typing import Any

import numpy as np
import pandas as pd

from core.figures.layout import BINS
from core.figures.rates import Rate
from core.panels import figures
from tests.panels.frames import inputs, row, steps


def made(now: "pd.Series[Any]", before: "pd.Series[Any] | None" = None) -> list[figures.Figure]:
    return figures.figures(inputs(now, before))


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
        cost_micros=90_000, priced=200,
    )  # fmt: skip
    heat = np.zeros((4, BINS), dtype=np.int64)
    heat[:, 50] = 300
    found = figures.figures(inputs(frame.sum(), None, frame, heat))
    assert [len(one.course.values) for one in found] == [4] * len(found)
    assert all(one.course.is_line and one.course.ends_unfinished for one in found)
    assert [one.name for one in found if one.is_share] == [
        "Confirmed", "Within 30 s", "Conversion",
    ]  # fmt: skip


def test_a_change_within_chance_is_neither_good_nor_bad() -> None:
    figure = made(row(requested=20, confirmed=19), row(requested=20, confirmed=18))[0]
    assert (figure.change, figure.rose, figure.good) == ("5.0 points", True, None)


def test_a_change_says_whether_it_was_judged_and_there_is_none_of_a_few() -> None:
    def shown(before: int, now: int) -> dict[str, tuple[str, str]]:
        first, second = (
            row(requested=n, confirmed=n, started=n, converted=n, priced=n, cost_micros=9_000 * n)
            for n in (now, before)
        )
        days = pd.DataFrame([row(requested=20, confirmed=19)] * 28)
        found = figures.figures(inputs(first, second, history=days))
        return {
            one.name: (one.change, "judged" if one.is_judged else "not judged") for one in found
        }

    many = shown(100, 20)
    assert many["Confirmed"] == ("no change", "judged")
    # A number of requests is neither good nor bad, and for a cost there are too few windows.
    assert many["Attempts"] == ("80 %", "not judged")
    assert many["Cost per verified"] == ("no change", "not judged")
    few = shown(4, 1)
    assert {change for change, _ in few.values()} == {""}


def test_no_change_is_said_so_and_points_nowhere() -> None:
    same = row(requested=1000, confirmed=950)
    assert [(one.change, one.rose) for one in made(same, same) if one.name == "Confirmed"] == [
        ("no change", None)
    ]


def test_a_higher_cost_is_bad_and_a_lower_one_good() -> None:
    def cost(now: int, before: int) -> figures.Figure:
        def spent(micros: int) -> "pd.Series[Any]":
            return row(cost_micros=micros, priced=10, converted=100)

        history = pd.DataFrame([spent(before + 10_000 * n) for n in range(-14, 14)])
        given = inputs(spent(now), spent(before), history=history)
        return next(one for one in figures.figures(given) if "Cost" in one.name)

    assert (cost(6_000_000, 5_000_000).change, cost(6_000_000, 5_000_000).good) == ("20 %", False)
    assert cost(4_000_000, 5_000_000).good is True
    assert cost(5_050_000, 5_000_000).good is None


def test_a_change_within_the_usual_variation_is_neither_good_nor_bad() -> None:
    now, before = row(requested=1000, confirmed=930), row(requested=1000, confirmed=970)
    assert figures.figures(inputs(now, before))[0].good is False
    shares = np.tile([900, 930, 950, 970, 990, 940, 960], 4)
    uneven = pd.DataFrame([row(requested=1000, confirmed=int(k)) for k in shares])
    assert figures.figures(inputs(now, before, history=uneven))[0].good is None


def test_a_slower_p95_is_bad_only_beyond_the_usual_variation() -> None:
    def times(slow: int) -> "np.ndarray[Any, Any]":
        histogram = np.zeros(BINS, dtype=np.int64)
        histogram[50], histogram[70] = 1000 - slow, slow
        return histogram

    heat = np.array([times(200)])
    steady = np.array([times(40)] * 28)
    uneven = np.array([times(slow) for slow in (20, 90, 200, 40) * 7])
    totals = row(requested=1000)
    for past, good in ((steady, False), (uneven, None)):
        figure = figures.figures(inputs(totals, totals, heat=heat, past=past))[3]
        assert (figure.name, figure.rose, figure.good) == ("p95 time to deliver", True, good)


def test_a_range_that_has_nothing_to_compare_with_shows_no_change() -> None:
    frame = figures.table(figures.figures(inputs(row(requested=1000, confirmed=950))))
    assert set(frame["change"]) == {""}


def test_the_last_step_is_marked_while_it_is_unfinished() -> None:
    frame = steps(requested=20, confirmed=19)
    given = inputs(row(requested=1000, confirmed=950), None, frame)
    assert figures.figures(given)[0].course.ends_unfinished
    over = frame.assign(complete=True)
    ended = figures.figures(inputs(row(requested=1000, confirmed=950), None, over))[0]
    assert not ended.course.ends_unfinished


def test_under_ten_attempts_there_is_no_percentage() -> None:
    figure = made(row(requested=5, confirmed=5))[0]
    assert (figure.value, figure.detail) == ("too few", "5 of 5")
    assert figure.n == 5


def test_a_rate_says_in_words_whether_it_meets_its_target() -> None:
    def words(confirmed: int) -> str:
        given = inputs(row(requested=1000, confirmed=confirmed))
        return figures.figures(given, {"confirmed": 0.95})[0].target_words

    assert words(960) == words(950) == "Target 95 %: met"
    assert words(940) == "Target 95 %: not clearly missed"
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

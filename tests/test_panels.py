"""What the Delivery page says, from frames alone."""

from datetime import timedelta
from math import nan
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from core import charts, panels
from core.delivery.layout import BINS
from core.delivery.queries import ALL, FIGURES, Filters
from core.delivery.rates import Rate
from core.panels import Empty

ZONE = ZoneInfo("Europe/Berlin")


def row(**given: int) -> "pd.Series[Any]":
    return pd.Series({name: given.get(name, 0) for name in FIGURES})


def steps(n: int = 4, **given: int) -> pd.DataFrame:
    index = pd.date_range("2026-11-24", periods=n, freq="15min", tz="UTC", name="start")
    frame = pd.DataFrame([row(**given)] * n, index=index)
    frame["complete"] = [True] * (n - 1) + [False]
    return frame


def countries(**rates: tuple[int, int]) -> pd.DataFrame:
    made = [row(requested=n, started=n, confirmed=k, converted=k) for n, k in rates.values()]
    index = pd.MultiIndex.from_tuples([(c, "") for c in rates], names=["country", "carrier"])
    frame = pd.DataFrame(made, index=index)
    frame["p95_ms"], frame["spark"] = nan, [[1.0, nan]] * len(frame)
    return frame


def test_a_rate_says_its_interval_its_n_and_its_change() -> None:
    now, before = row(requested=1000, confirmed=950), row(requested=1000, confirmed=900)
    figure = panels.figures(now, before, (1800.0, 1800.0), "vs before")[0]
    assert figure.value == "95.0 %"
    assert figure.detail == "93.5\N{EN DASH}96.2, n = 1,000"
    assert (figure.change, figure.good) == ("+5.0 points vs before", True)


def test_a_change_within_chance_is_neither_good_nor_bad() -> None:
    now, before = row(requested=20, confirmed=19), row(requested=20, confirmed=18)
    assert panels.figures(now, before, (None, None), "vs before")[0].good is None


def test_under_ten_attempts_there_is_no_percentage() -> None:
    figure = panels.figures(row(requested=5, confirmed=5), None, (None, None), "")[0]
    assert (figure.value, figure.detail) == ("too few", "5 of 5")


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (Empty.NOT_CONFIGURED, {"requested": 0, "ever": False, "unfiltered": 0}),
        (Empty.NO_TRAFFIC, {"requested": 0, "ever": True, "unfiltered": 0}),
        (Empty.FILTERED, {"requested": 0, "ever": True, "unfiltered": 9}),
        (Empty.TOO_FEW, {"requested": 3, "ever": True, "unfiltered": 3}),
        (Empty.DELAYED, {"requested": 99, "ever": True, "unfiltered": 99}),
    ],
)
def test_each_empty_state_has_its_own_words(kind: Empty, given: dict[str, Any]) -> None:
    filters = Filters("sms") if kind is Empty.FILTERED else ALL
    lag = timedelta(hours=3) if kind is Empty.DELAYED else timedelta(seconds=8)
    found = panels.empty_state(given["requested"], filters, ever=given["ever"],
                               unfiltered=given["unfiltered"], lag=lag)  # fmt: skip
    assert found is not None
    assert found[0] is kind
    assert "{" not in found[1]
    assert len({*panels.EMPTY_WORDS.values()}) == len(Empty)


def test_enough_traffic_is_no_empty_state() -> None:
    assert panels.empty_state(50, ALL, ever=True, unfiltered=50, lag=timedelta(seconds=9)) is None


def test_the_table_begins_with_what_is_worst_for_certain() -> None:
    table = panels.country_table(countries(US=(1000, 950), NG=(1000, 800), NP=(12, 10)))
    assert table["country"].tolist() == ["NP", "NG", "US"]
    assert list(table.columns) == panels.TABLE


def test_issues_are_ranked_by_what_they_cost_and_only_beyond_chance() -> None:
    frame = countries(US=(10_000, 9000), NG=(1000, 500), NP=(12, 9))
    found = panels.issues(frame, Rate(9509, 11_012))
    assert found["country"].tolist() == ["NG"]
    assert found["lost"].iloc[0] == round(1000 * 9509 / 11_012 - 500)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"sent": 5}, "too few"),
        ({"sent": 100, "delivered": 90, "verified": 80}, "handset"),
        ({"sent": 100, "delivered": 50, "verified": 45}, "partial"),
        ({"sent": 100, "verified": 80}, "none"),
        ({"sent": 100, "delivered": 98, "verified": 3}, "suspicious"),
    ],
)
def test_receipts_are_judged_by_coverage_and_by_what_people_do(
    counts: dict[str, int], said: str
) -> None:
    assert panels.receipts(row(**counts)) == said


def test_spans_and_money_read_as_people_say_them() -> None:
    assert [panels.span(timedelta(seconds=s)) for s in (8, 720, 20_000, 300_000)] == [
        "8 s", "12 min", "5 h", "3 days",
    ]  # fmt: skip
    assert (panels.seconds(1840), panels.seconds(150_000)) == ("1.8 s", "2.5 min")
    assert (panels.dollars(0.0213), panels.dollars(1.25)) == ("$0.0213", "$1.25")


@pytest.mark.parametrize("colours", [charts.LIGHT, charts.DARK])
def test_every_chart_tells_in_words_what_it_shows(colours: charts.Palette) -> None:
    frame = steps(requested=10, delivered=8, confirmed=9, sent=9, verified=7, pending=2)
    heat = pd.DataFrame(np.full((4, BINS), 3), index=frame.index)
    by_channel = pd.DataFrame([row(requested=10, sent=9)], index=pd.Index(["sms"], name="channel"))
    errors = pd.DataFrame({"label": ["SMS 30"], "count": [4]})
    made = [
        charts.states_over_time(frame, ZONE, colours),
        charts.rate_over_time(frame, ZONE, colours),
        charts.latency(heat, ZONE, colours),
        charts.funnel(by_channel, panels.CHANNELS, colours),
        charts.waterfall(row(n_app=2, app_ms=400, n_person=1, person_ms=9000), colours),
        charts.errors(errors, colours),
    ]
    said = " ".join(chart.alt for chart in made)
    for fact in ("40 attempts", "36 of 40", "p50", "90% sent", "person 9.0 s", "SMS 30: 4"):
        assert fact in said
    assert all(chart.option["series"] for chart in made)


def test_the_unfinished_bar_is_hatched_and_no_other() -> None:
    chart = charts.states_over_time(steps(requested=10, delivered=8), ZONE, charts.LIGHT)
    data = chart.option["series"][0]["data"]
    assert data[:-1] == [8, 8, 8]
    assert "decal" in data[-1]["itemStyle"]


def test_states_differ_by_more_than_their_colour() -> None:
    chart = charts.states_over_time(steps(requested=10, failed=1), ZONE, charts.LIGHT)
    styles = [str(one["itemStyle"]) for one in chart.option["series"]]
    assert len(set(styles)) == len(styles)


def test_charts_of_nothing_are_drawn_too() -> None:
    empty = steps(2)
    assert charts.states_over_time(empty, ZONE, charts.LIGHT).alt.startswith("0 attempts")
    assert charts.rate_over_time(empty, ZONE, charts.LIGHT).alt == "No attempts."
    heat = pd.DataFrame(np.zeros((2, BINS), dtype=int), index=empty.index)
    assert "too few" in charts.latency(heat, ZONE, charts.LIGHT).alt

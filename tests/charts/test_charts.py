"""Charts show the values of their frames, in words, shapes and colours that differ for everyone."""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.charts.axes import Chart
from core.charts.bars import errors, funnel
from core.charts.latency import latency, waterfall
from core.charts.over_time import states_over_time
from core.charts.palette import DARK, LIGHT, Palette
from core.figures.layout import BINS
from core.model.attempt import State
from core.panels.tables import error_table, funnel_table, legs_table
from core.wording.marks import STATE_MARKS, mark, marked
from tests.panels.frames import ZONE, channels, row, steps

FRAME = steps(requested=10, delivered=8, confirmed=9, sent=9, verified=7, pending=2)
HEAT = pd.DataFrame(np.full((4, BINS), 3), index=FRAME.index)
FUNNEL = funnel_table(channels(sms={"requested": 10, "sent": 9}))
LEGS = legs_table(row(n_app=2, app_ms=400, n_person=1, person_ms=9000))
ERRORS = error_table(
    pd.DataFrame(
        {"count": [4], "previous": [0]},
        index=pd.MultiIndex.from_tuples([("sms", "30")], names=["channel", "code"]),
    )
)


def base(chart: Chart) -> dict[str, Any]:
    """The option for a wide page."""
    option: dict[str, Any] = chart.option.get("baseOption", chart.option)
    return option


def all_charts(colours: Palette) -> list[Chart]:
    return [
        states_over_time(FRAME, ZONE, colours),
        latency(HEAT, ZONE, colours),
        funnel(FUNNEL, colours),
        waterfall(LEGS, colours),
        errors(ERRORS, colours),
    ]


def luminance(colour: str) -> float:
    """Source: WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(first: str, second: str) -> float:
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_every_chart_says_in_words_what_it_shows(colours: Palette) -> None:
    text = " ".join(chart.alt for chart in all_charts(colours))
    name = "Refused as spam (SMS\N{NO-BREAK SPACE}30)"
    for fact in ("40 attempts", "p50", "90.0 % sent", "Person 9 s", f"{name}: 4"):
        assert fact in text
    assert all(base(chart)["series"] for chart in all_charts(colours))


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_every_colour_has_enough_contrast_with_its_ground(colours: Palette) -> None:
    series = {colours.blue, colours.vermilion, colours.green, colours.purple, colours.ochre,
              colours.grey}  # fmt: skip
    assert all(contrast(one, colours.ground) >= 3 for one in series)
    assert contrast(colours.quiet, colours.ground) >= 4.5
    for chart in all_charts(colours):
        # ECharts' own text colours would be dark on the dark ground.
        assert base(chart)["title"]["textStyle"]["color"] == colours.quiet
        assert base(chart)["tooltip"]["textStyle"]["color"] == colours.text


def test_the_chart_of_states_has_the_counts_of_its_frame() -> None:
    series = base(states_over_time(FRAME, ZONE, LIGHT))["series"]
    for bar, state in zip(series, STATE_MARKS, strict=True):
        values = [v["value"] if isinstance(v, dict) else v for v in bar["data"]]
        assert values == FRAME[state].tolist()


def test_the_other_charts_have_the_values_of_their_tables() -> None:
    cells = base(latency(HEAT, ZONE, LIGHT))["series"][0]["data"]
    assert sum(n for *_, n in cells) == HEAT.to_numpy().sum()
    for stage in base(funnel(FUNNEL, LIGHT))["series"]:
        values = [v["value"] for v in stage["data"]]
        assert values == FUNNEL[f"{stage['name']}_share"].tolist()
    begins, lasts = base(waterfall(LEGS, LIGHT))["series"]
    assert begins["data"] == LEGS["from_s"].tolist()
    assert [one["value"] for one in lasts["data"]] == LEGS["mean_s"].fillna(0).tolist()
    # The two parts that are not known are no times of zero.
    assert [one["label"]["formatter"] for one in lasts["data"]][1:3] == ["not known"] * 2
    bars = base(errors(ERRORS, LIGHT))
    assert bars["series"][0]["data"] == ERRORS["count"].tolist()
    assert bars["yAxis"]["data"] == ["Refused as spam (SMS\N{NO-BREAK SPACE}30)"]


def test_only_the_unfinished_bar_is_hatched_and_the_title_says_so() -> None:
    option = base(states_over_time(FRAME, ZONE, LIGHT))
    data = option["series"][0]["data"]
    assert data[:-1] == [8, 8, 8]
    assert "decal" in data[-1]["itemStyle"]
    assert "not over yet" in option["title"]["text"]
    over = FRAME.assign(complete=True)
    assert "not over" not in base(states_over_time(over, ZONE, LIGHT))["title"]["text"]


def test_each_state_has_its_own_shape_and_sign() -> None:
    legend = base(states_over_time(FRAME, ZONE, LIGHT))["legend"]["data"]
    icons = {entry["icon"] for entry in legend}
    assert icons == {state_mark.shape for state_mark in STATE_MARKS.values()}
    signs = {mark(state) for state in State}
    assert signs == {"●", "▲", "✕", "■", "◇", "▽", "◌"}
    assert len(icons) == len(signs) == len(STATE_MARKS)
    assert marked(State.SENT) == "◌ sent"


def test_the_axis_of_counts_has_whole_numbers() -> None:
    assert base(states_over_time(FRAME, ZONE, LIGHT))["yAxis"]["minInterval"] == 1


def test_states_of_one_colour_differ_in_their_pattern_too() -> None:
    series = base(states_over_time(FRAME, ZONE, LIGHT))["series"]
    styles = [str(one["itemStyle"]) for one in series]
    assert len(set(styles)) == len(styles)


def test_a_percentile_is_drawn_over_as_many_steps_as_it_needs() -> None:
    heat = np.zeros((40, BINS), dtype=np.int64)
    heat[:, 60] = 60
    index = pd.date_range("2026-11-24", periods=40, freq="15min", tz="UTC", name="start")
    frame = pd.DataFrame(heat, index=index)
    series = base(latency(frame, ZONE, LIGHT, is_unfinished=True))["series"][1:]
    lines = [line for line in series if line["type"] == "line"]
    ended = [line for line in lines if "type" not in line["lineStyle"]]
    assert [line["name"] for line in ended] == ["p50", "p90", "p95", "p99"]
    assert all(value is not None for line in ended for value in line["data"][:34])
    # The way into the unfinished step is dashed.
    assert all(line["data"][-1] is None for line in ended)
    dashed = [line for line in lines if line["lineStyle"].get("type") == "dashed"]
    assert all(line["data"][:-2] == [None] * 38 for line in dashed)
    # All lines are at the same place; their names are one above the other.
    names = series[-1]["data"]
    assert [mark["name"] for mark in names] == ["p50", "p90", "p95", "p99"]
    heights = [mark["value"][1] for mark in names]
    assert min(b - a for a, b in pairwise(heights)) > 0.05
    few = base(latency(frame // 30, ZONE, LIGHT))["series"]
    assert [mark["name"] for mark in few[-1]["data"]] == ["p50"]
    assert {line["name"] for line in few[1:-1]} == {"p50"}


def test_steps_are_named_by_their_day_at_midnight() -> None:
    index = pd.date_range("2026-11-21T23:00", periods=72, freq="h", tz="UTC", name="start")
    frame = pd.DataFrame([row(requested=1)] * 72, index=index).assign(complete=True)
    axis = base(states_over_time(frame, ZONE, LIGHT))["xAxis"]
    assert (axis["data"][0], axis["data"][1]) == ("22 Nov", "22 Nov 01:00")
    assert axis["axisLabel"]["interval"] == 23


def test_the_labelled_durations_double() -> None:
    labels = base(latency(HEAT, ZONE, LIGHT))["yAxis"][0]["data"][::2]
    seconds = [float(one.split()[0]) * (60 if one.endswith("min") else 1) for one in labels[6:12]]
    assert all(1.8 < b / a < 2.2 for a, b in pairwise(seconds))


def test_charts_without_attempts_can_be_drawn() -> None:
    empty = steps(2)
    assert states_over_time(empty, ZONE, LIGHT).alt.startswith("0 attempts")
    heat = pd.DataFrame(np.zeros((2, BINS), dtype=int), index=empty.index)
    assert "too few" in latency(heat, ZONE, LIGHT).alt
    assert funnel(FUNNEL.head(0), LIGHT).alt == "No attempts."
    assert errors(ERRORS.head(0), LIGHT).alt == "No errors."

"""The cards of figures and the chart of the confirmed rate."""

import re
from urllib.parse import unquote

import numpy as np
import pandas as pd

from core.charts.cards import cards, rate_chart, sparkline
from core.charts.palette import LIGHT
from core.figures.layout import BINS
from core.panels.course import rate_course
from core.panels.figures import Figure, figures
from core.wording.formats import percent
from tests.panels.frames import ZONE, inputs, steps

NAMES = ["12:00", "12:15", "12:30", "12:45"]


def rate(frame: pd.DataFrame, target: float = float("nan")) -> Figure:
    course = rate_course(frame, "confirmed", "requested")
    return Figure("Confirmed", "90.0 %", "n = 800", "All <that> arrived.", course=course, low=0.4,
                  form=percent, target=target)  # fmt: skip


def drawn(html: str) -> str:
    """The SVG of the picture."""
    found = re.search(r'src="data:image/svg\+xml,([^"]+)"', html)
    assert found
    return unquote(found[1])


def test_a_single_unfinished_step_of_100_percent_has_an_axis() -> None:
    """Also with a target of 100 %."""
    frame = steps(requested=20, confirmed=20).tail(1).assign(complete=False)
    html = rate_chart(rate(frame, target=1.0), NAMES[:1], LIGHT)
    assert "the axis begins at 90 %" in html
    labels = re.findall(r'<span style="bottom:\d+%">([^<]+)</span>', html)
    assert labels == ["90", "92.5", "95", "97.5", "100"]


def test_only_the_way_into_the_unfinished_step_is_dashed() -> None:
    frame = steps(requested=200, confirmed=180)
    for html in (rate_chart(rate(frame), NAMES, LIGHT), sparkline(rate(frame), LIGHT)):
        dashed = re.findall(r'd="M([^"]+)"[^>]*stroke-dasharray="4 4"', drawn(html))
        assert [path.split("L")[-1].split()[0] for path in dashed] == ["875"]
    over = rate_chart(rate(frame.assign(complete=True)), NAMES, LIGHT)
    assert "stroke-dasharray" not in drawn(over)


def test_the_target_is_a_line_with_its_name_in_the_chart() -> None:
    html = rate_chart(rate(steps(requested=200, confirmed=180), target=0.95), NAMES, LIGHT)
    assert 'stroke-dasharray="2 4"' in drawn(html)
    assert ">target</span>" in html
    without = rate_chart(rate(steps(requested=200, confirmed=180)), NAMES, LIGHT)
    assert ">target</span>" not in without


def test_a_rate_axis_that_starts_above_zero_says_where_it_starts() -> None:
    html = rate_chart(rate(steps(requested=200, confirmed=180)), NAMES, LIGHT)
    assert "the axis begins at 80 %" in html
    assert ">80</span>" in html
    low = rate_chart(rate(steps(requested=200, confirmed=10)), NAMES, LIGHT)
    assert "begins" not in low


def test_the_chart_says_in_words_what_it_shows_and_each_point_its_value() -> None:
    frame = steps(requested=200, confirmed=180)
    frame["confirmed"] = [180, 100, 180, 180]
    html = rate_chart(rate(frame), NAMES, LIGHT)
    assert 'alt="Confirmed over time: 90.0 % (n = 800); the least, 50.0 %, from 12:15."' in html
    assert "12:00: 90.0 % (85.1\N{EN DASH}93.4, n = 200)" in html
    assert "12:45: 90.0 % (85.1\N{EN DASH}93.4, n = 200), not over yet" in html


def test_a_sparkline_says_its_range_and_its_end_in_the_unit_of_its_figure() -> None:
    html = sparkline(rate(steps(requested=200, confirmed=180)), LIGHT)
    words = "Confirmed, step by step: from 90.0 % to 90.0 %, 90.0 % so far in the last step, "
    assert f'alt="{words}dashed."' in html
    assert "<img" not in sparkline(rate(steps(1, requested=200, confirmed=180)), LIGHT)


def test_every_figure_is_a_card_and_its_texts_are_escaped() -> None:
    frame = steps(requested=200, confirmed=180, started=200, converted=100)
    heat = np.zeros((4, BINS), dtype=np.int64)
    found = figures(inputs(frame.sum(), None, frame, heat))
    html = cards([rate(frame), *found[1:]], frame.index, ZONE, LIGHT)
    assert html.count('role="group"') == len(found)
    assert "All &lt;that&gt; arrived." in html
    empty = steps(2)
    none = figures(inputs(empty.sum(), None, empty, heat[:2]))
    assert "too few" in cards(none, empty.index, ZONE, LIGHT)


def test_no_name_of_a_step_is_cut_at_the_end_of_the_axis() -> None:
    frame = steps(requested=200, confirmed=180)
    wide = pd.concat([frame] * 11)
    names = [f"{hour:02}:00" for hour in range(len(wide))]
    html = rate_chart(rate(wide), names, LIGHT)
    places = [float(left) for left in re.findall(r'<span style="left:([\d.]+)%">\d\d:00', html)]
    assert places[0] == 0
    assert len(places) >= 3
    assert max(places) <= 90

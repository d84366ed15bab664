"""Draws the main figures as HTML: a card for each with its course, the first with its chart."""

from collections.abc import Sequence
from html import escape
from math import isnan
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from core.charts.axes import clock
from core.charts.palette import Palette
from core.charts.pictures import line_picture
from core.panels.course import CoursePoint, FigureCourse
from core.panels.figures import Figure
from core.wording.formats import interval, percent

_ARROWS = {True: "\N{UPWARDS ARROW}", False: "\N{DOWNWARDS ARROW}", None: ""}
_JUDGED = {
    True: ("good", "better"),
    False: ("bad", "worse"),
    None: ("", "within the usual variation"),
}
#: The most names below the chart, and the parts of its axis.
_MOST_NAMES, _PARTS = 7, 4


def cards(
    figures: Sequence[Figure], starts: "pd.Index[Any]", zone: ZoneInfo, colours: Palette
) -> str:
    """The first figure is the largest element; below it is its chart. `starts` are those of the
    steps of the range."""
    largest, *others = figures
    names = clock(starts, zone)
    chart = rate_chart(largest, names, colours) if largest.course.points else ""
    return (
        f'<div class="figures">{_card(largest, chart, "figure largest")}'
        + "".join(_card(figure, sparkline(figure, colours), "figure") for figure in others)
        + "</div>"
    )


def _card(figure: Figure, picture: str, kind: str) -> str:
    return (
        f'<div class="{kind}" role="group" aria-label="{escape(figure.name)}">'
        f'<p class="figure-name">{escape(figure.name)}</p>'
        f'<details class="figure-help"><summary aria-label="What is {escape(figure.name)}?">?'
        f"</summary><p>{escape(figure.help)}</p></details>"
        f'<p class="figure-value">{escape(figure.value)}</p>{_change(figure)}'
        f'<p class="figure-detail">{escape(figure.detail)}</p>'
        + (
            f'<p class="figure-target">{escape(figure.target_words)}</p>'
            if figure.target_words
            else ""
        )
        + f"{picture}</div>"
    )


def _change(figure: Figure) -> str:
    if not figure.change:
        return '<p class="figure-change">&nbsp;</p>'
    judged, words = _JUDGED[figure.good]
    if not figure.is_judged:
        words = "not judged"
    arrow = (
        f'<span aria-hidden="true">{_ARROWS[figure.rose]}</span> '
        if figure.rose is not None
        else ""
    )
    direction = {True: "up ", False: "down ", None: ""}[figure.rose]
    spoken = f'<span class="spoken">{direction}</span>'
    judgement = f'<span class="spoken">, {words}</span>' if figure.rose is not None else ""
    return (
        f'<p class="figure-change {judged}">{arrow}{spoken}{escape(figure.change)}{judgement}</p>'
    )


def sparkline(figure: Figure, colours: Palette) -> str:
    """The course of a figure as a line without axes; an empty place of the same height if there is
    too little for a line."""
    course = figure.course
    if not course.is_line:
        return '<div class="figure-line"></div>'
    values = course.values
    low, high = min(values), max(values)
    if not isnan(figure.target):
        low, high = min(low, figure.target), max(high, figure.target)
    if not figure.is_share:
        low = 0.0
    margin = 0.08 * (high - low) or 1
    address = line_picture(
        _without_bounds(course), low - (margin if figure.is_share else 0), high + margin,
        colours.grey, colours, target=figure.target, has_area=not figure.is_share,
    )  # fmt: skip
    return f'<img class="figure-line" src="{address}" alt="{escape(sparkline_words(figure))}">'


def sparkline_words(figure: Figure) -> str:
    values = figure.course.values
    low, high, last = (figure.form(value) for value in (min(values), max(values), values[-1]))
    ending = "so far in the last step, dashed" if figure.course.ends_unfinished else "at the end"
    return f"{figure.name}, step by step: from {low} to {high}, {last} {ending}."


def rate_chart(figure: Figure, names: Sequence[str], colours: Palette) -> str:
    """The course of a rate with its 95 % interval and its target. The axis may start above zero,
    since a rate of 90 to 95 % would be a straight line; the title then says where it starts."""
    course = figure.course
    floor = min(point.low if point.group.is_complete else point.value for point in course.points)
    if not isnan(figure.target):
        floor = min(floor, figure.target)
    begins = min(max(0, int(floor * 10) * 10), 90)
    size = (100 - begins) / _PARTS
    marks = [begins + size * part for part in range(_PARTS + 1)]
    title = f"{figure.name}, %, and its 95 % interval"
    if begins:
        title += f"; the axis begins at {begins} %"
    address = line_picture(
        course, begins / 100, 1, colours.blue, colours, target=figure.target,
        lines_at=[mark / 100 for mark in marks],
    )  # fmt: skip
    labels = "".join(
        f'<span style="bottom:{25 * part}%">{mark:g}</span>' for part, mark in enumerate(marks)
    )
    target = ""
    if not isnan(figure.target):
        height = 100 * (100 * figure.target - begins) / (100 - begins)
        target = f'<span class="plot-target" style="bottom:{height:.1f}%">target</span>'
    return (
        f'<p class="plot-title">{escape(title)}</p>'
        f'<div class="plot"><div class="plot-y" aria-hidden="true">{labels}</div>'
        f'<img src="{address}" alt="{escape(rate_words(figure, names))}">'
        f'<div aria-hidden="true">{target}{_points(course, names)}</div></div>'
        f'<div class="plot-x" aria-hidden="true">{_axis(names)}</div>'
    )


def rate_words(figure: Figure, names: Sequence[str]) -> str:
    """The text alternative of the chart of a rate."""
    points = figure.course.ended
    words = f"{figure.name} over time: {figure.value} ({figure.detail})"
    if len(points) > 1:
        least = min(points, key=lambda point: point.value)
        words += f"; the least, {percent(least.value)}, from {names[least.group.first]}"
    if figure.target_words:
        words += f"; {figure.target_words}"
    return f"{words}."


def _points(course: FigureCourse, names: Sequence[str]) -> str:
    """The values of the points, each shown while the pointer is over its part of the chart."""
    return "".join(
        f'<div class="plot-point" style="left:{100 * point.group.first / course.steps:.2f}%;'
        f'width:{100 * (point.group.end - point.group.first) / course.steps:.2f}%">'
        f"<span>{escape(_point_words(point, names))}</span></div>"
        for point in course.points
    )


def _point_words(point: CoursePoint, names: Sequence[str]) -> str:
    first, last = point.group.first, point.group.end - 1
    when = names[first] if first == last else f"{names[first]} to {names[last]}"
    unfinished = "" if point.group.is_complete else ", not over yet"
    bounds = interval(point.low, point.high)
    return f"{when}: {percent(point.value)} ({bounds}, n = {point.n:,}){unfinished}"


def _axis(names: Sequence[str]) -> str:
    midnights = [n for n, name in enumerate(names) if ":" not in name]
    places = midnights if len(midnights) >= 3 else list(range(len(names)))
    every = -(-len(places) // _MOST_NAMES)
    return "".join(
        f'<span style="left:{100 * place / len(names):.2f}%">{escape(names[place])}</span>'
        for place in places[::every]
        # A name begins at its step, and the last tenth of the axis has no room for one.
        if place <= 0.9 * len(names)
    )


def _without_bounds(course: FigureCourse) -> FigureCourse:
    return FigureCourse(
        course.steps, tuple(CoursePoint(point.group, point.value) for point in course.points)
    )

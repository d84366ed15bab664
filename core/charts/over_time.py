"""Builds the charts of attempts and of the confirmed rate over time."""

from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from core.charts.axes import Chart, Option, clock, over_time, percents, with_legend
from core.charts.palette import Palette
from core.figures.rates import wilsons
from core.panels.figures import Figure
from core.wording.marks import STATE_MARKS

#: The second of two states of one colour.
_DOTTED = {"failed", "unreported"}
_NOT_OVER = "; the last bar, hatched, is not over yet"


def states_over_time(frame: pd.DataFrame, zone: ZoneInfo, colours: Palette) -> Chart:
    """Attempts by state, as one stacked bar for each step. A last step that has not ended is
    hatched."""
    names = clock(frame.index, zone)
    unfinished = bool(len(frame)) and not frame["complete"].iloc[-1]
    series = []
    for state, mark in STATE_MARKS.items():
        data: list[Any] = frame[state].tolist()
        if unfinished:
            data[-1] = {"value": data[-1], "itemStyle": {"decal": _hatch(colours)}}
        style: Option = {"color": colours.states[state]}
        if state in _DOTTED:
            style["decal"] = {"symbol": "circle", "symbolSize": 0.4, "color": colours.ground}
        series.append(
            {"name": mark.word, "type": "bar", "stack": "all", "data": data, "itemStyle": style,
             "barCategoryGap": "12%"}
        )  # fmt: skip
    option = over_time(colours, names, f"Attempts by state{_NOT_OVER if unfinished else ''}")
    plain = {"decal": {"symbol": "none"}}
    entries = [
        {"name": mark.word, "icon": mark.shape, "itemStyle": plain} for mark in STATE_MARKS.values()
    ]
    total, delivered = int(frame["requested"].sum()), int(frame["delivered"].sum())
    alt = f"{total:,} attempts in {len(frame)} steps, {delivered:,} of them delivered so far"
    if total:
        most = int(frame["requested"].max())
        alt += f"; the most, {most:,}, from {names[int(frame['requested'].to_numpy().argmax())]}"
    if unfinished:
        alt += "; the last step is not over yet"
    return Chart(with_legend(option | {"series": series}, entries, colours, rows=2), alt + ".")


def rate_over_time(frame: pd.DataFrame, zone: ZoneInfo, colours: Palette) -> Chart:
    """The confirmed rate of each step with its 95 % interval. The axis may start above zero, since
    a rate of 90 to 95 % would be a straight line; its title then says where it starts."""
    names = clock(frame.index, zone)
    low, high = wilsons(frame["confirmed"], frame["requested"])
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = frame["confirmed"].to_numpy() / frame["requested"].to_numpy()
    floor = float(np.nanmin(low)) if np.isfinite(low).any() else 0.0
    begins = int(max(0, np.floor(floor * 10) * 10))
    title = "Confirmed, %, and its 95 % interval"
    if begins:
        title += f"; the axis begins at {begins} %"
    band = {"type": "line", "symbol": "none", "stack": "band", "silent": True,
            "lineStyle": {"opacity": 0}, "tooltip": {"show": False}}  # fmt: skip
    option = over_time(colours, names, title) | {
        "series": [
            band | {"name": "lower bound", "data": percents(low)},
            band
            | {"name": "interval", "data": percents(high - low),
               "areaStyle": {"color": colours.blue, "opacity": 0.2}},
            {"name": "confirmed, %", "type": "line", "symbol": "none", "data": percents(rate),
             "lineStyle": {"color": colours.blue, "width": 2},
             "itemStyle": {"color": colours.blue}},
        ]
    }  # fmt: skip
    option["yAxis"] |= {"min": begins, "max": 100}
    n, k = int(frame["requested"].sum()), int(frame["confirmed"].sum())
    alt = f"Confirmed: {k:,} of {n:,} attempts ({100 * k / n:.1f} %)" if n else "No attempts"
    if n and len(frame) > 1 and np.isfinite(rate).any():
        least = int(np.nanargmin(rate))
        alt += f"; the least, {100 * float(rate[least]):.1f} %, from {names[least]}"
    return Chart(option, alt + ".")


def sparkline(figure: Figure, colours: Palette) -> Chart:
    """The course of a figure as a line without axes, below its value."""
    line = figure.drawn
    style = {"color": colours.grey}
    option: Option = {
        "grid": {"left": 1, "right": 1, "top": 4, "bottom": 1},
        "xAxis": {"type": "category", "show": False, "boundaryGap": False},
        "yAxis": {"type": "value", "show": False, "scale": figure.is_share},
        "series": [
            {"name": figure.name, "type": "line", "symbol": "none", "silent": True, "data": line,
             "lineStyle": style | {"width": 2}, "itemStyle": style,
             "areaStyle": style | {"opacity": 0 if figure.is_share else 0.2}}
        ],
        "animation": False,
    }  # fmt: skip
    low, high, last = (figure.form(value) for value in (min(line), max(line), line[-1]))
    return Chart(option, f"{figure.name}, step by step: from {low} to {high}, {last} at the end.")


def _hatch(colours: Palette) -> Option:
    return {
        "symbol": "rect",
        "color": colours.ground,
        "dashArrayX": [1, 0],
        "dashArrayY": [2, 4],
        "rotation": -0.8,
    }

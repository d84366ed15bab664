"""Builds the chart of attempts over time."""

from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from core.charts.axes import Chart, Option, clock, over_time, with_legend
from core.charts.palette import Palette
from core.wording.formats import counted
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
    # Half an attempt is not a mark of the axis.
    option["yAxis"] |= {"minInterval": 1}
    entries = [
        {"name": mark.word, "icon": mark.shape, "itemStyle": plain} for mark in STATE_MARKS.values()
    ]
    total, delivered = int(frame["requested"].sum()), int(frame["delivered"].sum())
    alt = (
        f"{counted(total, 'attempt')} in {counted(len(frame), 'step')}, {delivered:,} of them "
        "delivered so far"
    )
    if total:
        most = int(frame["requested"].max())
        alt += f"; the most, {most:,}, from {names[int(frame['requested'].to_numpy().argmax())]}"
    if unfinished:
        alt += "; the last step is not over yet"
    return Chart(with_legend(option | {"series": series}, entries, colours, rows=2), alt + ".")


def _hatch(colours: Palette) -> Option:
    return {
        "symbol": "rect",
        "color": colours.ground,
        "dashArrayX": [1, 0],
        "dashArrayY": [2, 4],
        "rotation": -0.8,
    }

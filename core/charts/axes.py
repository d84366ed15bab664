"""Builds the parts that charts share: axes, titles, tooltips, legends and names of steps."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from core.charts.palette import Palette

Option = dict[str, Any]

#: Up to this width, in pixels, a legend has no room beside the title.
NARROW = 640
SMALL = {"left": 8, "right": 16, "top": 40, "bottom": 8, "containLabel": True}
_FONT = 12


@dataclass(frozen=True, slots=True)
class Chart:
    """An ECharts option, and a sentence that says what it shows."""

    option: Option
    alt: str


def over_time(colours: Palette, names: list[str], title: str) -> Option:
    """Axes of steps and values. The title says what is counted."""
    return {
        "title": titled(title, colours),
        "grid": SMALL,
        "tooltip": tooltip(colours) | {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "xAxis": {"type": "category", "data": names, "axisTick": {"show": False},
                  "axisLine": {"lineStyle": {"color": colours.line}},
                  "axisLabel": {"color": colours.quiet, "hideOverlap": True,
                                "interval": interval(names)}},
        "yAxis": {"type": "value", "axisLabel": {"color": colours.quiet},
                  "splitLine": {"lineStyle": {"color": colours.line}}},
        "animation": False,
    }  # fmt: skip


def titled(words: str, colours: Palette) -> Option:
    style = {"color": colours.quiet, "fontSize": _FONT, "fontWeight": "normal"}
    return {"text": words, "left": 0, "top": 4, "padding": 0, "textStyle": style}


def tooltip(colours: Palette) -> Option:
    """In the colours of the page, inside the chart: on a phone there is no room outside."""
    return {
        "confine": True,
        "backgroundColor": colours.ground,
        "borderColor": colours.line,
        "textStyle": {"color": colours.text, "fontSize": _FONT},
    }


def with_legend(option: Option, entries: list[Option], colours: Palette, rows: int) -> Option:
    """The option with a legend at the right of its title; in a narrow chart below it, in `rows`
    rows."""
    legend = {
        "data": entries, "right": 0, "top": 4, "padding": 0, "itemWidth": 10, "itemHeight": 10,
        "itemGap": 16, "textStyle": {"color": colours.text, "fontSize": _FONT},
        "selectedMode": False,
    }  # fmt: skip
    below = {"legend": {"left": 0, "top": 26}, "grid": {"top": 32 + 22 * rows}}
    return {
        "baseOption": option | {"legend": legend},
        "media": [{"query": {"maxWidth": NARROW}, "option": below}],
    }


def clock(index: "pd.Index[Any]", zone: ZoneInfo) -> list[str]:
    """Names of the steps: times within a day; in a longer range days, with the time unless it is
    midnight. Days are those of the index's zone, which is UTC where no others are kept."""
    days = pd.DatetimeIndex(index)
    local = days.tz_convert(zone)
    if len(local) < 2:
        return [f"{moment:%d %b %H:%M}" for moment in local]
    # The first step may be a part of one.
    step, whole = local[-1] - local[-2], local[-1] - local[0]
    if step >= pd.Timedelta(hours=23):
        return list(days.strftime("%d %b"))
    if whole < pd.Timedelta(hours=25):
        return list(local.strftime("%H:%M"))
    return [name.removesuffix(" 00:00") for name in local.strftime("%d %b %H:%M")]


def interval(names: list[str]) -> int | str:
    """The steps between two labels of an axis, so that only midnights are labelled; "auto" unless
    the first step is a midnight and all midnights are equally far apart."""
    at = [n for n, name in enumerate(names) if ":" not in name]
    gaps = set(np.diff(at).tolist())
    if len(at) >= 3 and len(gaps) == 1 and at[0] == 0:
        return int(gaps.pop()) - 1
    return "auto"

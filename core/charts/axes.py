"""What the charts share: a chart, its frame, its title, and how steps are named."""

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
    """An ECharts option, and what it shows in a sentence."""

    option: Option
    alt: str


def over_time(colours: Palette, names: list[str], title: str) -> Option:
    """The axes of steps and values, under a title that says what is counted."""
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
    """In the colours of the page, and never outside of the chart: a phone has no room there."""
    return {
        "confine": True,
        "backgroundColor": colours.ground,
        "borderColor": colours.line,
        "textStyle": {"color": colours.text, "fontSize": _FONT},
    }


def with_legend(option: Option, entries: list[Option], colours: Palette, rows: int) -> Option:
    """The option with a legend at the right of its title; where that is narrow, below it in so many
    `rows`."""
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
    """Steps as people name them: the time within a day; beyond one the day, and its time too where
    that is not midnight."""
    local = pd.DatetimeIndex(index).tz_convert(zone)
    if len(local) < 2:
        return [f"{one:%d %b %H:%M}" for one in local]
    step, whole = local[1] - local[0], local[-1] - local[0]
    if step >= pd.Timedelta(hours=23):
        return list(local.strftime("%d %b"))
    if whole < pd.Timedelta(hours=25):
        return list(local.strftime("%H:%M"))
    return [name.removesuffix(" 00:00") for name in local.strftime("%d %b %H:%M")]


def interval(names: list[str]) -> int | str:
    """Which of the steps are named on an axis: the midnights, where the first one is one and they
    are as far from each other as on most days; else "auto". The number is how many steps lie
    between two that are named."""
    at = [n for n, name in enumerate(names) if ":" not in name]
    gaps = set(np.diff(at).tolist())
    if len(at) >= 3 and len(gaps) == 1 and at[0] == 0:
        return int(gaps.pop()) - 1
    return "auto"


def percents(values: Any) -> list[float | None]:
    """Fractions in %, None for nan: JSON knows no nan."""
    return [None if np.isnan(v) else round(100 * float(v), 2) for v in values]

"""Charts as ECharts options: a frame in, a dict out, with its text alternative.

Colours are an Okabe-Ito set, shifted to keep 3:1 against each ground; a state has the same colour
everywhere, and a name beside it, so colour never speaks alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from core.delivery.layout import UPPER_MS
from core.delivery.rates import QUANTILES, needed, quantiles, wilsons

Option = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Chart:
    """An ECharts option, and what it shows in a sentence."""

    option: Option
    alt: str


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours on one ground."""

    text: str
    quiet: str
    line: str
    ground: str
    blue: str
    vermilion: str
    green: str
    purple: str
    ochre: str
    grey: str

    @property
    def states(self) -> dict[str, str]:
        """State: colour. Two of one colour differ by their pattern and their word."""
        return {
            "delivered": self.green,
            "pending": self.grey,
            "unreported": self.purple,
            "undelivered": self.vermilion,
            "failed": self.vermilion,
            "rejected": self.ochre,
        }


LIGHT = Palette(
    text="#14202B", quiet="#52616F", line="#D9DFE5", ground="#FFFFFF", blue="#0072B2",
    vermilion="#C24E00", green="#007F5C", purple="#A85482", ochre="#B37400", grey="#7A8794",
)  # fmt: skip
DARK = Palette(
    text="#E8EEF3", quiet="#9FB0BF", line="#2A3641", ground="#0E1419", blue="#56B4E9",
    vermilion="#D55E00", green="#009E73", purple="#CC79A7", ochre="#E69F00", grey="#9FB0BF",
)  # fmt: skip

#: The states of the chart over time, from the ground up, and their words.
STATES = {
    "delivered": "delivered",
    "pending": "pending",
    "unreported": "unknown",
    "undelivered": "undelivered",
    "failed": "failed",
    "rejected": "rejected",
}
FUNNEL = ("requested", "sent", "delivered", "verified")
LEGS = ("app", "queue", "carrier", "person")
_SMALL = {"left": 8, "right": 16, "top": 36, "bottom": 8, "containLabel": True}
_MERGED = 4  # bins in a row of the heatmap


def states_over_time(frame: pd.DataFrame, zone: ZoneInfo, colours: Palette) -> Chart:
    """Attempts by state, stacked, one bar a step; the last, unfinished one is hatched."""
    names = _clock(frame.index, zone)
    hatched = {"symbol": "rect", "dashArrayX": [1, 0], "dashArrayY": [2, 4], "rotation": -0.8}
    series = []
    for state, word in STATES.items():
        data: list[Any] = frame[state].tolist()
        if len(data) and not frame["complete"].iloc[-1]:
            data[-1] = {"value": data[-1], "itemStyle": {"decal": hatched, "opacity": 0.7}}
        style: Option = {"color": colours.states[state]}
        if state == "failed":
            style["decal"] = {"symbol": "circle", "symbolSize": 0.4, "color": colours.ground}
        series.append(
            {"name": word, "type": "bar", "stack": "all", "data": data, "itemStyle": style,
             "barCategoryGap": "12%"}
        )  # fmt: skip
    total, delivered = int(frame["requested"].sum()), int(frame["delivered"].sum())
    alt = f"{total:,} attempts in {len(frame)} steps, {delivered:,} of them delivered so far"
    if total:
        most = int(frame["requested"].max())
        alt += f"; the most, {most:,}, from {names[int(frame['requested'].to_numpy().argmax())]}"
    return Chart(_axes(colours, names, "attempts") | {"series": series}, alt + ".")


def rate_over_time(frame: pd.DataFrame, zone: ZoneInfo, colours: Palette) -> Chart:
    """The confirmed rate of each step with its 95 % interval."""
    names = _clock(frame.index, zone)
    low, high = wilsons(frame["confirmed"], frame["requested"])
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = frame["confirmed"].to_numpy() / frame["requested"].to_numpy()
    band = {"type": "line", "symbol": "none", "stack": "band", "silent": True,
            "lineStyle": {"opacity": 0}}  # fmt: skip
    option = _axes(colours, names, "confirmed, %") | {
        "series": [
            band | {"name": "lower bound", "data": _percent(low)},
            band
            | {"name": "interval", "data": _percent(high - low),
               "areaStyle": {"color": colours.blue, "opacity": 0.18}},
            {"name": "confirmed", "type": "line", "symbol": "none", "data": _percent(rate),
             "lineStyle": {"color": colours.blue, "width": 2},
             "itemStyle": {"color": colours.blue}},
        ]
    }  # fmt: skip
    floor = np.nanmin(low) if np.isfinite(low).any() else 0.0
    option["yAxis"]["min"] = int(max(0, np.floor(floor * 10) * 10))
    option["yAxis"]["max"] = 100
    option["legend"] = {"show": False}
    n, k = int(frame["requested"].sum()), int(frame["confirmed"].sum())
    alt = f"Confirmed: {k:,} of {n:,} attempts ({k / n:.1%})." if n else "No attempts."
    return Chart(option, alt)


def latency(frame: pd.DataFrame, zone: ZoneInfo, colours: Palette) -> Chart:
    """Time to deliver: a heatmap of step and duration, and p50, p90, p95 and p99 over it, each only
    where there are enough deliveries."""
    names = _clock(frame.index, zone)
    values = frame.to_numpy()
    used = np.flatnonzero(values.sum(axis=0))
    first, last = (int(used[0]), int(used[-1])) if len(used) else (0, 3)
    rows = range(first // _MERGED, last // _MERGED + 1)
    cells = [
        [x, y, int(n)]
        for y, row in enumerate(rows)
        for x, n in enumerate(values[:, row * _MERGED : (row + 1) * _MERGED].sum(axis=1))
        if n
    ]
    labels = [_seconds(UPPER_MS[min(row * _MERGED + _MERGED - 1, 127)]) for row in rows]
    total = values.sum(axis=1)
    lines = []
    for q, dash in zip(QUANTILES, ("solid", "dashed", [8, 3, 2, 3], "dotted"), strict=True):
        ms = np.where(total >= needed(q), quantiles(values, q), np.nan)
        # A place on the rows of the heatmap, which are steps of the same factor.
        place = (8 * np.log2(ms / 1000) + 39) / _MERGED - first // _MERGED - 0.5
        lines.append(
            {"name": f"p{q * 100:.0f}", "type": "line", "yAxisIndex": 1, "symbol": "none",
             "data": [None if np.isnan(p) else round(float(p), 2) for p in place],
             "lineStyle": {"color": colours.text, "type": dash, "width": 1.6},
             "itemStyle": {"color": colours.text},
             "endLabel": {"show": True, "formatter": "{a}", "color": colours.text},
             "z": 5}
        )  # fmt: skip
    option = _axes(colours, names, "") | {
        "yAxis": [
            {"type": "category", "data": labels, "name": "up to", "splitLine": {"show": False},
             "axisLabel": {"color": colours.quiet}, "nameTextStyle": {"color": colours.quiet}},
            {"type": "value", "min": -0.5, "max": len(labels) - 0.5, "show": False},
        ],
        "visualMap": {
            "show": False, "min": 0, "max": max([n for *_, n in cells], default=1),
            "seriesIndex": 0, "inRange": {"color": [colours.ground, colours.blue]},
        },
        "series": [{"type": "heatmap", "data": cells, "name": "deliveries"}, *lines],
    }  # fmt: skip
    option["grid"] = _SMALL | {"right": 48}
    whole = values.sum(axis=0)
    said = [
        f"p{q * 100:.0f} {_seconds(float(quantiles(whole.reshape(1, -1), q)[0]))}"
        for q in QUANTILES
        if whole.sum() >= needed(q)
    ]
    alt = f"Time to deliver of {int(whole.sum()):,} attempts"
    return Chart(
        option, f"{alt}: {', '.join(said)}." if said else f"{alt}: too few for percentiles."
    )


def funnel(frame: pd.DataFrame, names: dict[str, str], colours: Palette) -> Chart:
    """How many attempts of each channel came how far, as shares of those requested."""
    shades = [colours.grey, colours.purple, colours.green, colours.blue]
    channels = [one for one in names if one in frame.index]
    series = []
    for column, colour in zip(FUNNEL, shades, strict=True):
        share = [round(100 * _share(frame, c, column), 1) for c in channels]
        series.append(
            {"name": column, "type": "bar", "data": share, "itemStyle": {"color": colour},
             "label": {"show": True, "position": "right", "formatter": "{c} %",
                       "color": colours.text}}
        )  # fmt: skip
    option: Option = {
        "grid": _SMALL | {"right": 56},
        "legend": {"top": 0, "textStyle": {"color": colours.text}},
        "xAxis": {"type": "value", "max": 100, "axisLabel": {"show": False},
                  "splitLine": {"lineStyle": {"color": colours.line}}},
        "yAxis": {"type": "category", "inverse": True, "data": [names[c] for c in channels],
                  "axisLabel": {"color": colours.text}},
        "series": series,
        "animation": False,
    }  # fmt: skip
    said = [
        f"{names[c]}: {int(frame['requested'][c]):,} requested, "
        + ", ".join(f"{_share(frame, c, k):.0%} {k}" for k in FUNNEL[1:])
        for c in channels
    ]
    return Chart(option, "; ".join(said) + "." if said else "No attempts.")


def waterfall(totals: "pd.Series[int]", colours: Palette) -> Chart:
    """Where the seconds go: the mean of each leg, one after the other. Means, because they add up
    and medians do not."""
    means = {leg: _mean(totals, leg) for leg in LEGS}
    shades = dict(
        zip(LEGS, (colours.grey, colours.purple, colours.ochre, colours.blue), strict=True)
    )
    series, gone = [], 0.0
    for leg in LEGS:
        series.append(
            {"name": leg, "type": "bar", "stack": "all", "data": [round(means[leg] / 1000, 2)],
             "itemStyle": {"color": shades[leg]}, "barWidth": 44,
             "label": {"show": means[leg] > 0, "formatter": "{a}\n{c} s", "color": colours.ground}}
        )  # fmt: skip
        gone += means[leg]
    option: Option = {
        "grid": _SMALL | {"top": 8},
        "xAxis": {"type": "value", "name": "s", "axisLabel": {"color": colours.quiet},
                  "splitLine": {"lineStyle": {"color": colours.line}}},
        "yAxis": {"type": "category", "data": [""], "axisTick": {"show": False}},
        "series": series,
        "tooltip": {"trigger": "item"},
        "animation": False,
    }  # fmt: skip
    said = ", ".join(f"{leg} {_seconds(ms)}" for leg, ms in means.items())
    return Chart(option, f"Mean of each leg: {said}; {_seconds(gone)} together.")


def errors(frame: pd.DataFrame, colours: Palette) -> Chart:
    """The most frequent errors: bars by `label` and `count`, the longest on top."""
    top = frame.head(8)
    option: Option = {
        "grid": _SMALL | {"top": 8, "right": 48},
        "xAxis": {"type": "value", "splitLine": {"lineStyle": {"color": colours.line}},
                  "axisLabel": {"color": colours.quiet}},
        "yAxis": {"type": "category", "inverse": True, "data": top["label"].tolist(),
                  "axisLabel": {"color": colours.text, "width": 170, "overflow": "truncate"}},
        "series": [
            {"type": "bar", "data": top["count"].tolist(), "name": "attempts",
             "itemStyle": {"color": colours.vermilion},
             "label": {"show": True, "position": "right", "color": colours.text}}
        ],
        "animation": False,
    }  # fmt: skip
    said = "; ".join(f"{row.label}: {row.count_:,}" for row in _rows(top))
    return Chart(option, said + "." if said else "No errors.")


def _rows(frame: pd.DataFrame) -> Sequence[Any]:
    return list(frame.rename(columns={"count": "count_"}).itertuples())


def _axes(colours: Palette, names: list[str], unit: str) -> Option:
    return {
        "grid": _SMALL,
        "legend": {"top": 0, "type": "scroll", "textStyle": {"color": colours.text}},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "xAxis": {"type": "category", "data": names, "axisLabel": {"color": colours.quiet}},
        "yAxis": {"type": "value", "name": unit, "axisLabel": {"color": colours.quiet},
                  "nameTextStyle": {"color": colours.quiet, "align": "left"},
                  "splitLine": {"lineStyle": {"color": colours.line}}},
        "animation": False,
    }  # fmt: skip


def _clock(index: "pd.Index[Any]", zone: ZoneInfo) -> list[str]:
    """Steps as people name them: the time within a day, the day beyond."""
    local = pd.DatetimeIndex(index).tz_convert(zone)
    if len(local) < 2:
        return [f"{one:%d %b %H:%M}" for one in local]
    step, whole = local[1] - local[0], local[-1] - local[0]
    if step >= pd.Timedelta(hours=23):
        return [f"{one:%d %b}" for one in local]
    form = "%H:%M" if whole < pd.Timedelta(hours=25) else "%d %b %H:%M"
    return [one.strftime(form) for one in local]


def _percent(values: Any) -> list[float | None]:
    return [None if np.isnan(v) else round(100 * float(v), 2) for v in values]


def _seconds(ms: float) -> str:
    seconds = ms / 1000
    if np.isnan(seconds):
        return "none"
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:.1f} min"


def _share(frame: pd.DataFrame, channel: str, column: str) -> float:
    requested = int(frame["requested"][channel])
    return int(frame[column][channel]) / requested if requested else 0.0


def _mean(totals: "pd.Series[int]", leg: str) -> float:
    n = int(totals[f"n_{leg}"])
    return int(totals[f"{leg}_ms"]) / n if n else 0.0

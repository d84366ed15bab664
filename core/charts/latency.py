"""Builds the charts of durations: the heatmap with percentiles, and the mean of each part."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from core.charts.axes import SMALL, Chart, Option, clock, over_time, titled, tooltip
from core.charts.palette import Palette
from core.figures.layout import BIN_OF_1_SECOND
from core.figures.packing import UPPER_MS
from core.figures.rates import QUANTILES, quantiles, stepwise_quantiles, values_needed
from core.wording.formats import duration

#: Bins in a row of the heatmap: a row is a factor of the square root of two.
_MERGED = 4
_BINS_TO_DOUBLE = 8
#: The lines of the percentiles: dashes, and an offset in pixels that keeps their names apart.
_LINES: tuple[tuple[Any, int], ...] = (
    ("solid", 0),
    ("dashed", 7),
    ([8, 3, 2, 3], -5),
    ("dotted", -5),
)


def latency(frame: pd.DataFrame, zone: ZoneInfo, colours: Palette) -> Chart:
    """Time to deliver: a heatmap of step and duration under the lines of p50, p90, p95 and p99.
    Each line combines as many steps as its percentile needs (`rates.stepwise_quantiles`)."""
    names = clock(frame.index, zone)
    values = frame.to_numpy()
    used = np.flatnonzero(values.sum(axis=0))
    first, last = (int(used[0]), int(used[-1])) if len(used) else (0, 3)
    # Rows with odd numbers end at powers of two of a second: those are labelled, so start at one.
    lowest = first // _MERGED - 1 + first // _MERGED % 2
    rows = range(lowest, last // _MERGED + 1)
    cells = [
        [x, y, int(n)]
        for y, row in enumerate(rows)
        for x, n in enumerate(values[:, max(row, 0) * _MERGED : (row + 1) * _MERGED].sum(axis=1))
        if n
    ]
    labels = [_ms_text(_upper_ms(row)) for row in rows]
    lines = []
    for q, (dash, offset) in zip(QUANTILES, _LINES, strict=True):
        ms = stepwise_quantiles(values, q)
        # The place on the rows of the heatmap, each of which is the same factor.
        place = (_BINS_TO_DOUBLE * np.log2(ms / 1000) + BIN_OF_1_SECOND) / _MERGED - lowest - 0.5
        lines.append(
            {"name": f"p{q * 100:.0f}", "type": "line", "yAxisIndex": 1, "symbol": "none",
             "data": [None if np.isnan(p) else round(float(p), 2) for p in place],
             "lineStyle": {"color": colours.text, "type": dash, "width": 1.6},
             "itemStyle": {"color": colours.text}, "tooltip": {"show": False},
             "endLabel": {"show": True, "formatter": "{a}", "color": colours.text,
                          "offset": [0, offset]},
             "z": 5}
        )  # fmt: skip
    option = over_time(
        colours, names, "Time from request to delivery report; the stronger the colour, the more"
    ) | {
        "tooltip": tooltip(colours) | {"trigger": "item"},
        "yAxis": [
            {"type": "category", "data": labels, "splitLine": {"show": False},
             "axisTick": {"show": False}, "axisLine": {"show": False},
             "axisLabel": {"color": colours.quiet, "interval": 1}},
            {"type": "value", "min": -0.5, "max": len(labels) - 0.5, "show": False},
        ],
        "visualMap": {
            "show": False, "min": 0, "max": max([n for *_, n in cells], default=1),
            "seriesIndex": 0,
            "inRange": {"color": colours.shades(colours.blue, 0.15, 0.45, 0.65, 0.82, 1)},
        },
        "series": [{"type": "heatmap", "data": cells, "name": "deliveries"}, *lines],
    }  # fmt: skip
    option["grid"] = SMALL | {"right": 40}
    whole = values.sum(axis=0)
    texts = [
        f"p{q * 100:.0f} {_ms_text(quantiles(whole.reshape(1, -1), q)[0])}"
        for q in QUANTILES
        if whole.sum() >= values_needed(q)
    ]
    alt = f"Time to deliver of {int(whole.sum()):,} attempts"
    return Chart(
        option, f"{alt}: {', '.join(texts)}." if texts else f"{alt}: too few for percentiles."
    )


def _ms_text(ms: float) -> str:
    return duration(timedelta(milliseconds=float(ms)))


def waterfall(legs: pd.DataFrame, colours: Palette) -> Chart:
    """The mean duration of each leg, from `panels.tables.legs_table`: each bar starts where the
    previous one ends."""
    means = legs["mean_s"].tolist()
    total = duration(timedelta(seconds=sum(means)))
    labels = [
        {"value": round(mean, 2), "label": {"formatter": duration(timedelta(seconds=mean))}}
        for mean in means
    ]
    option: Option = {
        "title": titled(f"Mean of each part, one after the other: {total} together", colours),
        "grid": SMALL | {"top": 24, "right": 56},
        "tooltip": tooltip(colours) | {"trigger": "item"},
        "xAxis": {"type": "value", "axisLabel": {"color": colours.quiet, "formatter": "{value} s"},
                  "splitLine": {"lineStyle": {"color": colours.line}}},
        "yAxis": {"type": "category", "inverse": True, "data": legs["name"].tolist(),
                  "axisTick": {"show": False}, "axisLine": {"show": False},
                  "axisLabel": {"color": colours.text}},
        "series": [
            {"name": "begins", "type": "bar", "stack": "all", "silent": True,
             "data": [round(start, 2) for start in legs["from_s"]],
             "itemStyle": {"color": "transparent"}, "tooltip": {"show": False}},
            {"name": "mean, s", "type": "bar", "stack": "all", "data": labels, "barMaxWidth": 24,
             "itemStyle": {"color": colours.blue},
             "label": {"show": True, "position": "right", "color": colours.text}},
        ],
        "animation": False,
    }  # fmt: skip
    parts = ", ".join(
        f"{name} {duration(timedelta(seconds=mean))}"
        for name, mean in zip(legs["name"], means, strict=True)
    )
    return Chart(option, f"Mean of each part: {parts}; {total} together.")


def _upper_ms(row: int) -> float:
    return float(UPPER_MS[max(0, min(row * _MERGED + _MERGED - 1, len(UPPER_MS) - 1))])

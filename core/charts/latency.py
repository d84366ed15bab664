"""Builds the charts of durations: the heatmap with percentiles, and the mean of each part."""

from datetime import timedelta
from math import inf
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from core.charts.axes import SMALL, Chart, Option, clock, over_time, titled, tooltip
from core.charts.palette import Palette
from core.figures.layout import BIN_OF_1_SECOND
from core.figures.packing import UPPER_MS
from core.figures.rates import QUANTILES, quantiles, stepwise_quantiles, values_needed
from core.wording.formats import counted, duration

#: Bins in a row of the heatmap: a row is a factor of the square root of two.
_MERGED = 4
_BINS_TO_DOUBLE = 8
#: The widths of the lines of the percentiles. Dashes mean that a step is not over yet.
_WIDTHS = (2.4, 1.8, 1.4, 1.0)
#: The height of a name, and about that of the rows of the heatmap, in pixels.
_NAME_PX, _PLOT_PX = 15, 270


def latency(
    frame: pd.DataFrame, zone: ZoneInfo, colours: Palette, *, is_unfinished: bool = False
) -> Chart:
    """Time to deliver: a heatmap of step and duration under the lines of p50, p90, p95 and p99.
    Each line combines as many steps as its percentile needs (`rates.stepwise_quantiles`); there is
    none for a percentile that has too few values. `is_unfinished`: the last step has not ended."""
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
    lines: list[Option] = []
    ends: dict[str, float] = {}
    for q, width in zip(QUANTILES, _WIDTHS, strict=True):
        ms = stepwise_quantiles(values, q)
        if np.isnan(ms).all():
            continue
        # The place on the rows of the heatmap, each of which is the same factor.
        place = (_BINS_TO_DOUBLE * np.log2(ms / 1000) + BIN_OF_1_SECOND) / _MERGED - lowest - 0.5
        points = [None if np.isnan(p) else round(float(p), 2) for p in place]
        name = f"p{q * 100:.0f}"
        lines += _percentile_line(name, points, width, colours, is_unfinished)
        ends[name] = [point for point in points if point is not None][-1]
    lines.append(_percentile_names(_apart(ends, len(rows)), len(names), colours))
    option = over_time(
        colours, names, "Time to the delivery report; stronger colour: more"
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
    alt = f"Time to deliver of {counted(int(whole.sum()), 'attempt')}"
    return Chart(
        option, f"{alt}: {', '.join(texts)}." if texts else f"{alt}: too few for percentiles."
    )


def _percentile_line(
    name: str, points: list[float | None], width: float, colours: Palette, is_unfinished: bool
) -> list[Option]:
    """A line, of which the way into an unfinished step is dashed."""
    line: Option = {
        "name": name, "type": "line", "yAxisIndex": 1, "symbol": "none", "z": 5,
        "itemStyle": {"color": colours.text}, "tooltip": {"show": False},
        "lineStyle": {"color": colours.text, "width": width},
    }  # fmt: skip
    lines = [line | {"data": [*points[:-1], None] if is_unfinished else points}]
    if is_unfinished and len(points) > 1 and points[-1] is not None and points[-2] is not None:
        tail = [None] * (len(points) - 2) + points[-2:]
        lines.append(line | {"data": tail, "lineStyle": line["lineStyle"] | {"type": "dashed"}})
    return lines


def _apart(ends: dict[str, float], rows: int) -> dict[str, float]:
    """The places of the names at the ends of their lines, moved up where they would overlap."""
    gap = _NAME_PX * rows / _PLOT_PX
    places: dict[str, float] = {}
    lowest = -inf
    for name, place in ends.items():
        lowest = places[name] = round(max(place, lowest + gap), 2)
    return places


def _percentile_names(places: dict[str, float], steps: int, colours: Palette) -> Option:
    """The names of the lines, in a column at the right of the last step."""
    label = {"show": True, "position": "right", "formatter": "{b}", "color": colours.text}
    data = [{"name": name, "value": [steps - 1, place]} for name, place in places.items()]
    return {
        "name": "names", "type": "scatter", "yAxisIndex": 1, "data": data, "label": label,
        "symbolSize": 0, "silent": True, "tooltip": {"show": False}, "z": 6,
    }  # fmt: skip


def _ms_text(ms: float) -> str:
    return duration(timedelta(milliseconds=float(ms)))


def waterfall(legs: pd.DataFrame, colours: Palette) -> Chart:
    """The mean duration of each leg, from `panels.tables.legs_table`: each bar starts where the
    previous one ends."""
    means = legs["mean_s"].fillna(0.0).tolist()
    total = duration(timedelta(seconds=sum(means)))
    words = [
        duration(timedelta(seconds=mean)) if n else "not known"
        for mean, n in zip(means, legs["n"], strict=True)
    ]
    labels = [
        {"value": round(mean, 2), "label": {"formatter": text}}
        for mean, text in zip(means, words, strict=True)
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
    parts = ", ".join(f"{name} {text}" for name, text in zip(legs["name"], words, strict=True))
    return Chart(option, f"Mean of each part: {parts}; {total} together.")


def _upper_ms(row: int) -> float:
    return float(UPPER_MS[max(0, min(row * _MERGED + _MERGED - 1, len(UPPER_MS) - 1))])

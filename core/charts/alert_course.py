"""Builds the small chart of an alert: its course, what is usual, and the moment of the alert."""

from datetime import datetime
from zoneinfo import ZoneInfo

from core.charts.axes import Chart, Option, over_time
from core.charts.palette import Palette
from core.model.clock import from_ms, to_ms
from core.panels.alert_course import CoursePoints
from core.wording.formats import day_and_time

#: An axis of shares begins here if all are above it.
_HIGH = 60


def alert_course(
    points: CoursePoints,
    moments: tuple[datetime, datetime, datetime | None],
    zone: ZoneInfo,
    colours: Palette,
) -> Chart:
    """`moments`: when it began, when it fired, and when it ended."""
    since, fired, ended = moments

    def local_ms(ms: float) -> float:
        """As if the zone were UTC: ECharts draws the zone of the browser or UTC only."""
        offset = datetime.fromtimestamp(ms / 1000, zone).utcoffset()
        return ms + (offset.total_seconds() * 1000 if offset else 0)

    x = [local_ms(ms) for ms in points.middle_ms]
    name, is_share = points.name, points.unit == "%"
    unit = f", {points.unit}" if points.unit else ""
    smallest = min([*points.value, *points.low, points.usual])
    lowest = _HIGH if is_share and smallest > _HIGH else 0
    begins = f"; the axis begins at {lowest} %" if lowest else ""
    title = f"{name.capitalize()}{unit}; grey: usual{begins}"
    quiet: Option = {"type": "line", "symbol": "none", "silent": True, "tooltip": {"show": False}}
    hidden = {"lineStyle": {"opacity": 0}}
    band = [high - low for low, high in zip(points.low, points.high, strict=True)]
    end = ended or from_ms(points.last_ms)
    area = {"itemStyle": {"color": colours.shades(colours.vermilion, 0.14)[0]}, "silent": True,
            "data": [[{"xAxis": local_ms(to_ms(since))},
                      {"xAxis": local_ms(to_ms(end))}]]}  # fmt: skip
    mark = {"symbol": "none", "silent": True, "animation": False,
            "lineStyle": {"color": colours.vermilion, "type": "solid", "width": 1},
            "label": {"formatter": "alert", "color": colours.text, "position": "end",
                      "distance": 2},
            "data": [{"xAxis": local_ms(to_ms(fired))}]}  # fmt: skip
    series: list[Option] = [
        quiet | hidden | {"stack": "band", "data": _pairs(x, points.low)},
        quiet | hidden | {"stack": "band", "data": _pairs(x, band),
                          "areaStyle": {"color": colours.grey, "opacity": 0.3}},
        quiet | {"data": _pairs(x, [points.usual] * len(x)),
                 "lineStyle": {"color": colours.grey, "width": 1, "type": "dashed"}},
        {"type": "line", "name": name, "data": _pairs(x, points.value), "symbol": "circle",
         "symbolSize": 4, "itemStyle": {"color": colours.blue}, "lineStyle": {"width": 2},
         "markLine": mark, "markArea": area, "z": 5},
    ]  # fmt: skip
    option = over_time(colours, [], title)
    del option["xAxis"]["data"], option["xAxis"]["axisLabel"]["interval"]
    option["xAxis"] |= {
        "type": "time",
        "splitLine": {"show": False},
        "splitNumber": 4,
        "min": local_ms(points.first_ms),
        "max": local_ms(points.last_ms),
    }
    option["yAxis"] |= {"min": lowest, "splitNumber": 2} | ({"max": 100} if is_share else {})
    option["tooltip"] |= {"axisPointer": {"type": "line"}}
    option |= {"useUTC": True, "series": series}
    option["grid"] = option["grid"] | {"top": 44}
    last = f"{points.value[-1]:,.4g}" if points.value else "no value"
    alt = (
        f"{name.capitalize()}: {last} at the end, {points.usual:,.4g} is usual. It began "
        f"{day_and_time(since, zone)}, the alert was {day_and_time(fired, zone)}."
    )
    return Chart(option, alt)


def _pairs(x: list[float], values: list[float]) -> list[list[float]]:
    return [[at, round(value, 4)] for at, value in zip(x, values, strict=True)]

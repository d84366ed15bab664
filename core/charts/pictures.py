"""Draws lines as SVG files in data addresses, for pages that load no chart library for them.

A picture has no width of its own: it is stretched to its place, and its strokes are not.
"""

from collections.abc import Sequence
from math import isnan
from urllib.parse import quote

from core.charts.palette import Palette
from core.panels.course import CoursePoint, FigureCourse

_WIDTH, _HEIGHT = 1000, 100
#: What is not final yet has the same dashes in every line.
_DASHES = "4 4"


def line_picture(
    course: FigureCourse,
    low: float,
    high: float,
    colour: str,
    colours: Palette,
    *,
    target: float = float("nan"),
    lines_at: Sequence[float] = (),
    has_area: bool = False,
) -> str:
    """The address of a picture of a course between two values, with the interval of a rate as a
    band, the `target` as a dashed line and thin lines at some values. The last point, if its step
    has not ended, is joined by dashes."""
    points = [_place(course, point, point.value, low, high) for point in course.points]
    parts = [_across(_y(value, low, high), colours.line) for value in lines_at]
    ended = len(course.ended)
    if _has_band(course):
        parts.append(_band(course, low, high, colour))
    if has_area and points:
        first, last = points[0][0], points[-1][0]
        path = f"{_path(points)}L{last:g} {_HEIGHT}L{first:g} {_HEIGHT}Z"
        parts.append(f'<path d="{path}" fill="{colour}" fill-opacity=".15" stroke="none"/>')
    if not isnan(target):
        parts.append(_across(_y(target, low, high), colours.text, dashes="2 4"))
    if ended > 1:
        parts.append(_stroke(_path(points[:ended]), colour))
    if 1 <= ended < len(points):
        parts.append(_stroke(_path(points[ended - 1 :]), colour, dashes=_DASHES))
    if points:
        # A line without a length is a dot, which stretching does not make an ellipse.
        x, y = points[ended - 1] if ended else points[-1]
        parts.append(_stroke(f"M{x:g} {y:g}h0", colour, width=6))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
        f' preserveAspectRatio="none">{"".join(parts)}</svg>'
    )
    return f"data:image/svg+xml,{quote(svg, safe='/:=<> ')}".replace(" ", "%20")


def _has_band(course: FigureCourse) -> bool:
    """Whether the points have bounds."""
    return len(course.ended) > 1 and not isnan(course.points[0].low)


def _place(
    course: FigureCourse, point: CoursePoint, value: float, low: float, high: float
) -> tuple[float, float]:
    return round(_WIDTH * point.group.middle / course.steps, 1), _y(value, low, high)


def _y(value: float, low: float, high: float) -> float:
    return round(_HEIGHT * (1 - (value - low) / (high - low or 1)), 2)


def _band(course: FigureCourse, low: float, high: float, colour: str) -> str:
    """Without an unfinished step, whose interval would be far wider than all others."""
    ended = course.ended
    above = [_place(course, point, point.high, low, high) for point in ended]
    below = [_place(course, point, point.low, low, high) for point in ended]
    path = f"{_path(above)}L{_path(below[::-1])[1:]}Z"
    return f'<path d="{path}" fill="{colour}" fill-opacity=".18" stroke="none"/>'


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def _across(y: float, colour: str, dashes: str = "") -> str:
    return _stroke(f"M0 {y:g}H{_WIDTH}", colour, width=1, dashes=dashes)


def _stroke(path: str, colour: str, *, width: float = 2, dashes: str = "") -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}"{dashed}'
        ' stroke-linecap="round" stroke-linejoin="round" vector-effect="non-scaling-stroke"/>'
    )

"""The points of an alert's course: its slots in steps that are wide enough, and what is usual."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from core.alerts.course import AlertCourse
from core.alerts.measures import Measure
from core.alerts.sequential import Bools, Floats
from core.model.clock import to_ms
from core.wording.alerts import MEASURES

#: What is drawn before the beginning: so many times as much as after it, within these limits.
_BEFORE, _LEAST, _MOST = 3, timedelta(hours=3), timedelta(hours=24)
#: Widths of steps, in minutes; a step has so many attempts on average, and a course so many steps.
_WIDTHS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360)
_ENOUGH, _STEPS = 6, 60
_MINUTE_MS = 60_000
_UNITS = {Measure.TRAFFIC: "", Measure.PRICE: "$"}
_SCALES = {"": 1.0, "$": 1e-6, "%": 100.0}
#: The usual variation of a price, as a part of it.
_PRICES_VARY = 0.25


@dataclass(frozen=True, slots=True)
class CoursePoints:
    """Steps with values, in order: their middles, and the values between which chance leaves nearly
    all that are as usual; moments in Unix ms. `name`: of the value. `unit`: "%", "$" or ""."""

    name: str
    unit: str
    first_ms: int
    last_ms: int
    middle_ms: list[float]
    value: list[float]
    low: list[float]
    high: list[float]
    usual: float


def points(
    course: AlertCourse, measure: Measure, baseline: float, since: datetime, end: datetime
) -> CoursePoints:
    """The points from some time before `since` to `end`, for what is usual. A step begins at
    `since`, so that none has attempts from before and after it."""
    name, unit = MEASURES[measure], _UNITS.get(measure, "%")
    before = min(max(_BEFORE * (end - since), _LEAST), _MOST)
    first_ms, last_ms = to_ms(since - before), to_ms(end)
    is_drawn = (course.ends > first_ms) & (course.starts < last_ms)
    starts, ends = course.starts[is_drawn], course.ends[is_drawn]
    if not len(starts):
        return CoursePoints(name, unit, first_ms, last_ms, [], [], [], [], baseline)
    width_ms = _width(course, is_drawn) * _MINUTE_MS
    steps = (starts - to_ms(since)) // width_ms
    steps -= steps[0]
    part: Floats = np.bincount(steps, course.part[is_drawn]).astype(float)
    whole: Floats = np.bincount(steps, course.whole[is_drawn]).astype(float)
    begins = np.full(len(part), np.inf)
    np.minimum.at(begins, steps, starts.astype(float))
    finishes = np.zeros(len(part))
    np.maximum.at(finishes, steps, ends.astype(float))
    has_value = whole > 0
    part, whole = part[has_value], whole[has_value]
    middle = ((begins + finishes) / 2)[has_value]
    spread = _spread(measure, baseline, whole)
    scale = _SCALES[unit]
    most = 1.0 if unit == "%" else np.inf
    low, high = np.maximum(baseline - spread, 0), np.minimum(baseline + spread, most)
    return CoursePoints(
        name,
        unit,
        int(starts[0]),
        last_ms,
        middle.tolist(),
        (part / whole * scale).tolist(),
        (low * scale).tolist(),
        (high * scale).tolist(),
        baseline * scale,
    )


def _width(course: AlertCourse, is_drawn: Bools) -> int:
    """Of a step, in minutes."""
    slots = int(((course.ends - course.starts)[is_drawn] // _MINUTE_MS).max())
    minutes = int((course.ends[is_drawn][-1] - course.starts[is_drawn][0]) // _MINUTE_MS)
    attempts = float(course.requested[is_drawn].sum())
    wide_enough = (
        width
        for width in _WIDTHS
        if width >= slots and width * _STEPS >= minutes and width * attempts >= _ENOUGH * minutes
    )
    return next(wide_enough, _WIDTHS[-1])


def _spread(measure: Measure, baseline: float, whole: Floats) -> Floats:
    """Two standard deviations of chance."""
    if measure is Measure.PRICE:
        return np.full(len(whole), _PRICES_VARY * baseline)
    variance = baseline if measure is Measure.TRAFFIC else baseline * (1 - baseline)
    spread: Floats = 2 * np.sqrt(variance / whole)
    return spread

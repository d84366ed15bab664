"""The course of a figure over its range: the points of its line, and which of them is not final."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import Any

import numpy as np
import pandas as pd

from core.figures.rates import ENOUGH, wilsons
from core.figures.step_groups import StepGroup, step_groups


@dataclass(frozen=True, slots=True)
class CoursePoint:
    """The value of a group of steps. `n`: the attempts behind a rate, with its bounds `low` and
    `high`; 0 and nan for other figures."""

    group: StepGroup
    value: float
    n: int = 0
    low: float = nan
    high: float = nan


@dataclass(frozen=True, slots=True)
class FigureCourse:
    """The points in order, without the groups that have no value, of `steps` steps."""

    steps: int
    points: tuple[CoursePoint, ...]

    @property
    def is_line(self) -> bool:
        """Whether there are enough points for a line."""
        return len(self.points) > 2

    @property
    def values(self) -> list[float]:
        return [point.value for point in self.points]

    @property
    def ended(self) -> tuple[CoursePoint, ...]:
        """The points of steps that have ended."""
        return tuple(point for point in self.points if point.group.is_complete)

    @property
    def ends_unfinished(self) -> bool:
        return bool(self.points) and not self.points[-1].group.is_complete


NO_COURSE = FigureCourse(0, ())


def rate_course(frame: pd.DataFrame, k: str, n: str) -> FigureCourse:
    """The rate `k` of `n` over time, from a frame of `Queries.over_time`, in groups of steps that
    are wide enough for a rate."""
    groups = step_groups(frame[n], frame["complete"].tolist())
    ks, ns = _sums(frame[k], groups), _sums(frame[n], groups)
    low, high = wilsons(ks, ns)
    points = [
        CoursePoint(group, a / b, int(b), float(lower), float(upper))
        for group, a, b, lower, upper in zip(groups, ks, ns, low, high, strict=True)
        if b >= ENOUGH
    ]
    return FigureCourse(len(frame), tuple(points))


def ratio_course(frame: pd.DataFrame, part: str, whole: str, scale: float = 1.0) -> FigureCourse:
    """`part` * `scale` by `whole` over time, in groups with enough of `whole`; without the groups
    in which either is 0."""
    groups = step_groups(frame[whole], frame["complete"].tolist())
    parts, wholes = _sums(frame[part], groups), _sums(frame[whole], groups)
    points = [
        CoursePoint(group, a * scale / b)
        for group, a, b in zip(groups, parts, wholes, strict=True)
        if a > 0 and b >= ENOUGH
    ]
    return FigureCourse(len(frame), tuple(points))


def step_course(values: Any, complete: Sequence[bool]) -> FigureCourse:
    """A value for each step, such as a count; without the steps that have none (nan)."""
    points = [
        CoursePoint(StepGroup(n, n + 1, is_complete=is_complete), float(value))
        for n, (value, is_complete) in enumerate(zip(values, complete, strict=True))
        if not isnan(value)
    ]
    return FigureCourse(len(complete), tuple(points))


def _sums(column: "pd.Series[int]", groups: Sequence[StepGroup]) -> list[float]:
    values = np.asarray(column, dtype=float)
    return [float(values[group.first : group.end].sum()) for group in groups]

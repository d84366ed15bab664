"""The figures of consecutive slots of time, which alerts judge."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from core.alerts.baseline import HOURS
from core.alerts.measures import Figures
from core.alerts.sequential import Bools, Floats, Indices

HOUR_MS = 3_600_000
_EPOCH_WEEKDAY_HOURS = 72  # 1970 began on a Thursday


@dataclass(frozen=True)
class Slots:
    """Figures by name, each (series, slots). `starts` and `ends` of the slots in Unix ms, in the
    order of time. `now_ms`: when they are judged; None if every slot is as it was when it had the
    age at which a measure judges it. `is_left_out`: slots without time and attempts, None if there
    are none."""

    figures: Figures
    starts: Indices
    ends: Indices
    now_ms: int | None
    is_left_out: Bools | None = None

    def first(self, rows: int) -> "Slots":
        """The same of the first series only."""
        return replace(self, figures={name: v[:rows] for name, v in self.figures.items()})

    def without(self, spans: Sequence[tuple[int, int]]) -> "Slots":
        """The same without the slots that overlap with one of these spans, in Unix ms."""
        is_left_out = np.zeros(len(self.starts), dtype=np.bool_)
        for begin_ms, end_ms in spans:
            is_left_out |= (self.ends > begin_ms) & (self.starts < end_ms)
        if not is_left_out.any():
            return self
        figures = {name: np.where(is_left_out, 0, v) for name, v in self.figures.items()}
        return replace(self, figures=figures, is_left_out=is_left_out)

    def count_older(self, after_ms: int) -> int:
        """How many slots, from the first on, ended longer ago than this."""
        if self.now_ms is None:
            return len(self.ends)
        return int(np.searchsorted(self.ends, self.now_ms - after_ms, side="right"))

    @cached_property
    def first_sends(self) -> Floats:
        """The part of the attempts of each slot that are no resends."""
        requested, resends = self.figures["requested"], self.figures["resends"]
        part = np.ones(requested.shape)
        np.divide(requested - resends, requested, out=part, where=resends > 0)
        return np.clip(part, 0.0, 1.0)

    @cached_property
    def hour_of_week(self) -> Indices:
        """From Monday 0:00 UTC."""
        hours: Indices = (self.starts // HOUR_MS + _EPOCH_WEEKDAY_HOURS) % HOURS
        return hours

    @cached_property
    def length_hours(self) -> Floats:
        hours: Floats = (self.ends - self.starts) / HOUR_MS
        return hours if self.is_left_out is None else np.where(self.is_left_out, 0.0, hours)


def sums_from(values: Floats, start: Indices) -> Floats:
    """The sum of each row of (series, slots) from its slot `start` on."""
    sums: Floats = values.sum(axis=1)
    rows = np.flatnonzero(start)
    if len(rows):
        after = np.cumsum(values[rows, ::-1], axis=1)
        steps = values.shape[1] - 1 - start[rows]
        sums[rows] = np.take_along_axis(after, steps[:, None], axis=1)[:, 0]
    return sums

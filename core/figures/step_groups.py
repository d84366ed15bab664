"""Groups neighbouring steps of a range until each group has enough attempts for a rate.

With a dozen attempts a step, the rate of a step moves by several points from chance alone. A group
ends at the step with which it has enough; so it is wide at night and narrow by day. The step that
has not ended yet is a group of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

#: With this many attempts, chance moves a rate by about a point.
_PLENTY = 400
#: A group has a part of all attempts, so that a line has about so many points, but at least
#: `_ENOUGH`; and in little traffic about `_FEWEST_POINTS`, with at least `_LEAST`.
_POINTS, _ENOUGH = 48, 100
_FEWEST_POINTS, _LEAST = 8, 30


@dataclass(frozen=True, slots=True)
class StepGroup:
    """The steps from `first` to before `end`. `is_complete`: all of them have ended."""

    first: int
    end: int
    is_complete: bool

    @property
    def middle(self) -> float:
        return (self.first + self.end) / 2


def step_groups(counts: Any, complete: Sequence[bool]) -> list[StepGroup]:
    """The groups of the steps with these counts, in order. The newest complete group is full; at
    the start of the range, what is too little for a group is part of the first one."""
    values = np.asarray(counts).tolist()
    ended = sum(1 for is_complete in complete if is_complete)
    total = sum(values[:ended])
    enough = min(_PLENTY, max(_ENOUGH, total // _POINTS), max(_LEAST, total // _FEWEST_POINTS))
    groups: list[StepGroup] = []
    end, total = ended, 0
    for step in range(ended - 1, -1, -1):
        total += values[step]
        if total >= enough:
            groups.append(StepGroup(step, end, is_complete=True))
            end, total = step, 0
    if end and groups:
        groups[-1] = StepGroup(0, groups[-1].end, is_complete=True)
    elif end:
        groups.append(StepGroup(0, end, is_complete=True))
    groups.reverse()
    if ended < len(values):
        groups.append(StepGroup(ended, len(values), is_complete=False))
    return groups

"""What one check finds about one measure of all series."""

from dataclasses import dataclass

from core.alerts.measures import Measure
from core.alerts.sequential import Bools, Floats, Indices


@dataclass(frozen=True, slots=True)
class Alerting:
    """What a check takes over from the check before, for a measure of each series: the value that
    its alert observed (NaN where none fires), the start of the alert, and the moment before which
    slots do not count. Times are Unix ms."""

    observed: Floats
    since_ms: Indices
    cleared_ms: Indices


@dataclass(frozen=True, slots=True)
class Judgement:
    """A measure of all series; every array is (series,).

    `evidence` of a change and of `recovery`, as parts of what is needed. `start_ms`: where the
    evidence begins, or the day where there is little of it. `n` attempts since then, `verified` of
    them verified; `observed` and `baseline` are the good share of these, attempts an hour, or
    micros an attempt. `chance`: at most so many alarms a year are expected by chance with this
    evidence. `lead`: the row of the series whose alert explains this one, -1 where there is none.
    """

    measure: Measure
    is_silent: Bools
    evidence: Floats
    recovery: Floats
    start_ms: Indices
    n: Floats
    verified: Floats
    observed: Floats
    baseline: Floats
    detectable_drop: Floats
    chance: Floats
    lead: Indices

"""The course of what an alert is about, over the last day, counted as the alert counts it."""

from dataclasses import dataclass

import numpy as np

from core.alerts.evidence import trials
from core.alerts.measures import SHARE_OF, Measure
from core.alerts.sequential import Floats, Indices
from core.alerts.slots import Slots


@dataclass(frozen=True, slots=True)
class AlertCourse:
    """Consecutive slots, from `starts` to `ends` in Unix ms. The value of some of them is the sum
    of `part` by that of `whole`: good attempts by attempts, attempts by hours, or micros by priced
    attempts. `requested`: how many attempts there were."""

    starts: Indices
    ends: Indices
    part: Floats
    whole: Floats
    requested: Floats


def course(measure: Measure, slots: Slots) -> AlertCourse:
    """The course of a measure, from the slots of one series."""
    figures = slots.figures
    requested = figures["requested"][0]
    match measure:
        case Measure.TRAFFIC:
            part, whole = requested, slots.length_hours
        case Measure.PRICE:
            part, whole = figures["cost_micros"][0], figures["priced"][0]
        case _:
            n, bad = (counts[0] for counts in trials(SHARE_OF[measure], slots))
            part, whole = n - bad, n
            if measure is Measure.REFUSED:
                requested = n
    return AlertCourse(slots.starts, slots.ends, part, np.asarray(whole), requested)

"""Computes what the incidents of sample traffic do to each attempt."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.sample.incidents import INCIDENTS
from core.sample.places import PLACES

_HAS_RECEIPTS = np.array([carrier.receipts for _, carrier in PLACES])

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What incidents do to attempts, one row each; see `Incident`."""

    arrives: Numbers
    slower: Numbers
    silent: NDArray[np.bool_]
    dearer: Numbers
    unclear: Numbers

    def of(self, rows: NDArray[np.intp]) -> "Trouble":
        """The trouble of some of the attempts."""
        return Trouble(
            self.arrives[rows],
            self.slower[rows],
            self.silent[rows],
            self.dearer[rows],
            self.unclear[rows],
        )


def troubles(place: NDArray[Any], at: Numbers, last: date) -> Trouble:
    """The trouble of attempts at these places and moments (Unix ms); `last`: the last day of the
    traffic, UTC."""
    count = len(place)
    trouble = Trouble(
        np.ones(count), np.ones(count), ~_HAS_RECEIPTS[place], np.ones(count), np.zeros(count)
    )
    for incident in INCIDENTS:
        begin, end = incident.period_ms(last)
        is_there = np.array(
            [
                incident.country in {"", country.region} and incident.carrier in {"", carrier.name}
                for country, carrier in PLACES
            ]
        )
        is_hit = is_there[place] & (at >= begin) & (at < end)
        trouble.arrives[is_hit] *= incident.arrives
        trouble.slower[is_hit] *= incident.slower
        trouble.silent[is_hit] |= incident.silent
        trouble.dearer[is_hit] *= incident.dearer
        trouble.unclear[is_hit] = np.maximum(trouble.unclear[is_hit], incident.unclear)
    return trouble

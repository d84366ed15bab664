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
class IncidentEffects:
    """What incidents do to attempts, one row each; see `Incident`."""

    arrives: Numbers
    time_factor: Numbers
    silent: NDArray[np.bool_]
    price_factor: Numbers
    unclear: Numbers

    def of(self, rows: NDArray[np.intp]) -> "IncidentEffects":
        """The effects on some of the attempts."""
        return IncidentEffects(
            self.arrives[rows],
            self.time_factor[rows],
            self.silent[rows],
            self.price_factor[rows],
            self.unclear[rows],
        )


def incident_effects(place: NDArray[Any], at: Numbers, last: date) -> IncidentEffects:
    """The effects on attempts at these places and moments (Unix ms); `last`: the last day of the
    traffic, UTC."""
    count = len(place)
    effects = IncidentEffects(
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
        effects.arrives[is_hit] *= incident.arrives
        effects.time_factor[is_hit] *= incident.time_factor
        effects.silent[is_hit] |= incident.silent
        effects.price_factor[is_hit] *= incident.price_factor
        effects.unclear[is_hit] = np.maximum(effects.unclear[is_hit], incident.unclear)
    return effects

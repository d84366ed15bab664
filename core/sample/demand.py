"""When and where the verifications of a day start: by the local hour and weekday of each country,
and in an attack of pumping."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.model.clock import to_ms
from core.sample.incidents import Incident
from core.sample.places import COUNTRIES, SampleCountry

#: Weights of the hours of the local day: few requests at night, most in the evening.
_HOURS = (2, 1, 1, 1, 1, 2, 4, 7, 10, 12, 13, 13, 14, 13, 12, 12, 12, 13, 15, 16, 15, 11, 7, 4)
#: From Monday.
_WEEKDAYS = (1.05, 1.08, 1.08, 1.06, 1.1, 0.85, 0.78)
_QUARTER_MS, _QUARTERS = 900_000, 96


class Starts(NamedTuple):
    """The starts of verifications, ascending by `at` (Unix ms): the number of the country, and
    whether it is pumping."""

    at: NDArray[np.float64]
    country: NDArray[np.intp]
    is_pumped: NDArray[np.bool_]


def starts(
    rng: np.random.Generator,
    day: date,
    last: date,
    per_day: int,
    incidents: Sequence[Incident],
) -> Starts:
    """The starts of a UTC day, of about `per_day` verifications."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    begins = to_ms(midnight) + _QUARTER_MS * np.arange(_QUARTERS, dtype=np.float64)
    share = np.array([country.weight for country in COUNTRIES])
    expected = np.stack([_weights(country, midnight) for country in COUNTRIES])
    expected *= (per_day / _QUARTERS * share / share.sum())[:, None]
    counts = [rng.poisson(expected)]
    for incident in incidents:
        begin, end = incident.period_ms(last)
        is_hit = (begins >= begin) & (begins < end)
        # An attack does not follow the hours of people.
        rate = np.where(is_hit, incident.pumped * per_day / _QUARTERS, 0.0)
        if incident.pumped:
            row = np.array([[country.region == incident.country] for country in COUNTRIES])
            counts.append(rng.poisson(row * rate))
    parts: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]] = []
    for pumped, table in enumerate(counts):
        country, quarter = np.nonzero(table)
        times = table[country, quarter]
        country, quarter = np.repeat(country, times), np.repeat(quarter, times)
        at = begins[quarter] + np.floor(rng.random(len(quarter)) * _QUARTER_MS)
        parts.append((at, country, np.full(len(at), pumped > 0)))
    at, country, is_pumped = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(at, kind="stable")
    return Starts(at[order], country[order], is_pumped[order])


def _weights(country: SampleCountry, midnight: datetime) -> NDArray[np.float64]:
    """Of each quarter-hour of the UTC day; 1 on average over a week."""
    mean = sum(_HOURS) / 24 * sum(_WEEKDAYS) / 7
    weights = []
    for quarter in range(_QUARTERS):
        local = (midnight + timedelta(minutes=15 * quarter)).astimezone(country.zone)
        weights.append(_HOURS[local.hour] * _WEEKDAYS[local.weekday()] / mean)
    return np.array(weights)

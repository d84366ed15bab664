"""The places that findings are about, and sums over the series in each place.

Every figure of a place is the sum of the series of carriers in it ("sms/DE/Vodafone"), so one array
of counters by series serves all places.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.model.series import OTHERS, UNKNOWN_CARRIER, UNKNOWN_COUNTRY, Series

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Level(IntEnum):
    """Which dimensions a place names."""

    ALL = 0
    CHANNEL = 1
    COUNTRY = 2
    CARRIER = 3  # of a country, in all channels
    CHANNEL_COUNTRY = 4
    SERIES = 5  # a carrier of a country in one channel


#: Values that stand for several carriers or countries, so no place is named after them.
_UNNAMED = frozenset({"", UNKNOWN_CARRIER, UNKNOWN_COUNTRY, OTHERS})


@dataclass(frozen=True, slots=True)
class TrafficPlace:
    """A part of the traffic; None is all of a dimension. A carrier belongs to a country."""

    channel: str | None = None
    country: str | None = None
    carrier: str | None = None

    @property
    def is_global(self) -> bool:
        """Whether it spans all countries."""
        return self.country is None

    def overlaps(self, channel: str | None, country: str | None, carrier: str | None) -> bool:
        """Whether traffic of these filters can be in the place."""
        mine = (self.channel, self.country, self.carrier)
        return all(
            own is None or other is None or own == other
            for own, other in zip(mine, (channel, country, carrier), strict=True)
        )


EVERYTHING = TrafficPlace()
#: The levels whose places are each inside one place of the level.
_FINER = {
    Level.ALL: (
        *(Level.CHANNEL, Level.COUNTRY, Level.CARRIER, Level.CHANNEL_COUNTRY, Level.SERIES),
    ),
    Level.CHANNEL: (Level.CHANNEL_COUNTRY, Level.SERIES),
    Level.COUNTRY: (Level.CARRIER, Level.CHANNEL_COUNTRY, Level.SERIES),
    Level.CARRIER: (Level.SERIES,),
    Level.CHANNEL_COUNTRY: (Level.SERIES,),
    Level.SERIES: (),
}
#: Of places with the same series, the one that is named: the last in this order.
_PREFERENCE = (
    Level.SERIES,
    Level.CHANNEL_COUNTRY,
    Level.COUNTRY,
    Level.CARRIER,
    Level.CHANNEL,
    Level.ALL,
)


class TrafficPlaces:
    """All places of some series. Arrays over places are in the order of `places`."""

    def __init__(self, names: Sequence[Series]) -> None:
        self.names = names
        self.places: list[TrafficPlace] = []
        self._group_of: list[NDArray[np.intp]] = []
        levels: list[Level] = []
        parts = [(name.channel, name.country, name.last) for name in names]
        for level in Level:
            number: dict[TrafficPlace, int] = {}
            groups = [number.setdefault(_place(level, *part), len(number)) for part in parts]
            self._group_of.append(np.array(groups, dtype=np.intp) + len(self.places))
            self.places += number
            levels += [level] * len(number)
        #: Which series each channel has.
        self.channels = [
            np.array([part[0] == channel for part in parts], dtype=np.bool_)
            for channel in sorted({part[0] for part in parts})
        ]
        self.levels = np.array(levels, dtype=np.intp)
        self._number = {place: number for number, place in enumerate(self.places)}
        self.is_named = self._named()

    def __len__(self) -> int:
        return len(self.places)

    def sums(self, values: NDArray[Any]) -> Floats:
        """Sums over the series of each place: of (series,) or (series, columns)."""
        columns = values[:, None] if values.ndim == 1 else values
        width = columns.shape[1]
        total = np.zeros(len(self) * width)
        offsets = np.arange(width)
        for groups in self._group_of:
            cells = (groups[:, None] * width + offsets).ravel()
            total += np.bincount(cells, weights=columns.ravel(), minlength=len(total))
        sums = total.reshape(len(self), width)
        return sums[:, 0] if values.ndim == 1 else sums

    def members(self, place: int) -> Bools:
        """Which series are in a place."""
        return np.asarray(self._group_of[self.levels[place]] == place, dtype=np.bool_)

    def inside(self, places: Iterable[TrafficPlace]) -> Bools:
        """Which series are in any of these places."""
        inside = np.zeros(len(self.names), dtype=np.bool_)
        for place in places:
            if place in self._number:
                inside |= self.members(self._number[place])
        return inside

    def parts(self, place: int) -> list[NDArray[np.intp]]:
        """The places of each finer level that are inside a place."""
        inside = self.members(place)
        finer = _FINER[Level(self.levels[place])]
        return [np.unique(self._group_of[level][inside]) for level in finer]

    def _named(self) -> Bools:
        """True unless a preferred place has the same series, or the place is one of `_UNNAMED`."""
        rng = np.random.default_rng(1)
        signature = self.sums(rng.integers(1, 1 << 40, len(self.names)).astype(float))
        preferred = {}
        order = {level: rank for rank, level in enumerate(_PREFERENCE)}
        for place in sorted(range(len(self)), key=lambda n: order[Level(int(self.levels[n]))]):
            if not {self.places[place].country, self.places[place].carrier} & _UNNAMED:
                preferred[signature[place]] = place
        is_named = np.zeros(len(self), dtype=np.bool_)
        is_named[list(preferred.values())] = True
        return is_named


def _place(level: Level, channel: str, country: str, carrier: str) -> TrafficPlace:
    match level:
        case Level.ALL:
            return EVERYTHING
        case Level.CHANNEL:
            return TrafficPlace(channel)
        case Level.COUNTRY:
            return TrafficPlace(None, country)
        case Level.CARRIER:
            return TrafficPlace(None, country, carrier)
        case Level.CHANNEL_COUNTRY:
            return TrafficPlace(channel, country)
        case Level.SERIES:
            return TrafficPlace(channel, country, carrier)

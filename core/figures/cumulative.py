"""Figures that only ever grow, for monitors that take the difference of two readings.

The figures repair themselves, so not all of them grow. Those here do, because of what
`_rollups.lua` makes them of: a moment of an attempt, once heard, is neither moved nor taken back,
nor is the way it was asked for. So it goes on counting as accepted, sent, entered, verified and
delivered within some seconds; nothing outranks `delivered`; and a histogram never loses a value.
What is left out can fall:

    undelivered, failed, rejected, unreported, unconfirmed    until better news comes
    units, costs    the log has the last word

They are read from the day's tier, from the start of the key that is under way: 32 days, counted
from 1970, after which all of it begins again at zero. A sum over all that is kept would fall by a
day whenever a day expires. What is heard after such an end, of an attempt from before it, is not
seen here: of a difference that spans it, some seconds' worth is missing.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from core.figures.layout import COLUMNS, MIDDLE_MS, Counts, Cube, Leg, Tier
from core.figures.ranges import Piece
from core.figures.slot_reader import SlotReader
from core.model.clock import from_ms, to_ms

#: The columns that grow, and are told apart by channel and country.
GROWING = (
    "requested",
    "accepted",
    "sent",
    "delivered",
    "within_10",
    "within_30",
    "within_60",
    "entered",
    "verified",
    "confirmed",
    "started",
    "converted",
    "resends",
    "fallbacks",
    "rescued",
)
#: Where the sum of a leg's times is kept to the millisecond. They grow as the others do: of the two
#: moments of a leg, a message and a call each have one name only.
EXACT_SUMS = {Leg.QUEUE: "queue_ms", Leg.CARRIER: "carrier_ms"}

_GROWING_PLACES = [COLUMNS.index(name) for name in GROWING]


@dataclass(frozen=True, slots=True)
class Histograms:
    """`counts`: (channels, BINS). `sums_ms`: (channels,), exact for the legs of EXACT_SUMS. For the
    others each time counts as the middle of its bin, 4.4 % off at most, and one of more than 31
    minutes as 33."""

    counts: Counts
    sums_ms: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cumulated:
    """What was counted since a moment, aware, in UTC.

    `counters`: (series of countries such as "sms/DE", GROWING). A series of which nothing was heard
    since is there with zeros, if it had an attempt in the 32 days before.
    """

    since: datetime
    series: tuple[str, ...]
    counters: Counts
    channels: tuple[str, ...]
    histograms: dict[Leg, Histograms]


def read_cumulated(reading: SlotReader, now: datetime) -> Cumulated:
    """All of it. Raises StoreUnavailable."""
    now_ms, tier = to_ms(now), Tier.DAY
    start_ms = tier.chunk_of(now_ms) * tier.chunk_ms
    pieces = [Piece(tier, start_ms, tier.slot_of(now_ms) + 1)]
    before_ms = start_ms - tier.chunk_ms
    countries = reading.series(Cube.COUNTRY, before_ms)
    channels = reading.series(Cube.CHANNEL, before_ms)
    by_country = reading.counters(Cube.COUNTRY, countries, pieces)[:, 0]
    by_channel = reading.counters(Cube.CHANNEL, channels, pieces)[:, 0]
    histograms = {}
    for leg in Leg:
        counts = reading.histograms(leg, Cube.CHANNEL, channels, pieces)[:, 0]
        if exact := EXACT_SUMS.get(leg):
            sums = by_channel[:, COLUMNS.index(exact)].astype(np.float64)
        else:
            sums = (counts * MIDDLE_MS).sum(axis=1)
        histograms[leg] = Histograms(counts, sums)
    return Cumulated(
        since=from_ms(start_ms),
        series=tuple(countries),
        counters=by_country[:, _GROWING_PLACES],
        channels=tuple(channels),
        histograms=histograms,
    )

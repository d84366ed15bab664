"""Reads figures that never fall, for monitors that take the difference of two readings.

Figures are corrected when a later report corrects an earlier one, so only those of
FigureKind.COUNTER never fall. The reason is in `_ledger.lua`: a moment of an attempt is never moved
or removed once it is stored, and neither is its origin. So an attempt stays counted as accepted,
sent, entered, and delivered within some seconds, and a verification as converted; no state outranks
`delivered`; and a histogram never loses a value. Figures of FigureKind.GAUGE can fall:

    verified, confirmed, rescued, unattributed    when a later report shows that another attempt
                                                  can have brought the code, or that none can
    undelivered, failed, rejected, unreported, unclear    when a better report arrives
    units, costs    when Plivo's log corrects them

They are read from the tier of days, from the start of the current key: 32 days, counted from 1970,
after which every figure starts again at zero. A sum over everything that is kept would fall by a
day whenever a day expires. Reports that arrive after the end of a key, of an attempt from before
it, are missing from a difference that spans the end: that is the traffic of some seconds.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from core.figures.catalogue import COLUMNS, EXPORTED_COUNTERS, LEGS, Leg
from core.figures.layout import Cube, Tier
from core.figures.packing import MIDDLE_MS, Counts
from core.figures.ranges import Piece
from core.figures.slot_reader import SlotReader
from core.model.clock import from_ms, to_ms
from core.model.series import Series

_EXPORTED_PLACES = [COLUMNS.index(figure.name) for figure in EXPORTED_COUNTERS]


@dataclass(frozen=True, slots=True)
class CumulativeHistograms:
    """`counts`: (channels, BINS). `sums_ms`: (channels,), exact for legs with an `exact_sum`. For
    the others each duration counts as the middle of its bin, at most 4.4 % off."""

    counts: Counts
    sums_ms: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CumulativeFigures:
    """What was counted since `since`, aware, in UTC.

    `counters`: (series of countries such as "sms/DE", EXPORTED_COUNTERS). A series without an event
    since then has zeros, if it had an attempt in the 32 days before.
    """

    since: datetime
    series: tuple[Series, ...]
    counters: Counts
    channels: tuple[Series, ...]
    histograms: dict[Leg, CumulativeHistograms]


def read_cumulative(reader: SlotReader, now: datetime) -> CumulativeFigures:
    """Read all series. Raises StoreUnavailable."""
    now_ms, tier = to_ms(now), Tier.DAY
    start_ms = tier.chunk_of(now_ms) * tier.chunk_ms
    pieces = [Piece(tier, start_ms, tier.slot_of(now_ms) + 1)]
    before_ms = start_ms - tier.chunk_ms
    countries = reader.series(Cube.COUNTRY, before_ms)
    channels = reader.series(Cube.CHANNEL, before_ms)
    by_country = reader.counters(Cube.COUNTRY, countries, pieces)[:, 0]
    by_channel = reader.counters(Cube.CHANNEL, channels, pieces)[:, 0]
    histograms = {}
    for leg, histogram in LEGS.items():
        counts = reader.histograms(leg, Cube.CHANNEL, channels, pieces)[:, 0]
        if histogram.exact_sum:
            sums = by_channel[:, COLUMNS.index(histogram.exact_sum)].astype(np.float64)
        else:
            sums = (counts * MIDDLE_MS).sum(axis=1)
        histograms[leg] = CumulativeHistograms(counts, sums)
    return CumulativeFigures(
        since=from_ms(start_ms),
        series=tuple(countries),
        counters=by_country[:, _EXPORTED_PLACES],
        channels=tuple(channels),
        histograms=histograms,
    )

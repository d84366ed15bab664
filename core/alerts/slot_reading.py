"""Reads slots of the figures that alerts need, of channels, countries and carriers."""

from collections.abc import Sequence

import numpy as np

from core.alerts.measures import STORED_FIGURES
from core.figures.catalogue import COLUMNS, Leg
from core.figures.layout import BINS, Cube, Tier
from core.figures.packed_reader import PackedReader, SlotRange
from core.figures.packing import COUNTER_KIND, LEG_KINDS, Counts
from core.model.series import ALL_TRAFFIC, Series
from core.store.client import RawClient
from core.store.keys import Keys

CUBES = (Cube.CHANNEL, Cube.COUNTRY, Cube.CARRIER)
_COLUMNS = [COLUMNS.index(name) for name in STORED_FIGURES]


class SlotReading:
    """Reads consecutive slots of series. Every method raises StoreUnavailable.

    The series of all traffic is the sum of the channels that are read with it.
    """

    def __init__(self, raw: RawClient, keys: Keys) -> None:
        self._reader = PackedReader(raw, keys)

    def counters(self, tier: Tier, series: Sequence[Series], first: int, count: int) -> Counts:
        """(series, slots, STORED_FIGURES). The slots are counted from 1970."""
        return self._slots(tier, series, first, count, None, len(STORED_FIGURES))

    def histograms(
        self, leg: Leg, tier: Tier, series: Sequence[Series], first: int, count: int
    ) -> Counts:
        """(series, slots, BINS)."""
        return self._slots(tier, series, first, count, leg, BINS)

    def _slots(
        self,
        tier: Tier,
        series: Sequence[Series],
        first: int,
        count: int,
        leg: Leg | None,
        width: int,
    ) -> Counts:
        kind = COUNTER_KIND if leg is None else LEG_KINDS[leg]
        values = np.zeros((len(series), count, width), dtype=np.int64)
        rows_by_cube = _rows_by_cube(series)
        at = first
        while at < first + count:
            chunk, slot = divmod(at, tier.slots)
            some = min(tier.slots - slot, first + count - at)
            within = slice(at - first, at - first + some)
            for cube, rows in rows_by_cube.items():
                names = [series[row] for row in rows]
                part = SlotRange(kind, tier, cube, names, chunk, slot, some)
                for _, which, slots in self._reader.read([part]):
                    columns = slots[..., _COLUMNS] if leg is None else slots
                    values[rows[which], within] = columns
            at += some
        if ALL_TRAFFIC in series:
            channels = rows_by_cube.get(Cube.CHANNEL, [])
            values[series.index(ALL_TRAFFIC)] = values[channels].sum(axis=0)
        return values


def _rows_by_cube(series: Sequence[Series]) -> dict[Cube, list[int]]:
    rows: dict[Cube, list[int]] = {}
    for row, name in enumerate(series):
        if name != ALL_TRAFFIC:
            rows.setdefault(CUBES[name.count("/")], []).append(row)
    return rows

"""Selects the series and the slots that a query reads."""

from collections.abc import Sequence
from datetime import datetime

from core.figures.catalogue import Leg
from core.figures.filters import Filters
from core.figures.layout import TIERS, Cube, Tier, tiers_of
from core.figures.packing import Counts
from core.figures.ranges import Piece, Range, pieces
from core.figures.slot_reader import SlotReader
from core.model.clock import Clock, to_ms
from core.model.series import Series


class Selection:
    """Every method that reads raises StoreUnavailable."""

    def __init__(self, reader: SlotReader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock

    def cut(self, period: Range, tiers: Sequence[Tier] = TIERS) -> list[Piece]:
        """The slots of a range."""
        return pieces(period, self._clock.now(), tiers)

    def series(self, since: datetime, filters: Filters) -> tuple[Cube, list[Series]]:
        """The series whose sum is the filtered figures."""
        cube = _cube_of(filters)
        return cube, self.names(cube, since, filters)

    def histogram_series(self, since: datetime, filters: Filters) -> tuple[Cube, list[Series]]:
        """The series whose sum is the filtered histogram, which is not kept by carrier."""
        return self.series(since, filters.of_all_carriers)

    def names(self, cube: Cube, since: datetime, filters: Filters) -> list[Series]:
        """The series of a cube that the filters select."""
        return self._reader.series(cube, to_ms(since) - Tier.DAY.slot_ms, filters)

    def course(
        self, period: Range, filters: Filters, cut: Sequence[Piece], starts: Sequence[int]
    ) -> Counts:
        """(parts, COLUMNS): the sums over the series that the filters select."""
        cube, names = self.series(period.start, filters)
        counts: Counts = self._reader.counters(cube, names, cut, starts).sum(axis=0)
        return counts


def histogram_tiers(leg: Leg, filters: Filters) -> tuple[Tier, ...]:
    """The tiers that the histogram of these filters is read from, the finest first."""
    return tiers_of(leg, _cube_of(filters.of_all_carriers))


def _cube_of(filters: Filters) -> Cube:
    """The coarsest cube with the dimensions of these filters."""
    if filters.carrier is not None:
        return Cube.CARRIER
    return Cube.CHANNEL if filters.country is None else Cube.COUNTRY

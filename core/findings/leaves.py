"""The series whose sums are all places: carriers, and of very many the ones with most traffic.

Of more than MOST_CARRIERS the others are one series for each channel and country: what is left of
its figures. So a verdict on ten thousand carriers costs as much as one on a thousand and a half.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from core.figures.catalogue import COLUMNS
from core.figures.layout import Cube, Tier
from core.figures.packing import Counts
from core.figures.queries import Queries
from core.figures.ranges import Piece
from core.model.clock import to_ms
from core.model.series import OTHERS, Series

MOST_CARRIERS, _KEPT = 2000, 1000
_REQUESTED = COLUMNS.index("requested")


@dataclass(frozen=True, slots=True)
class Leaves:
    """`carriers`, and the `countries` whose other carriers are summed up."""

    carriers: list[Series]
    countries: list[Series]

    @property
    def names(self) -> list[Series]:
        others = [Series.of(name.channel, name.country, OTHERS) for name in self.countries]
        return [*self.carriers, *others]

    def read(self, queries: Queries, cut: Sequence[Piece], starts: Sequence[int]) -> Counts:
        """(names, parts, COLUMNS)."""
        counts = queries.counters(Cube.CARRIER, self.carriers, cut, starts)
        if not self.countries:
            return counts
        rest = queries.counters(Cube.COUNTRY, self.countries, cut, starts).copy()
        row = {name: number for number, name in enumerate(self.countries)}
        rows = [row.get(Series.of(name.channel, name.country), -1) for name in self.carriers]
        known = np.array(rows, dtype=np.intp)
        np.subtract.at(rest, known[known >= 0], counts[known >= 0])
        return np.concatenate([counts, np.maximum(rest, 0)])


def leaves(queries: Queries, carriers: list[Series], since: datetime, now: datetime) -> Leaves:
    """The series to read for some carriers with traffic since then."""
    if len(carriers) <= MOST_CARRIERS:
        return Leaves(carriers, [])
    yesterday = (to_ms(now) // Tier.DAY.slot_ms - 1) * Tier.DAY.slot_ms
    counts = queries.counters(Cube.CARRIER, carriers, [Piece(Tier.DAY, yesterday, 2)], [yesterday])
    largest = np.argsort(-counts[:, 0, _REQUESTED], kind="stable")[:_KEPT]
    return Leaves(
        [carriers[n] for n in np.sort(largest)], queries.series_since(Cube.COUNTRY, since)
    )

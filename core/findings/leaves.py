"""Chooses the series to read, of which every place is a sum: all carriers, or of more than
MOST_CARRIERS those that `candidates` chooses.

The other carriers of a channel and country are then one series: the country's figures without those
that were chosen. So a verdict on ten thousand carriers costs as much as one on fifteen hundred.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from core.figures.layout import Cube, Tier
from core.figures.packing import Counts
from core.figures.queries import Queries
from core.figures.ranges import Piece, Range
from core.findings.candidates import choose
from core.model.clock import to_ms
from core.model.series import OTHERS, Series

MOST_CARRIERS, _KEPT = 3000, 1000
#: Chosen by so many days up to the end of the range, compared with as many before them.
_MOST_DAYS, _DAYS_BEFORE = 31, 7


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


def leaves(queries: Queries, carriers: list[Series], since: datetime, period: Range) -> Leaves:
    """The series to read for the carriers with traffic since then, to judge a range."""
    if len(carriers) <= MOST_CARRIERS:
        return Leaves(carriers, [])
    day_ms, end_ms = Tier.DAY.slot_ms, to_ms(period.end)
    last = (end_ms - 1) // day_ms
    first = max(to_ms(period.start) // day_ms, last - _MOST_DAYS + 1)
    begin_ms, first_ms = (first - _DAYS_BEFORE) * day_ms, first * day_ms
    days = Piece(Tier.DAY, begin_ms, last - first + 1 + _DAYS_BEFORE)
    counts = queries.counters(Cube.CARRIER, carriers, [days], [begin_ms, first_ms])
    lengths = (end_ms - first_ms) / (first_ms - begin_ms)
    rows = choose(counts[:, 0], counts[:, 1], lengths, _KEPT)
    return Leaves([carriers[row] for row in rows], queries.series_since(Cube.COUNTRY, since))

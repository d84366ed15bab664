"""The figures of countries and carriers: counts, percentiles, sparklines, health of receipts."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pandas as pd

from core.figures.catalogue import COLUMNS, Leg
from core.figures.filters import Filters
from core.figures.frames import confirmed_rates, group_sums, pairs_index, table
from core.figures.layout import Cube, Tier, tiers_of
from core.figures.packing import Counts
from core.figures.ranges import Piece, Range
from core.figures.rates import quantiles, values_needed
from core.figures.receipts import last_report, receipts
from core.figures.selection import Selection
from core.figures.slot_reader import SlotReader
from core.model.clock import Clock, from_ms, to_ms

#: Points of the sparkline in a table's row.
SPARK = 24
#: Younger attempts may still wait for their receipt.
RECEIPT_AGE = timedelta(minutes=5)
#: For so many places of an answer the exact moment since which receipts are silent is looked up.
_MOST_SILENT = 20
_REQUESTED = COLUMNS.index("requested")


class CountryFigures:
    """Every method that reads raises StoreUnavailable."""

    def __init__(self, reader: SlotReader, selection: Selection, clock: Clock) -> None:
        self._reader = reader
        self._selection = selection
        self._clock = clock

    def table(self, period: Range, filters: Filters) -> pd.DataFrame:
        """The rows of `Queries.by_country`."""
        cut = self._selection.cut(period)
        parts = _parts(cut)
        since = period.start
        leaves = self._selection.names(Cube.CARRIER, since, filters)
        wholes = [] if filters.carrier else self._selection.names(Cube.COUNTRY, since, filters)
        values = np.concatenate(
            [
                self._reader.counters(Cube.COUNTRY, wholes, cut, parts),
                self._reader.counters(Cube.CARRIER, leaves, cut, parts),
            ]
        )
        has_attempts = np.asarray(values[:, :, _REQUESTED].sum(axis=1) > 0)
        values = values[has_attempts]
        names = [*wholes, *leaves]
        rows = [(names[row].country, names[row].last) for row in np.flatnonzero(has_attempts)]
        wholes = [name for row, name in enumerate(wholes) if has_attempts[row]]
        index = sorted(set(rows))
        place = {row: n for n, row in enumerate(index)}
        places = [place[row] for row in rows]
        sums = group_sums(values, places, len(index))
        frame = table(sums.sum(axis=1))
        frame.index = pairs_index(tuple(index), ("country", "carrier"))
        cut = self._selection.cut(period, tiers_of(Leg.TTD, Cube.COUNTRY))
        histograms = self._reader.histograms(Leg.TTD, Cube.COUNTRY, wholes, cut)
        durations = group_sums(histograms[:, 0], places[: len(wholes)], len(index))
        enough = durations.sum(axis=1) >= values_needed(0.95)
        frame["p95_ms"] = np.where(enough, quantiles(durations, 0.95), np.nan)
        frame["spark"] = pd.Series(confirmed_rates(sums), index=frame.index, dtype=object)
        self._add_receipts(frame, sums, parts, filters.channel)
        return frame

    def _add_receipts(
        self, frame: pd.DataFrame, sums: Counts, parts: Sequence[int], channel: str | None
    ) -> None:
        ripe = sum(start < to_ms(self._clock.now() - RECEIPT_AGE) for start in parts)
        health = receipts(sums[:, :ripe])
        frame["receipts"] = health.health
        since = np.full(len(frame), np.datetime64("NaT"), dtype="datetime64[ms]")
        for row in np.flatnonzero(health.silent_from > 0)[:_MOST_SILENT].tolist():
            country, carrier = frame.index[row]
            part = int(health.silent_from[row])
            place = Filters(channel, country, carrier or None)
            since[row] = self._silent_since(place, parts[part - 1], parts[part])
        frame["silent_since"] = pd.to_datetime(since, utc=True)

    def _silent_since(self, filters: Filters, first_ms: int, end_ms: int) -> int:
        """The minute or quarter-hour after the last one with a receipt, Unix ms."""
        now_ms = to_ms(self._clock.now())
        is_kept = now_ms < Tier.MINUTE.expires_ms(first_ms)
        tier = Tier.MINUTE if is_kept and end_ms - first_ms <= Tier.DAY.slot_ms else Tier.QUARTER
        starts = range(first_ms // tier.slot_ms * tier.slot_ms, end_ms, tier.slot_ms)
        period = Range(from_ms(first_ms), from_ms(end_ms))
        piece = Piece(tier, starts[0], len(starts))
        last = last_report(self._selection.course(period, filters, [piece], starts))
        return starts[last] + tier.slot_ms if last >= 0 else end_ms


def _parts(cut: Sequence[Piece]) -> list[int]:
    """The starts of SPARK parts of the range, Unix ms."""
    if not cut:
        return []
    first, length = cut[0].start_ms, cut[-1].end_ms - cut[0].start_ms
    return [first - (-n * length // SPARK) for n in range(SPARK)]

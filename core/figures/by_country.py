"""The figures of countries and carriers: counts, percentiles, sparklines, health of receipts."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import compress

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
from core.model.series import Series

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
        countries, carriers, values = self._with_attempts(period, filters, cut, parts)
        # A country and a carrier have a series for each channel, and one row.
        places = [(name.country, name.last) for name in (*countries, *carriers)]
        index = sorted(set(places))
        row_of = {place: row for row, place in enumerate(index)}
        rows = [row_of[place] for place in places]
        sums = group_sums(values, rows, len(index))
        frame = table(sums.sum(axis=1))
        frame.index = pairs_index(tuple(index), ("country", "carrier"))
        histograms = self._times_to_deliver(period, countries)
        durations = group_sums(histograms, rows[: len(countries)], len(index))
        enough = durations.sum(axis=1) >= values_needed(0.95)
        frame["p95_ms"] = np.where(enough, quantiles(durations, 0.95), np.nan)
        frame["spark"] = pd.Series(confirmed_rates(sums), index=frame.index, dtype=object)
        self._add_receipts(frame, sums, parts, filters.channel)
        return frame

    def _with_attempts(
        self, period: Range, filters: Filters, cut: Sequence[Piece], parts: Sequence[int]
    ) -> tuple[list[Series], list[Series], Counts]:
        """The series of countries and those of carriers that have attempts in the range; and their
        counters one after the other: (series, parts, COLUMNS)."""
        since = period.start
        carriers = self._selection.names(Cube.CARRIER, since, filters)
        countries = [] if filters.carrier else self._selection.names(Cube.COUNTRY, since, filters)
        values = np.concatenate(
            [
                self._reader.counters(Cube.COUNTRY, countries, cut, parts),
                self._reader.counters(Cube.CARRIER, carriers, cut, parts),
            ]
        )
        has_attempts = np.asarray(values[:, :, _REQUESTED].sum(axis=1) > 0)
        is_used = has_attempts.tolist()
        return (
            list(compress(countries, is_used)),
            list(compress(carriers, is_used[len(countries) :])),
            values[has_attempts],
        )

    def _times_to_deliver(self, period: Range, countries: Sequence[Series]) -> Counts:
        """(series, BINS): of whole quarter-hours."""
        cut = self._selection.cut(period, tiers_of(Leg.TTD, Cube.COUNTRY))
        return self._reader.histograms(Leg.TTD, Cube.COUNTRY, countries, cut)[:, 0]

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

"""Answers the queries of pages and of the REST API from the figures, as pandas frames.

Every frame counts attempts by the moment of their request. Its number columns are QUERY_COLUMNS,
all int64; durations are ms, costs millionths of a US dollar. Steps are moments of the zone that
their days belong to. A query costs the same at any traffic: it reads slots, not events.

A query counts all attempts of its range. For a rate, pass the `ripe` part of a range: the n of a
rate are its ripe attempts. For a change, pass both ranges of `compared`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from core.figures.answer_cache import AnswerCache, cached
from core.figures.by_country import CountryFigures
from core.figures.catalogue import Leg
from core.figures.comparing import Compared, compare, earlier_windows
from core.figures.filters import ALL, Filters, SeenDimensions
from core.figures.frames import moments, pairs_index, table, totals
from core.figures.freshness import Freshness, read_freshness
from core.figures.history import history_begins
from core.figures.layout import BINS, TIERS, Cube, Tier, tiers_of
from core.figures.packing import Counts
from core.figures.ranges import Comparison, Piece, Range, ripe_range
from core.figures.ripeness import DEFAULT_RIPENESS, RATES, Ripeness
from core.figures.selection import Selection, histogram_tiers
from core.figures.slot_reader import SlotReader
from core.figures.steps import steps
from core.model.clock import Clock, from_ms, to_ms
from core.model.series import Series
from core.store.client import Client, RawClient
from core.store.keys import Keys

_UTC = ZoneInfo("UTC")


class Queries:
    """Every method raises StoreUnavailable. Callers share the answers, so they must not change
    them. `client` answers in text, `raw` in bytes. `settle` is called before figures are read: it
    brings them up to date."""

    def __init__(
        self,
        client: Client,
        raw: RawClient,
        keys: Keys,
        clock: Clock,
        settle: Callable[[], None],
        ripeness: Ripeness = DEFAULT_RIPENESS,
    ) -> None:
        self._client = client
        self._keys = keys
        self._clock = clock
        self._reader = SlotReader(client, raw, keys)
        self._selection = Selection(self._reader, clock)
        self._countries = CountryFigures(self._reader, self._selection, clock)
        self.answers = AnswerCache(clock)
        self.settle = settle
        self.ripeness = ripeness

    def ripe(self, period: Range, measure: str = "") -> Range:
        """The part of a range that a rate may judge (`ripeness`), to the minute."""
        return ripe_range(period, self.ripeness.age(measure), self._clock.now())

    def compared(
        self,
        period: Range,
        comparison: Comparison,
        zone: ZoneInfo,
        measure: str | None = None,
        leg: Leg | None = None,
        filters: Filters = ALL,
    ) -> Compared | None:
        """The ranges whose figures are compared (`comparing`); with `measure`, those of the ripe
        part; with `leg`, those of its histogram. None where no change may be shown."""
        part = period if measure is None else self.ripe(period, measure)
        tiers = TIERS if leg is None else histogram_tiers(leg, filters)
        now = self._clock.now()
        return compare(period, part, comparison, zone, now, self.history_begins(), tiers)

    @cached
    def history_begins(self) -> datetime | None:
        """When the history of the figures begins; None without any attempt."""
        return history_begins(self._reader, self._clock.now())

    @cached
    def totals(self, period: Range, filters: Filters = ALL) -> "pd.Series[int]":
        """The sums over the range, by QUERY_COLUMNS."""
        cube, names = self._selection.series(period.start, filters)
        values = self._reader.counters(cube, names, self._selection.cut(period)).sum(axis=(0, 1))
        return totals(values)

    @cached
    def history(self, period: Range, filters: Filters = ALL) -> pd.DataFrame:
        """One row a window before the range (`comparing.earlier_windows`): QUERY_COLUMNS."""
        windows = earlier_windows(period)
        cube, names = self._selection.series(from_ms(windows.piece.start_ms), filters)
        values = self._reader.counters(cube, names, [windows.piece], windows.starts)
        return table(values.sum(axis=0))

    @cached
    def histogram_history(self, period: Range, filters: Filters = ALL) -> Counts:
        """(windows, BINS): the times to deliver in each window before the range."""
        windows = earlier_windows(period)
        cube, names = self._selection.histogram_series(from_ms(windows.piece.start_ms), filters)
        read = self._reader.histograms(Leg.TTD, cube, names, [windows.piece], windows.starts)
        counts: Counts = read.sum(axis=0)
        return counts

    @cached
    def over_time(
        self,
        period: Range,
        filters: Filters = ALL,
        zone: ZoneInfo = _UTC,
        measure: str | None = None,
    ) -> pd.DataFrame:
        """One row a step (`steps.steps`), by `start`: QUERY_COLUMNS; `complete`: False for a step
        that has not ended yet; and for each of RATES `<name>_ripe`: whether the step has ended and
        all its attempts are ripe for the rate. With `measure`, only the attempts that are ripe for
        it count, and `complete` is its `<name>_ripe`."""
        part = None if measure is None else self.ripe(period, measure)
        now = self._clock.now()
        drawn = steps(period, now, zone, part=part)
        cube, names = self._selection.series(period.start, filters)
        values = self._reader.counters(cube, names, drawn.pieces, drawn.starts)
        ends = np.array(drawn.edges[1:], dtype=np.int64)
        complete = now if measure is None else now - self.ripeness.age(measure)
        until = {"complete": complete}
        until |= {f"{name}_ripe": now - self.ripeness.age(name) for name in RATES}
        has_ended = [ends <= to_ms(moment) for moment in until.values()]
        ended = pd.DataFrame(np.stack(has_ended, axis=1), columns=list(until))
        frame = pd.concat([table(values.sum(axis=0)), ended], axis=1)
        frame.index = moments(drawn)
        return frame

    @cached
    def by_channel(self, period: Range, filters: Filters = ALL) -> pd.DataFrame:
        """One row a channel with attempts: QUERY_COLUMNS."""
        cube, names = self._selection.series(period.start, filters)
        values = self._reader.counters(cube, names, self._selection.cut(period)).sum(axis=1)
        frame = table(values)
        channels = pd.Index([name.channel for name in names], name="channel")
        by_channel = frame.groupby(channels).sum()
        return by_channel[by_channel["requested"] > 0]

    @cached
    def places_requested(self, period: Range, filters: Filters = ALL) -> int:
        """How many countries have attempts; under a filter by country, how many of its carriers."""
        cube = Cube.COUNTRY if filters.country is None else Cube.CARRIER
        names = self._selection.names(cube, period.start, filters)
        sums = table(self._reader.counters(cube, names, self._selection.cut(period)).sum(axis=1))
        return len({name.parts[-1] for name, n in zip(names, sums["requested"], strict=True) if n})

    @cached
    def by_country(self, period: Range, filters: Filters = ALL) -> pd.DataFrame:
        """By `country` and `carrier`: a row for each country as a whole (carrier ""), then a row
        for each of its carriers, of those with attempts, with QUERY_COLUMNS; `p95_ms`: the time to
        deliver, of countries only, nan below 200 deliveries; and `spark`: the confirmed rates of
        SPARK parts of the range, nan for a part without attempts; `receipts`: a ReceiptHealth, and
        `silent_since`: the moment since which there are none, NaT for all others.

        The percentile is of whole quarter-hours: a range that starts or ends within one includes
        all of it.
        """
        return self._countries.table(period, filters)

    @cached
    def errors(
        self, period: Range, filters: Filters = ALL, before: Range | None = None
    ) -> pd.DataFrame:
        """By `channel` and `code`, the most frequent first: `count`, and with `before` `previous`,
        the count in that range. A code is a message's error, a call's hangup cause, the status of
        an unclear send or "no answer", "refused" for a send that Plivo refused, or "unstated". They
        are `of_all_carriers`: `country` ("" for all) and `carrier` (always "") say so."""
        since = min(span.start for span in (period, before) if span)
        names = [
            name
            for name in self._reader.series(Cube.ERROR, to_ms(since) - Tier.DAY.slot_ms)
            if name.country == (filters.country or "") and filters.channel in {None, name.channel}
        ]
        spans = {"count": period} | ({"previous": before} if before else {})
        counts = {
            name: self._reader.errors(names, self._selection.cut(span))
            for name, span in spans.items()
        }
        frame = pd.DataFrame({**counts, "country": filters.country or "", "carrier": ""})
        frame.index = pairs_index(
            tuple((name.channel, name.last) for name in names), ("channel", "code")
        )
        frame = frame[(frame[list(spans)] > 0).any(axis=1)]
        return frame.sort_values(list(spans), ascending=False, kind="stable")

    @cached
    def histogram(self, period: Range, filters: Filters = ALL, leg: Leg = Leg.TTD) -> Counts:
        """(BINS,): how many attempts took how long, `of_all_carriers`. The histograms of a country
        are of whole days, UTC, except the time to deliver, which is of whole quarter-hours."""
        cube, names = self._selection.histogram_series(period.start, filters)
        cut = self._selection.cut(period, tiers_of(leg, cube))
        histogram: Counts = self._reader.histograms(leg, cube, names, cut).sum(axis=(0, 1))
        return histogram

    @cached
    def heatmap(
        self,
        period: Range,
        filters: Filters = ALL,
        zone: ZoneInfo = _UTC,
    ) -> pd.DataFrame:
        """One row a step, by `start`, and one column a bin: how many attempts took so long to be
        delivered. The steps are those of `over_time`, but no finer than the histograms."""
        cube, names = self._selection.histogram_series(period.start, filters)
        drawn = steps(period, self._clock.now(), zone, tiers_of(Leg.TTD, cube))
        counts = self._reader.histograms(Leg.TTD, cube, names, drawn.pieces, drawn.starts)
        frame = pd.DataFrame(counts.sum(axis=0), columns=list(range(BINS)))
        frame.index = moments(drawn)
        return frame

    def series_since(self, cube: Cube, since: datetime) -> list[Series]:
        """The series with an attempt since then, sorted. What is read after it includes at least
        the same folds."""
        return self._reader.series(cube, to_ms(since))

    def counters(
        self, cube: Cube, names: Sequence[Series], cut: Sequence[Piece], starts: Sequence[int]
    ) -> Counts:
        """(names, parts, COLUMNS); the parts are as in SlotReader."""
        return self._reader.counters(cube, names, cut, starts)

    def course(
        self, period: Range, filters: Filters, cut: Sequence[Piece], starts: Sequence[int]
    ) -> Counts:
        """(parts, COLUMNS): the sums over the series that the filters select."""
        return self._selection.course(period, filters, cut, starts)

    def freshness(self) -> Freshness:
        """How new the figures are."""
        has_figures = bool(self._reader.series(Cube.CHANNEL, 0))
        return read_freshness(self._client, self._keys, self._clock.now(), has_figures=has_figures)

    def seen_dimensions(self) -> SeenDimensions:
        """The values of all series that are kept."""
        self.settle()
        carriers: dict[str, set[str]] = {}
        for name in self._reader.series(Cube.CARRIER, 0):
            if len(name.parts) == 3:
                carriers.setdefault(name.country, set()).add(name.last)
        return SeenDimensions(
            tuple(self._reader.series(Cube.CHANNEL, 0)),
            {country: tuple(sorted(carriers[country])) for country in sorted(carriers)},
        )

    def sample_attempts(self) -> int:
        """How many attempts of sample traffic are among the figures."""
        (count,) = self._client.hmget(self._keys.sample, "attempts")
        return int(count or 0)

    def is_simulated(self) -> bool:
        """Whether sample traffic is among the figures."""
        return self._client.exists(self._keys.sample_days) == 1

    def forget(self) -> None:
        """Clear the cache, so that the next query reads Redis."""
        self.answers.clear()

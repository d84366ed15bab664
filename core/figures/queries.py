"""Answers the queries of pages and of the REST API from the figures, as pandas frames.

Every frame counts attempts by the moment of their request. Its number columns are QUERY_COLUMNS,
all int64; moments are aware, in UTC; durations are ms, costs millionths of a US dollar. A query
costs the same at any traffic: it reads slots, not events.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from core.figures.answer_cache import AnswerCache, cached
from core.figures.catalogue import Leg
from core.figures.frames import confirmed_rates, group_sums, moments, table, totals
from core.figures.layout import BINS, TIERS, Cube, Tier, tiers_of
from core.figures.packing import Counts
from core.figures.ranges import Piece, Range, pieces, steps
from core.figures.rates import quantiles, values_needed
from core.figures.slot_reader import SlotReader
from core.model.clock import Clock, read_ms, to_ms
from core.model.series import Series
from core.store.client import Client, RawClient
from core.store.keys import Keys

#: Points of the sparkline in a table's row.
SPARK = 24
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which attempts a query counts; None is all of them. A carrier belongs to a country."""

    channel: str | None = None
    country: str | None = None
    carrier: str | None = None

    @property
    def is_empty(self) -> bool:
        return self == Filters()


ALL = Filters()


@dataclass(frozen=True, slots=True)
class Freshness:
    """How new the figures are. `through`: when the newest attempt was requested."""

    through: datetime | None
    now: datetime

    @property
    def lag(self) -> timedelta | None:
        return self.now - self.through if self.through else None


@dataclass(frozen=True, slots=True)
class SeenDimensions:
    """The values that filters can take: channels, and the carriers of each country, sorted."""

    channels: tuple[str, ...]
    carriers: dict[str, tuple[str, ...]]

    @property
    def countries(self) -> tuple[str, ...]:
        return tuple(self.carriers)


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
    ) -> None:
        self._client = client
        self._keys = keys
        self._clock = clock
        self._reader = SlotReader(client, raw, keys)
        self.answers = AnswerCache(clock)
        self.settle = settle

    @cached
    def totals(self, period: Range, filters: Filters = ALL) -> "pd.Series[int]":
        """The sums over the range, by QUERY_COLUMNS."""
        cube, names = self._series(period, filters)
        values = self._reader.counters(cube, names, self._cut(period)).sum(axis=(0, 1))
        return totals(values)

    @cached
    def over_time(
        self, period: Range, filters: Filters = ALL, zone: ZoneInfo = _UTC
    ) -> pd.DataFrame:
        """One row a step (`ranges.steps`), by `start`: QUERY_COLUMNS, and `complete`: False for the
        step that has not ended yet."""
        tier, edges = steps(period, self._clock.now(), zone)
        cube, names = self._series(period, filters)
        piece = _piece(_coarsest(TIERS, tier, edges), edges)
        values = self._reader.counters(cube, names, [piece], edges[:-1])
        frame = table(values.sum(axis=0))
        frame.index = moments(edges[:-1])
        ends = moments(edges[1:])
        frame["complete"] = ends <= pd.Timestamp(self._clock.now())
        return frame

    @cached
    def by_channel(self, period: Range, filters: Filters = ALL) -> pd.DataFrame:
        """One row a channel: QUERY_COLUMNS."""
        cube, names = self._series(period, filters)
        values = self._reader.counters(cube, names, self._cut(period)).sum(axis=1)
        frame = table(values)
        channels = pd.Index([name.channel for name in names], name="channel")
        return frame.groupby(channels).sum()

    @cached
    def by_country(self, period: Range, filters: Filters = ALL) -> pd.DataFrame:
        """By `country` and `carrier`: a row for each country as a whole (carrier ""), then a row
        for each of its carriers ("?" for unknown), with QUERY_COLUMNS; `p95_ms`: the time to
        deliver, of countries only, nan below 200 deliveries; and `spark`: the confirmed rates of
        SPARK parts of the range, nan for a part without attempts.

        The percentile is of whole quarter-hours: a range that starts or ends within one includes
        all of it.
        """
        cut = self._cut(period)
        parts = _parts(cut)
        leaves = self._names(Cube.CARRIER, period, filters)
        wholes = [] if filters.carrier else self._names(Cube.COUNTRY, period, filters)
        values = np.concatenate(
            [
                self._reader.counters(Cube.COUNTRY, wholes, cut, parts),
                self._reader.counters(Cube.CARRIER, leaves, cut, parts),
            ]
        )
        rows = [(name.country, "") for name in wholes]
        rows += [(name.country, name.last or "?") for name in leaves]
        index = sorted(set(rows))
        place = {row: n for n, row in enumerate(index)}
        places = [place[row] for row in rows]
        sums = group_sums(values, places, len(index))
        frame = table(sums.sum(axis=1))
        frame.index = pd.MultiIndex.from_tuples(index, names=["country", "carrier"])
        histograms = self._reader.histograms(
            Leg.TTD, Cube.COUNTRY, wholes, self._cut(period, tiers_of(Leg.TTD, Cube.COUNTRY))
        )
        durations = group_sums(histograms[:, 0], places[: len(wholes)], len(index))
        enough = durations.sum(axis=1) >= values_needed(0.95)
        frame["p95_ms"] = np.where(enough, quantiles(durations, 0.95), np.nan)
        frame["spark"] = confirmed_rates(sums)
        return frame

    @cached
    def errors(
        self, period: Range, filters: Filters = ALL, before: Range | None = None
    ) -> pd.DataFrame:
        """By `channel` and `code`, the most frequent first: `count`, and `previous` in the range
        `before` (0 without one). A code is a message's error, a call's hangup cause, "refused" for
        a send that Plivo refused, or "unstated". Errors are not split by carrier."""
        since = min(span.start for span in (period, before) if span)
        names = [
            name
            for name in self._reader.series(Cube.ERROR, to_ms(since))
            if name.country == (filters.country or "") and filters.channel in {None, name.channel}
        ]
        counts = self._reader.errors(names, self._cut(period))
        previous = np.zeros_like(counts)
        if before:
            previous = self._reader.errors(names, self._cut(before))
        frame = pd.DataFrame({"count": counts, "previous": previous})
        frame.index = pd.MultiIndex.from_tuples(
            [(name.channel, name.last) for name in names],
            names=["channel", "code"],
        )
        frame = frame[(frame["count"] > 0) | (frame["previous"] > 0)]
        return frame.sort_values(["count", "previous"], ascending=False, kind="stable")

    @cached
    def histogram(self, period: Range, filters: Filters = ALL, leg: Leg = Leg.TTD) -> Counts:
        """(BINS,): how many attempts took how long. A carrier has the histogram of its country; the
        histograms of a country are of whole days, UTC, except the time to deliver."""
        cube, names = self._histogram_series(period, filters)
        cut = self._cut(period, tiers_of(leg, cube))
        histogram: Counts = self._reader.histograms(leg, cube, names, cut).sum(axis=(0, 1))
        return histogram

    @cached
    def heatmap(
        self,
        period: Range,
        filters: Filters = ALL,
        leg: Leg = Leg.TTD,
        zone: ZoneInfo = _UTC,
    ) -> pd.DataFrame:
        """One row a step, by `start`, and one column a bin: how many attempts took that long. The
        steps are those of `over_time`, but no finer than the histograms (`histogram`)."""
        tier, edges = steps(period, self._clock.now(), zone)
        cube, names = self._histogram_series(period, filters)
        tiers = tiers_of(leg, cube)
        finest = tiers[0]
        if tier.slot_ms < finest.slot_ms:
            tier = finest
            edges = list(
                range(
                    edges[0] // tier.slot_ms * tier.slot_ms,
                    -(-edges[-1] // tier.slot_ms) * tier.slot_ms + 1,
                    tier.slot_ms,
                )
            )
        piece = _piece(_coarsest(tiers, tier, edges), edges)
        counts = self._reader.histograms(leg, cube, names, [piece], edges[:-1])
        frame = pd.DataFrame(counts.sum(axis=0), columns=list(range(BINS)))
        frame.index = moments(edges[:-1])
        return frame

    def freshness(self) -> Freshness:
        """How new the figures are."""
        newest = self._client.zrevrange(self._keys.recent, 0, 0)
        score = self._client.zscore(self._keys.recent, newest[0]) if newest else None
        try:
            through = None if score is None else read_ms(f"{score:.0f}")
        except ValueError:
            through = None
        return Freshness(through, self._clock.now())

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

    def is_simulated(self) -> bool:
        """Whether sample traffic is among the figures."""
        return self._client.exists(self._keys.sample_days) == 1

    def forget(self) -> None:
        """Clear the cache, so that the next query reads Redis."""
        self.answers.clear()

    def _cut(self, period: Range, tiers: Sequence[Tier] = TIERS) -> list[Piece]:
        return pieces(period, self._clock.now(), tiers)

    def _series(self, period: Range, filters: Filters) -> tuple[Cube, list[Series]]:
        """The series whose sum is the filtered figures."""
        cube = Cube.CHANNEL
        if filters.carrier is not None:
            cube = Cube.CARRIER
        elif filters.country is not None:
            cube = Cube.COUNTRY
        return cube, self._names(cube, period, filters)

    def _histogram_series(self, period: Range, filters: Filters) -> tuple[Cube, list[Series]]:
        cube = Cube.CHANNEL if filters.country is None else Cube.COUNTRY
        return cube, self._names(cube, period, filters)

    def _names(self, cube: Cube, period: Range, filters: Filters) -> list[Series]:
        filtered = (filters.channel, filters.country, filters.carrier)
        since_ms = to_ms(period.start) - Tier.DAY.slot_ms
        return [
            name
            for name in self._reader.series(cube, since_ms)
            if all(
                value is None or value == part
                for value, part in zip(filtered, name.parts, strict=False)
            )
        ]


def _coarsest(tiers: Sequence[Tier], tier: Tier, edges: Sequence[int]) -> Tier:
    """The coarsest of these tiers whose slots end at all edges of the steps; at least `tier`."""
    slot_ms = tier.slot_ms
    fitting = [
        coarser
        for coarser in tiers
        if coarser.slot_ms > slot_ms and all(edge % coarser.slot_ms == 0 for edge in edges)
    ]
    return fitting[-1] if fitting else tier


def _piece(tier: Tier, edges: Sequence[int]) -> Piece:
    return Piece(tier, edges[0], -(-(edges[-1] - edges[0]) // tier.slot_ms))


def _parts(cut: Sequence[Piece]) -> list[int]:
    """The starts of SPARK parts of the range, Unix ms."""
    if not cut:
        return []
    first, length = cut[0].start_ms, cut[-1].end_ms - cut[0].start_ms
    return [first - (-n * length // SPARK) for n in range(SPARK)]

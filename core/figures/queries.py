"""What the pages ask of the figures, as pandas frames.

Every frame counts attempts by the moment of their request. Its number columns are those of
`layout.COLUMNS` and `pending`, all int64; moments are aware, in UTC; spans are ms, costs micros of
a US dollar. A query costs the same at any traffic: it reads slots, not events.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from threading import Lock
from typing import Any, Concatenate, ParamSpec, TypeVar, cast
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from core.figures.layout import BINS, COLUMNS, Counts, Cube, Leg, Tier, series
from core.figures.ranges import Piece, Range, pieces, steps
from core.figures.rates import needed, quantiles
from core.figures.slot_reader import SlotReader
from core.model.clock import Clock, read_ms, to_ms
from core.store.client import Client, RawClient
from core.store.keys import Keys

#: How old an answer may be that a process gives again.
REMEMBERED = timedelta(seconds=3)
#: Points of the small line in a table's row.
SPARK = 24
_UTC = ZoneInfo("UTC")
_MOST_REMEMBERED = 200
FINALS = ("delivered", "undelivered", "failed", "rejected", "unreported")
_FINAL_PLACES = [COLUMNS.index(name) for name in FINALS]
_REQUESTED, _CONFIRMED = COLUMNS.index("requested"), COLUMNS.index("confirmed")
#: The columns of every frame of figures.
FIGURES = (*COLUMNS, "pending")
_COLUMNS = pd.Index(FIGURES)

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which attempts are meant; None is all of them. A carrier is one of a country."""

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
    """What has been seen, for filters: channels, and the carriers of each country, sorted."""

    channels: tuple[str, ...]
    carriers: dict[str, tuple[str, ...]]

    @property
    def countries(self) -> tuple[str, ...]:
        return tuple(self.carriers)


def _remembered(
    method: "Callable[Concatenate[Queries, P], R]",
) -> "Callable[Concatenate[Queries, P], R]":
    """Give the same answer again for REMEMBERED: several panels and people ask the same."""

    @wraps(method)
    def asked(self: "Queries", /, *args: P.args, **kwargs: P.kwargs) -> R:
        key = (method.__name__, args, tuple(sorted(kwargs.items())))
        return self._once(key, lambda: method(self, *args, **kwargs))

    return cast("Callable[Concatenate[Queries, P], R]", asked)


class Queries:
    """Reads the figures. Every method raises StoreUnavailable. What it returns is shared: do not
    change it."""

    def __init__(self, client: Client, raw: RawClient, keys: Keys, clock: Clock) -> None:
        self._client = client
        self._keys = keys
        self._clock = clock
        self._reading = SlotReader(client, raw, keys)
        self._answers: dict[Hashable, tuple[datetime, Any]] = {}
        self._lock = Lock()

    @_remembered
    def totals(self, chosen: Range, filters: Filters = ALL) -> "pd.Series[int]":
        """The sums of the range, by FIGURES."""
        cube, names = self._series(chosen, filters)
        values = self._reading.counters(cube, names, self._cut(chosen)).sum(axis=(0, 1))
        return pd.Series(_with_pending(values), index=FIGURES)

    @_remembered
    def over_time(
        self, chosen: Range, filters: Filters = ALL, zone: ZoneInfo = _UTC
    ) -> pd.DataFrame:
        """One row a step (`ranges.steps`), by `start`: FIGURES, and `complete`: False for the step
        that has not ended yet."""
        tier, edges = steps(chosen, self._clock.now(), zone)
        cube, names = self._series(chosen, filters)
        read = self._reading.counters(cube, names, [_span(tier, edges)], edges[:-1])
        frame = pd.DataFrame(_with_pending(read.sum(axis=0)), columns=_COLUMNS)
        frame.index = _moments(edges[:-1])
        ends = _moments(edges[1:])
        frame["complete"] = ends <= pd.Timestamp(self._clock.now())
        return frame

    @_remembered
    def by_channel(self, chosen: Range, filters: Filters = ALL) -> pd.DataFrame:
        """One row a channel: FIGURES."""
        cube, names = self._series(chosen, filters)
        values = self._reading.counters(cube, names, self._cut(chosen)).sum(axis=1)
        frame = pd.DataFrame(_with_pending(values), columns=_COLUMNS)
        channels = pd.Index([name.split("/")[0] for name in names], name="channel")
        return frame.groupby(channels).sum()

    @_remembered
    def by_country(self, chosen: Range, filters: Filters = ALL) -> pd.DataFrame:
        """By `country` and `carrier`: a row for each country as a whole (carrier ""; its own rows
        follow, those of an unknown carrier under "?"), with FIGURES; `p95_ms`: the time to deliver,
        of a country only, nan below 200 deliveries; and `spark`: SPARK confirmed rates, from the
        first part of the range to the last, nan where nobody asked.

        The percentile is of whole quarter-hours: at an edge within one, of all of it.
        """
        cut = self._cut(chosen)
        parts = _parts(cut)
        leaves = self._names(Cube.CARRIER, chosen, filters)
        wholes = [] if filters.carrier else self._names(Cube.COUNTRY, chosen, filters)
        values = np.concatenate(
            [
                self._reading.counters(Cube.COUNTRY, wholes, cut, parts),
                self._reading.counters(Cube.CARRIER, leaves, cut, parts),
            ]
        )
        rows = [(country, "") for _, country in (name.split("/") for name in wholes)]
        rows += [
            (country, carrier or "?")
            for _, country, carrier in (name.split("/", 2) for name in leaves)
        ]
        index = sorted(set(rows))
        place = {row: n for n, row in enumerate(index)}
        of_row = [place[row] for row in rows]
        summed = _sums(values, of_row, len(index))
        frame = pd.DataFrame(_with_pending(summed.sum(axis=1)), columns=_COLUMNS)
        frame.index = pd.MultiIndex.from_tuples(index, names=["country", "carrier"])
        histograms = self._reading.histograms(
            Leg.TTD, Cube.COUNTRY, wholes, self._cut(chosen, Tier.QUARTER)
        )
        spans = _sums(histograms[:, 0], of_row[: len(wholes)], len(index))
        enough = spans.sum(axis=1) >= needed(0.95)
        frame["p95_ms"] = np.where(enough, quantiles(spans, 0.95), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            rates = summed[:, :, _CONFIRMED] / summed[:, :, _REQUESTED]
        frame["spark"] = list(rates.tolist())
        return frame

    @_remembered
    def errors(
        self, chosen: Range, filters: Filters = ALL, before: Range | None = None
    ) -> pd.DataFrame:
        """By `channel` and `code`, the most first: `count`, and `previous` in the range `before` (0
        without one). A code is a message's error, a call's hangup cause, "refused" for a send that
        Plivo refused, or "unstated". Errors are not told apart by carrier."""
        since = min(one.start for one in (chosen, before) if one)
        names = [
            name
            for name in self._reading.series(Cube.ERROR, to_ms(since))
            if name.split("/", 2)[1] == (filters.country or "")
            and filters.channel in {None, name.split("/")[0]}
        ]
        counts = self._reading.errors(names, self._cut(chosen))
        previous = np.zeros_like(counts)
        if before:
            previous = self._reading.errors(names, self._cut(before))
        frame = pd.DataFrame({"count": counts, "previous": previous})
        frame.index = pd.MultiIndex.from_tuples(
            [(name.split("/", 2)[0], name.split("/", 2)[2]) for name in names],
            names=["channel", "code"],
        )
        frame = frame[(frame["count"] > 0) | (frame["previous"] > 0)]
        return frame.sort_values(["count", "previous"], ascending=False, kind="stable")

    @_remembered
    def histogram(self, chosen: Range, filters: Filters = ALL, leg: Leg = Leg.TTD) -> Counts:
        """(BINS,) how many attempts took how long. Of a carrier it is that of its country, and of a
        country every leg but the time to deliver is that of whole days, UTC."""
        cube, names = self._histogram_series(chosen, filters)
        cut = self._cut(chosen, _finest(leg, cube))
        summed: Counts = self._reading.histograms(leg, cube, names, cut).sum(axis=(0, 1))
        return summed

    @_remembered
    def heatmap(
        self,
        chosen: Range,
        filters: Filters = ALL,
        leg: Leg = Leg.TTD,
        zone: ZoneInfo = _UTC,
    ) -> pd.DataFrame:
        """One row a step, by `start`, one column a bin: how many attempts took that long. The same
        steps as `over_time`, but not finer than the histograms are (`histogram`)."""
        tier, edges = steps(chosen, self._clock.now(), zone)
        cube, names = self._histogram_series(chosen, filters)
        finest = _finest(leg, cube)
        if tier.slot_ms < finest.slot_ms:
            tier = finest
            edges = list(
                range(
                    edges[0] // tier.slot_ms * tier.slot_ms,
                    -(-edges[-1] // tier.slot_ms) * tier.slot_ms + 1,
                    tier.slot_ms,
                )
            )
        read = self._reading.histograms(leg, cube, names, [_span(tier, edges)], edges[:-1])
        frame = pd.DataFrame(read.sum(axis=0), columns=list(range(BINS)))
        frame.index = _moments(edges[:-1])
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

    def known(self) -> SeenDimensions:
        """What may be filtered by: all that was seen as long as figures are kept."""
        carriers: dict[str, set[str]] = {}
        for name in self._reading.series(Cube.CARRIER, 0):
            if name.count("/") >= 2:
                _, country, carrier = name.split("/", 2)
                carriers.setdefault(country, set()).add(carrier)
        return SeenDimensions(
            tuple(self._reading.series(Cube.CHANNEL, 0)),
            {country: tuple(sorted(carriers[country])) for country in sorted(carriers)},
        )

    def is_simulated(self) -> bool:
        """Whether sample traffic is among the figures."""
        return self._client.get(self._keys.simulated) is not None

    def forget(self) -> None:
        """Ask Redis again next time."""
        with self._lock:
            self._answers.clear()

    def _once(self, key: Hashable, ask: Callable[[], R]) -> R:
        now = self._clock.now()
        with self._lock:
            at, answer = self._answers.get(key, (None, None))
        if at is not None and timedelta() <= now - at < REMEMBERED:
            return cast(R, answer)
        found = ask()
        with self._lock:
            if len(self._answers) >= _MOST_REMEMBERED:
                self._answers.clear()
            self._answers[key] = now, found
        return found

    def _cut(self, chosen: Range, finest: Tier = Tier.MINUTE) -> list[Piece]:
        return pieces(chosen, self._clock.now(), finest)

    def _series(self, chosen: Range, filters: Filters) -> tuple[Cube, list[str]]:
        """The series whose sum is what the filters leave."""
        cube = Cube.CHANNEL
        if filters.carrier is not None:
            cube = Cube.CARRIER
        elif filters.country is not None:
            cube = Cube.COUNTRY
        return cube, self._names(cube, chosen, filters)

    def _histogram_series(self, chosen: Range, filters: Filters) -> tuple[Cube, list[str]]:
        cube = Cube.CHANNEL if filters.country is None else Cube.COUNTRY
        return cube, self._names(cube, chosen, filters)

    def _names(self, cube: Cube, chosen: Range, filters: Filters) -> list[str]:
        wanted = (filters.channel, filters.country, filters.carrier)
        return [
            name
            for name in self._reading.series(cube, to_ms(chosen.start) - Tier.DAY.slot_ms)
            if all(
                want is None or want == part
                for want, part in zip(wanted, name.split("/", 2), strict=False)
            )
        ]


def of_carrier(country: str, carrier: str) -> str:
    """A carrier's name as its series has it."""
    return series("", country, carrier).split("/", 2)[2]


def _finest(leg: Leg, cube: Cube) -> Tier:
    """The finest tier that has this histogram."""
    if cube is Cube.CHANNEL:
        return Tier.MINUTE
    return Tier.QUARTER if leg is Leg.TTD else Tier.DAY


def _with_pending(values: Counts) -> Counts:
    """The columns of COLUMNS, and after them what is not decided yet."""
    pending = values[..., _REQUESTED] - values[..., _FINAL_PLACES].sum(axis=-1)
    return np.concatenate([values, pending[..., None]], axis=-1)


def _span(tier: Tier, edges: Sequence[int]) -> Piece:
    return Piece(tier, edges[0], -(-(edges[-1] - edges[0]) // tier.slot_ms))


def _moments(ms: Sequence[int]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.to_datetime(list(ms), unit="ms", utc=True), name="start")


def _parts(cut: Sequence[Piece]) -> list[int]:
    """When each of SPARK parts of the range begins, in Unix ms."""
    if not cut:
        return []
    first, length = cut[0].start_ms, cut[-1].end_ms - cut[0].start_ms
    return [first - (-n * length // SPARK) for n in range(SPARK)]


def _sums(values: Counts, groups: Sequence[int], count: int) -> Counts:
    """The rows of each of `count` groups added up."""
    summed = np.zeros((count, *values.shape[1:]), dtype=np.int64)
    for group, row in zip(groups, values, strict=True):
        summed[group] += row
    return summed

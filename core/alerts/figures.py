"""Reads what alerts need from the packed figures: the last day, and the four weeks before.

The last hours are read by the minute, the rest of the day by the quarter of an hour. The history is
kept in the process and read again once an hour: a day of it changes little.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.alerts.baseline import DAYS, HOURS, PastFigures, UsualFigures, baseline, named
from core.alerts.evidence import HOUR_MS, Slots
from core.alerts.measures import READ
from core.figures.catalogue import COLUMNS, Leg
from core.figures.layout import BINS, Cube, Tier
from core.figures.packed_reader import PackedReader, SlotRange
from core.figures.packing import COUNTER_KIND, LEG_KINDS, UPPER_MS, Counts
from core.model.series import Series
from core.store.client import Client, RawClient
from core.store.keys import Keys

MINUTE_MS = Tier.MINUTE.slot_ms
#: How far back alerts look: a day, its last hours by the minute.
_DAY_MS, _BY_MINUTE_MS = 24 * HOUR_MS, 3 * HOUR_MS
#: The number of series that are checked: those with the newest attempts.
MOST_SERIES = 2000
#: Codes that are entered so soon count as proof beside receipts that come as soon.
_SOON_MS = 60_000
_PLACES = [COLUMNS.index(name) for name in READ]
_CUBES = (Cube.CHANNEL, Cube.COUNTRY, Cube.CARRIER)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A baseline, the series that it is of, and the hour in which it was read."""

    hour: int
    series: list[Series]
    usual: UsualFigures


class AlertFigures:
    """Reads figures of channels, countries and carriers. Every method raises StoreUnavailable.
    `client` answers in text, `raw` in bytes; `settle` brings the figures up to date."""

    def __init__(
        self, client: Client, raw: RawClient, keys: Keys, settle: Callable[[], None]
    ) -> None:
        self._client = client
        self._reader = PackedReader(raw, keys)
        self._keys = keys
        self._settle = settle
        self._kept: _Kept | None = None

    def series(self, since_ms: int) -> list[Series]:
        """The channels with an attempt since then, their countries, and carriers of these."""
        self._settle()
        names: list[Series] = []
        for cube in _CUBES:
            newest = self._client.zrevrangebyscore(
                self._keys.registry(cube), "+inf", str(since_ms), 0, MOST_SERIES
            )
            whole = set(names)
            parts = sorted(Series(name) for name in newest)
            names += [name for name in parts if cube is Cube.CHANNEL or name.parent in whole]
        return names[:MOST_SERIES]

    def recent(self, series: Sequence[Series], now_ms: int) -> Slots:
        """The slots of the last day; the last one is the minute that has not ended."""
        end = (now_ms // MINUTE_MS + 1) * MINUTE_MS
        quarter = Tier.QUARTER.slot_ms
        middle = (end - _BY_MINUTE_MS) // quarter * quarter
        begin = (end - _DAY_MS) // quarter * quarter
        parts = [
            self._slots(Tier.QUARTER, series, begin // quarter, (middle - begin) // quarter),
            self._slots(Tier.MINUTE, series, middle // MINUTE_MS, (end - middle) // MINUTE_MS),
        ]
        starts = np.concatenate(
            [np.arange(begin, middle, quarter), np.arange(middle, end, MINUTE_MS)]
        )
        ends = np.append(starts[1:], end)
        figures = named(np.concatenate(parts, axis=1).astype(float))
        return Slots(figures, starts.astype(np.intp), ends.astype(np.intp), now_ms)

    def usual(self, series: list[Series], now_ms: int) -> UsualFigures:
        """What is usual, of four weeks that ended with the last day (UTC)."""
        hour = now_ms // HOUR_MS
        if self._kept is None or self._kept.hour != hour or self._kept.series != series:
            self._kept = _Kept(hour, list(series), baseline(self._history(series, now_ms)))
        return self._kept.usual

    def _history(self, series: list[Series], now_ms: int) -> PastFigures:
        today = now_ms // _DAY_MS
        wholes = [name for name in series if not name.last]
        rows = {name: row for row, name in enumerate(wholes)}
        profile = np.array([rows[name.parent if name.last else name] for name in series], np.intp)
        days = self._slots(Tier.DAY, series, today - DAYS, DAYS)
        hours = np.zeros((len(wholes), HOURS, len(READ)))
        for day in range(today - DAYS, today):
            quarters = self._slots(Tier.QUARTER, wholes, day * 96, 96)
            weekday = (day + 3) % 7  # 1970 began on a Thursday
            by_hour = quarters.reshape(len(wholes), 24, 4, len(READ)).sum(axis=2)
            hours[:, weekday * 24 : weekday * 24 + 24] += by_hour
        entered = self._entered_soon([name for name in series if name.is_channel], today)
        return PastFigures(
            days.astype(float), hours, profile, np.array([entered[name.channel] for name in series])
        )

    def _entered_soon(self, channels: Sequence[Series], today: int) -> dict[str, float]:
        """Of the right codes of each channel, the share that was entered within 60 seconds."""
        bins = self._slots(
            Tier.DAY, channels, today - DAYS, DAYS, leg=Leg.TTV, places=list(range(BINS))
        ).sum(axis=1)
        soon = bins[:, UPPER_MS <= _SOON_MS].sum(axis=1)
        total = bins.sum(axis=1)
        return {
            name.channel: float(soon[row] / total[row]) if total[row] else 0.0
            for row, name in enumerate(channels)
        }

    def _slots(
        self,
        tier: Tier,
        series: Sequence[Series],
        first: int,
        count: int,
        leg: Leg | None = None,
        places: Sequence[int] = _PLACES,
    ) -> Counts:
        """(series, slots, places), slots counted from 1970."""
        kind = COUNTER_KIND if leg is None else LEG_KINDS[leg]
        values = np.zeros((len(series), count, len(places)), dtype=np.int64)
        by_cube = [
            (cube, [row for row, name in enumerate(series) if _cube(name) is cube])
            for cube in _CUBES
        ]
        at = first
        while at < first + count:
            chunk, slot = divmod(at, tier.slots)
            some = min(tier.slots - slot, first + count - at)
            for cube, rows in by_cube:
                if not rows:
                    continue
                part = SlotRange(kind, tier, cube, [series[row] for row in rows], chunk, slot, some)
                for _, which, slots in self._reader.read([part]):
                    values[rows[which], at - first : at - first + some] = slots[..., places]
            at += some
        return values


def _cube(series: Series) -> Cube:
    return _CUBES[len(series.parts) - 1]

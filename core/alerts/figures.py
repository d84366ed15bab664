"""Reads what alerts compare: the last day, and what was usual in the four weeks before.

What is usual is kept in the process and computed again once an hour, and when the series differ: a
day of the four weeks changes little.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.alerts.baseline import DAYS, PastFigures, UsualFigures, baseline
from core.alerts.last_day import LastDay
from core.alerts.measures import ALERT_FIGURES, STORED_FIGURES
from core.alerts.refusals import RefusalReading
from core.alerts.sequential import Floats
from core.alerts.slot_reading import CUBES, SlotReading
from core.alerts.slots import HOUR_MS, Slots
from core.alerts.wholes import whole_of
from core.figures.catalogue import Leg
from core.figures.layout import Cube, Tier
from core.figures.packing import UPPER_MS
from core.figures.pipeline import read_pipeline
from core.model.series import ALL_TRAFFIC, Series
from core.store.client import Client, RawClient
from core.store.keys import Keys

MINUTE_MS = Tier.MINUTE.slot_ms
#: The number of series that are checked: those with the newest attempts.
MOST_SERIES = 2000
_DAY_MS = 24 * HOUR_MS
#: Codes that are entered so soon count as proof beside receipts that come as soon.
_SOON_MS = 60_000


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is usual, of which series, and the hour in which it was read."""

    hour: int
    series: list[Series]
    usual: UsualFigures


class AlertFigures:
    """Reads figures of all traffic, channels, countries and carriers. Every method raises
    StoreUnavailable. `client` answers in text, `raw` in bytes; `settle` brings the figures up to
    date."""

    def __init__(
        self, client: Client, raw: RawClient, keys: Keys, settle: Callable[[], None]
    ) -> None:
        self._client = client
        self._raw = raw
        self._reading = SlotReading(raw, keys)
        self._refusals = RefusalReading(raw, keys)
        self._last_day = LastDay(raw, keys)
        self._keys = keys
        self._settle = settle
        self._kept: _Kept | None = None

    def are_late(self) -> bool:
        """Whether they lack what was counted long ago, as while no process folds."""
        self._settle()
        return read_pipeline(self._client, self._keys).is_late

    def series(self, since_ms: int) -> list[Series]:
        """All traffic, if there are several channels; the channels with an attempt since then,
        their countries, and carriers of these."""
        self._settle()
        names: list[Series] = []
        for cube in CUBES:
            newest = self._client.zrevrangebyscore(
                self._keys.registry(cube), "+inf", str(since_ms), 0, MOST_SERIES
            )
            wholes = {*names, ALL_TRAFFIC}
            parts = sorted(Series(name) for name in newest)
            names += [name for name in parts if whole_of(name) in wholes]
        several = sum(name.is_channel for name in names) > 1
        return [*([ALL_TRAFFIC] if several else []), *names][:MOST_SERIES]

    def has(self, series: Series) -> bool:
        """Whether it has had an attempt; all traffic, if several channels have."""
        self._settle()
        if series == ALL_TRAFFIC:
            return len(self._client.zrange(self._keys.registry(Cube.CHANNEL), 0, -1)) > 1
        scores = (self._client.zscore(self._keys.registry(cube), series) for cube in CUBES)
        return any(score is not None for score in scores)

    def last_day(self, series: Sequence[Series], now_ms: int) -> Slots:
        """The slots of the last day, of the series of a check; the last one is the minute that has
        not ended. They are valid until the next call: only what has changed is read."""
        return self._last_day.slots(series, now_ms)

    def recent(self, series: Sequence[Series], now_ms: int) -> Slots:
        """As `last_day`, of any series. Reads all slots; may be called in any thread."""
        names = list(series)
        if ALL_TRAFFIC in names:
            stored = self._client.zrange(self._keys.registry(Cube.CHANNEL), 0, -1)
            names += sorted({Series(name) for name in stored} - set(names))
        return LastDay(self._raw, self._keys).slots(names, now_ms).first(len(series))

    def refusing(
        self, since_ms: Mapping[Series, int], now_ms: int
    ) -> dict[Series, tuple[str, ...]]:
        """The budgets that have refused sends of each series since then; the most numbers first."""
        return self._refusals.budgets(since_ms, now_ms)

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
        first = today - DAYS
        days = np.zeros((len(series), DAYS, len(ALERT_FIGURES)))
        days[..., : len(STORED_FIGURES)] = self._reading.counters(Tier.DAY, series, first, DAYS)
        refused = self._refusals.counts(
            series, np.arange(first * 24, today * 24) * HOUR_MS, today * _DAY_MS
        ).reshape(len(series), DAYS, 24)
        days[..., ALERT_FIGURES.index("refused")] = refused.sum(axis=2)
        hours = np.zeros((len(wholes), DAYS, 24, len(ALERT_FIGURES)))
        is_whole = np.array([not name.last for name in series], dtype=np.bool_)
        for row, day in enumerate(range(first, today)):
            quarters = self._reading.counters(Tier.QUARTER, wholes, day * 96, 96)
            by_hour = quarters.reshape(len(wholes), 24, 4, len(STORED_FIGURES)).sum(axis=2)
            hours[:, row, :, : len(STORED_FIGURES)] = by_hour
        hours[..., ALERT_FIGURES.index("refused")] = refused[is_whole]
        return PastFigures(
            days,
            hours,
            (first + 3) % 7,  # 1970 began on a Thursday
            profile,
            self._entered_soon(series, today),
            is_carrier=~is_whole,
        )

    def _entered_soon(self, series: Sequence[Series], today: int) -> Floats:
        """Of the right codes of the channel of each series, the share that was entered within 60
        seconds."""
        channels = [name for name in series if not name.country]
        bins = self._reading.histograms(Leg.TTV, Tier.DAY, channels, today - DAYS, DAYS)
        soon = bins[:, :, UPPER_MS <= _SOON_MS].sum(axis=(1, 2))
        total = bins.sum(axis=(1, 2))
        share = np.divide(soon, total, out=np.zeros(len(channels)), where=total > 0)
        rows = {name.channel: row for row, name in enumerate(channels)}
        return np.asarray(share[[rows[name.channel] for name in series]], dtype=float)

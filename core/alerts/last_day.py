"""Keeps the figures of the last day in the process, and reads again only what folds have changed.

The last hours are kept by the minute, the rest of the day by the quarter of an hour. Everything is
read when a quarter of an hour begins, since the oldest minutes become a quarter then, and when the
series differ.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from core.alerts.measures import ALERT_FIGURES, STORED_FIGURES
from core.alerts.refusals import RefusalReading
from core.alerts.sequential import Floats, Indices
from core.alerts.slot_reading import SlotReading
from core.alerts.slots import Slots
from core.figures.additions import ChangedPlace
from core.figures.changes import FigureChanges
from core.figures.layout import Tier
from core.model.series import ALL_TRAFFIC, Series
from core.store.client import RawClient
from core.store.keys import Keys

_MINUTE, _QUARTER = Tier.MINUTE.slot_ms, Tier.QUARTER.slot_ms
_MINUTES_A_QUARTER = _QUARTER // _MINUTE
_DAY_MS, _BY_MINUTE_MS = 24 * 3_600_000, 3 * 3_600_000


class LastDay:
    """The figures of the last day. `slots` raises StoreUnavailable."""

    def __init__(self, raw: RawClient, keys: Keys) -> None:
        self._reading = SlotReading(raw, keys)
        self._refusals = RefusalReading(raw, keys)
        self._changes = FigureChanges(raw, keys)
        self._series: list[Series] = []
        self._rows: dict[Series, int] = {}
        self._end_quarter = 0
        #: (figures, series, slots), up to the end of the quarter of an hour; None until it is read.
        self._values: Floats | None = None

    def slots(self, series: Sequence[Series], now_ms: int) -> Slots:
        """The slots of the day; the last one is the minute that has not ended."""
        end = (now_ms // _MINUTE + 1) * _MINUTE
        values = self._updated(list(series), end // _QUARTER)
        starts, ends = self._bounds()
        count = int(np.searchsorted(starts, end))
        figures = dict(zip(ALERT_FIGURES, values[:, :, :count], strict=True))
        return Slots(figures, starts[:count], ends[:count], now_ms)

    @property
    def _begin(self) -> int:
        return self._end_quarter - _DAY_MS // _QUARTER

    @property
    def _by_minute(self) -> int:
        """The first quarter of an hour that is kept by the minute."""
        return self._end_quarter - _BY_MINUTE_MS // _QUARTER

    def _bounds(self) -> tuple[Indices, Indices]:
        begin, middle = self._begin * _QUARTER, self._by_minute * _QUARTER
        end = (self._end_quarter + 1) * _QUARTER
        starts = np.concatenate(
            [np.arange(begin, middle, _QUARTER), np.arange(middle, end, _MINUTE)]
        ).astype(np.intp)
        return starts, np.append(starts[1:], end)

    def _updated(self, series: list[Series], end_quarter: int) -> Floats:
        # Asked before the figures are read: what is folded meanwhile is read twice, and not missed.
        changed = self._changes.read()
        is_same = self._series == series and self._end_quarter == end_quarter
        kept = self._values
        # If reading fails, the changes are lost, so everything is read the next time.
        self._values = None
        if kept is None or changed is None or not is_same:
            self._series, self._end_quarter = series, end_quarter
            self._rows = {name: row for row, name in enumerate(series)}
            kept = self._read_all()
        else:
            self._read_changed(kept, changed)
        # No fold notes a change of these.
        starts, ends = self._bounds()
        kept[ALERT_FIGURES.index("refused")] = self._refusals.counts(series, starts, int(ends[-1]))
        self._values = kept
        return kept

    def _read_all(self) -> Floats:
        values = np.empty((len(ALERT_FIGURES), len(self._series), len(self._bounds()[0])))
        quarters = self._by_minute - self._begin
        for tier, part, first in (
            (Tier.QUARTER, values[..., :quarters], self._begin),
            (Tier.MINUTE, values[..., quarters:], self._by_minute * _MINUTES_A_QUARTER),
        ):
            slots = self._reading.counters(tier, self._series, first, part.shape[2])
            part[: len(STORED_FIGURES)] = np.moveaxis(slots, -1, 0)
        return values

    def _read_changed(self, values: Floats, changed: Sequence[ChangedPlace]) -> None:
        """Read the slots of these quarters of an hour again."""
        names_by_quarter: defaultdict[int, set[Series]] = defaultdict(set)
        for place in changed:
            names = {Series(place.channel), place.country, place.carrier}
            names_by_quarter[place.quarter] |= names & self._rows.keys()
        for quarter, names in names_by_quarter.items():
            if not names or not self._begin <= quarter <= self._end_quarter:
                continue
            if quarter < self._by_minute:
                tier, first, count = Tier.QUARTER, quarter, 1
                at = quarter - self._begin
            else:
                tier, first, count = Tier.MINUTE, quarter * _MINUTES_A_QUARTER, _MINUTES_A_QUARTER
                at = self._by_minute - self._begin + first - self._by_minute * _MINUTES_A_QUARTER
            part = sorted(names)
            slots = self._reading.counters(tier, part, first, count)
            rows = [self._rows[name] for name in part]
            values[: len(STORED_FIGURES), rows, at : at + count] = np.moveaxis(slots, -1, 0)
        if ALL_TRAFFIC in self._rows:
            channels = [row for name, row in self._rows.items() if name.is_channel]
            values[:, self._rows[ALL_TRAFFIC]] = values[:, channels].sum(axis=1)

"""Reads the hours that alerts compare from the packed quarter-hours.

A check needs one hour and the same hour of four earlier weeks. A dry run needs all days of its
range and of the four weeks before; then a whole key is one range.
"""

from collections.abc import Callable, Sequence

import numpy as np

from core.alerts.rules import WEEKS, Hours, Measure
from core.alerts.tails import Bools, Floats
from core.figures.catalogue import COLUMNS
from core.figures.layout import Cube, Tier
from core.figures.packed_reader import PackedReader, SlotRange
from core.figures.packing import COUNTER_KIND, Counts
from core.model.series import Series
from core.store.client import Client, RawClient
from core.store.keys import Keys

#: The counters that are read, in this order.
READ = ("requested", "confirmed", "within_60", "verified")
QUARTER_MS = Tier.QUARTER.slot_ms
#: Quarters of an hour in the window of a check, and between the same hours of two weeks.
WINDOW = 4
_DAY = 96
WEEK = 7 * _DAY
#: The number of series that are checked: those with the newest attempts.
MOST_SERIES = 1000

#: How many days before the earliest hour are searched for traffic: weekends may be silent.
_SEARCHED_DAYS = 7
_PLACES = [COLUMNS.index(name) for name in READ]


class HourReader:
    """Reads hours of the channels and of the countries in them. Every method raises
    StoreUnavailable. `client` answers in text, `raw` in bytes; `settle` brings the figures up to
    date. The process keeps no copy of these hours: a dry run reads far more than a page."""

    def __init__(
        self, client: Client, raw: RawClient, keys: Keys, settle: Callable[[], None]
    ) -> None:
        self._client = client
        self._reader = PackedReader(raw, keys)
        self._keys = keys
        self._settle = settle

    def series(self, since_ms: int) -> list[Series]:
        """The channels with an attempt since then, and after them their countries: "sms/DE"."""
        self._settle()
        channels, countries = (
            [
                Series(name)
                for name in self._client.zrevrangebyscore(
                    self._keys.registry(cube), "+inf", str(since_ms), 0, MOST_SERIES
                )
            ]
            for cube in (Cube.CHANNEL, Cube.COUNTRY)
        )
        parents = set(channels)
        return sorted(channels) + sorted(name for name in countries if name.parent in parents)

    def at(self, series: Sequence[Series], end: int) -> tuple[Hours, Counts]:
        """The hour that ends with the quarter before `end`, as an only moment, and its counts:
        (series, READ). Quarters are counted from 1970."""
        ends = [end - week * WEEK for week in range(WEEKS + 1)]
        sums = [self._slots(Tier.QUARTER, series, one - WINDOW, WINDOW).sum(axis=1) for one in ends]
        counts = np.stack(sums, axis=1)[:, None]  # (series, moment, week, READ)
        return _hours(series, counts, self._ran(series, end, end)), sums[0]

    def between(self, series: Sequence[Series], first: int, last: int) -> Hours:
        """The hours that end with each quarter from `first` to `last`."""
        begin = first - WEEKS * WEEK - WINDOW
        quarters = self._slots(Tier.QUARTER, series, begin, last - begin)
        return hours_between(series, quarters, self._ran(series, first, last))

    def _ran(self, series: Sequence[Series], first: int, last: int) -> Bools:
        """Whether there was traffic before the day of the same hour, for each of the weeks before:
        (moments, WEEKS). Without it, traffic may have begun within that hour."""
        channels = [name for name in series if name.is_channel]
        ends = np.arange(first, last + 1)[:, None] - WEEK * np.arange(1, WEEKS + 1)
        days = (ends - WINDOW) // _DAY
        begin = int(days.min()) - _SEARCHED_DAYS
        slots = self._slots(Tier.DAY, channels, begin, int(days.max()) - begin)
        begun = np.logical_or.accumulate(slots[:, :, 0].any(axis=0))
        ran: Bools = begun[days - 1 - begin]
        return ran

    def _slots(self, tier: Tier, series: Sequence[Series], first: int, count: int) -> Counts:
        """(series, slots, READ), slots counted from 1970."""
        parts = []
        at = first
        while at < first + count:
            chunk, slot = divmod(at, tier.slots)
            some = min(tier.slots - slot, first + count - at)
            values = np.zeros((len(series), some, len(READ)), dtype=np.int64)
            for cube in (Cube.CHANNEL, Cube.COUNTRY):
                rows = [row for row, name in enumerate(series) if _cube(name) is cube]
                names = [series[row] for row in rows]
                part = SlotRange(COUNTER_KIND, tier, cube, names, chunk, slot, some)
                for _, which, slots in self._reader.read([part]):
                    values[rows[which]] = slots[..., _PLACES]
            parts.append(values)
            at += some
        return np.concatenate(parts, axis=1)


def hours_between(series: Sequence[Series], quarters: Counts, ran: Bools) -> Hours:
    """All hours in these quarters, (series, quarters, READ), that have four weeks before them;
    `ran` is as in `Hours`."""
    # Sums from the beginning up to each quarter; the difference of two is what is between.
    until = np.zeros((len(series), quarters.shape[1] + 1, len(READ)), dtype=np.int64)
    np.cumsum(quarters, axis=1, out=until[:, 1:])
    hours = until[:, WINDOW:] - until[:, :-WINDOW]
    moments = hours.shape[1] - WEEKS * WEEK
    weeks = [hours[:, (WEEKS - week) * WEEK :][:, :moments] for week in range(WEEKS + 1)]
    return _hours(series, np.stack(weeks, axis=2), ran)


def _cube(series: Series) -> Cube:
    return Cube.CHANNEL if series.is_channel else Cube.COUNTRY


def _hours(series: Sequence[Series], counts: Counts, ran: Bools) -> Hours:
    """Counts of (series, moments, weeks back from 0, READ), with the sum of the channels below."""
    rows = {name: row for row, name in enumerate(series)}
    everything = len(series)
    channels = [row for name, row in rows.items() if name.is_channel]
    whole = np.concatenate([counts, counts[channels].sum(axis=0, keepdims=True)]).astype(float)
    by_name: dict[str, Floats] = dict(zip(READ, np.moveaxis(whole, -1, 0), strict=True))
    good = {
        Measure.CONFIRMED: by_name["confirmed"],
        Measure.WITHIN_60: by_name["within_60"],
    }
    return Hours(
        parents=np.array([rows.get(name.parent, everything) for name in series], dtype=np.intp),
        requested=by_name["requested"][..., 0],
        ran=ran,
        requested_before=by_name["requested"][..., 1:],
        good={measure: values[..., 0] for measure, values in good.items()},
        good_before={measure: values[..., 1:] for measure, values in good.items()},
    )

"""Counts the sends that budgets refuse, and reads which numbers were refused, minute by minute.

Every refusal counts under its budget in the counters of the day. By minute, a number counts once an
hour for each channel: who tries again and again is one person. Which numbers were refused in an
hour is kept in a HyperLogLog, which holds no numbers and has a fixed size. It takes some new
numbers for old ones: 1 % of 300 in an hour, 2 % of 1,000, 17 % of 10,000.

A hash for each UTC day, "<minute> <series> <budget>" -> count, has room for MOST_FIELDS of these
fields. Further ones are counted as "<minute> <channel>", so what an attacker can fill is bounded.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from core.model.clock import Clock, duration_ms, from_ms
from core.model.series import Series
from core.store.client import RawClient
from core.store.counters import KEEP_COUNTERS
from core.store.keys import Keys
from core.store.scripts import Scripts

#: Of a day: one for every 17 seconds. With the fields beyond them a day takes 0.8 MB at most.
MOST_FIELDS = 5_000
_KEEP_HOUR = timedelta(hours=2)
_MINUTE_MS, _DAY_MS = 60_000, 86_400_000


class RefusedNumbers(NamedTuple):
    """How many `numbers` a budget refused in the minute that begins at `at_ms`. `series`: a
    country, or a channel where the country was not kept; then `budget` is "" too."""

    at_ms: int
    series: Series
    budget: str
    numbers: int


class RefusalCounter:
    """Counts refusals."""

    def __init__(self, scripts: Scripts, keys: Keys, clock: Clock) -> None:
        self._scripts = scripts
        self._keys = keys
        self._clock = clock

    def count(self, budget: str, channel: str, country: str, number_index: str) -> None:
        """Count a refusal now; `number_index` is the digest of the number. Raises
        StoreUnavailable."""
        now = self._clock.now()
        minute = now.hour * 60 + now.minute
        self._scripts.run(
            "count_refusal",
            [
                self._keys.counters(now),
                self._keys.budget_refusals(now),
                self._keys.refused_numbers(now),
            ],
            {
                "budget": budget,
                "number": f"{channel} {number_index}",
                "field": f"{minute} {Series.of(channel, country)} {budget}",
                "short_field": f"{minute} {Series.of(channel)}",
                "most_fields": MOST_FIELDS,
                "keep_ms": duration_ms(KEEP_COUNTERS),
                "keep_hour_ms": duration_ms(_KEEP_HOUR),
            },
        )


def read_refusals(raw: RawClient, keys: Keys, begin_ms: int, end_ms: int) -> list[RefusedNumbers]:
    """What was refused from one moment to another, in minutes that begin there. Fields that cannot
    be read are left out. Raises StoreUnavailable."""
    days = range(begin_ms // _DAY_MS, -(-end_ms // _DAY_MS))
    with raw.pipeline(transaction=False) as pipe:
        for day in days:
            pipe.hgetall(keys.budget_refusals(from_ms(day * _DAY_MS)))
        hashes: Sequence[dict[bytes, bytes]] = pipe.execute()
    return [
        entry
        for day, fields in zip(days, hashes, strict=True)
        for entry in _entries(day, fields)
        if begin_ms <= entry.at_ms < end_ms
    ]


def _entries(day: int, fields: dict[bytes, bytes]) -> Iterator[RefusedNumbers]:
    for field, count in fields.items():
        minute, _, place = field.decode(errors="replace").partition(" ")
        series, _, budget = place.partition(" ")
        if minute.isdecimal() and series and count.isdigit():
            at_ms = day * _DAY_MS + int(minute) * _MINUTE_MS
            yield RefusedNumbers(at_ms, Series(series), budget, int(count))

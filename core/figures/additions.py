"""Computes what entries of the journal add to each packed key: sums by key, slot and column."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.figures.contributions import contributions
from core.figures.journal_entries import JournalEntries, Place
from core.figures.layout import HISTOGRAMS, TIERS, Cube, Tier
from core.figures.packing import (
    COUNTER_KIND,
    ERROR_KIND,
    LEG_KINDS,
    Counts,
    PackedKind,
    bins_of,
)
from core.model.series import Series, carrier_named, country_named

_CUBES = (Cube.CHANNEL, Cube.COUNTRY, Cube.CARRIER)
_MINUTE_MS = Tier.MINUTE.slot_ms
_NO_ERROR = -1

Numbers = NDArray[np.int64]
#: The series that is stored for a series: itself, or that of the others.
Admit = Callable[[Cube, Series], Series]


class PackedKey(NamedTuple):
    """A packed key, without its name in Redis."""

    kind: PackedKind
    tier: Tier
    cube: Cube
    series: Series
    chunk: int

    @property
    def ends_ms(self) -> int:
        return self.tier.expires_ms(self.chunk * self.tier.chunk_ms)


@dataclass(frozen=True, slots=True)
class Additions:
    """What is to be added: to the counters `slot` of the key `counter_key` the row
    `counter_values`, and to the cell `cell` (slot * width + column) of the key `cell_key` the
    number `cell_value`. Both are sorted by key and place; keys are indexes into `keys`.

    `late`: how many entries are too old for a slot of theirs, which is left out. `newest`: of each
    registry the newest request of each series. `places`: the distinct places that have changed.
    """

    keys: list[PackedKey]
    counter_key: Numbers
    counter_slot: Numbers
    counter_values: Counts
    cell_key: Numbers
    cell: Numbers
    cell_value: Numbers
    late: int
    newest: dict[Cube, dict[Series, int]]
    places: set["ChangedPlace"]


class ChangedPlace(NamedTuple):
    """The series of a place as they are stored, and the quarter-hour of the request, from 1970."""

    channel: str
    country: Series
    carrier: Series
    quarter: int


def additions(journal: JournalEntries, now_ms: int, admit: Admit) -> Additions:
    """What these entries add. Slots whose key has ended at `now_ms` are left out."""
    return _Adder(journal, now_ms, admit).additions()


class _Adder:
    def __init__(self, journal: JournalEntries, now_ms: int, admit: Admit) -> None:
        self._entries = journal.entries
        self._place = journal.place
        self._places = journal.places
        self._sign = journal.sign
        self._now_ms = now_ms
        self._names: list[Series] = []
        self._numbers: dict[Series, int] = {}
        self._admit = admit
        self._keys: list[PackedKey] = []
        self._counters: list[tuple[Numbers, Numbers, Counts]] = []
        self._cells: list[tuple[Numbers, Numbers, Numbers]] = []

    def additions(self) -> Additions:
        entries, place = self._entries, self._place
        series = self._series()[place]
        minute = entries["requested"].astype(np.int64) // _MINUTE_MS
        after, legs_after = contributions(entries, entries["after"])
        before, legs_before = contributions(entries, entries["before"])
        was_counted = entries["was_counted"] == 1
        before[~was_counted] = 0

        spots = np.concatenate([series, minute[:, None]], axis=1)
        values = self._sign * (after - before)
        adds = values.any(axis=1)
        # By carrier and minute first: what follows is of fewer rows.
        spots, values = _summed(spots[adds], values[adds])
        for tier in TIERS:
            for number, cube in enumerate(_CUBES):
                self._add_counters(tier, cube, spots[:, number], spots[:, -1], values)
        for leg, ms in legs_after.items():
            is_new = (ms >= 0) & ~(was_counted & (legs_before[leg] >= 0))
            adds |= is_new
            rows = np.concatenate(
                [series[is_new], minute[is_new, None], bins_of(ms[is_new])[:, None]], axis=1
            )
            rows, counts = _summed(rows, np.full(len(rows), self._sign, dtype=np.int64))
            for cube, tier in HISTOGRAMS[leg]:
                named = rows[:, _CUBES.index(cube)]
                self._add_cells(LEG_KINDS[leg], tier, cube, named, rows[:, -2], rows[:, -1], counts)
        moves, *errors = self._add_errors(minute)
        late = (adds | moves) & self._has_ended(minute)
        if self._sign < 0:
            return self._collected(int(late.sum()), {}, self._changed(spots))
        requested = entries["requested"].astype(np.int64)
        newest = {
            cube: self._newest(series[:, number], requested) for number, cube in enumerate(_CUBES)
        }
        newest[Cube.ERROR] = self._newest(*errors)
        # A change of the error alone changes no counter.
        moved = np.concatenate([series[moves], minute[moves, None]], axis=1)
        changed = self._changed(np.concatenate([spots, moved]))
        return self._collected(int(late.sum()), newest, changed)

    def _has_ended(self, minute: Numbers) -> NDArray[np.bool_]:
        """Whether the key of these minutes has ended; those of the other tiers end later."""
        tier = Tier.MINUTE
        ends_ms = (minute * _MINUTE_MS // tier.chunk_ms + 1) * tier.chunk_ms + tier.keep_ms
        has_ended: NDArray[np.bool_] = ends_ms <= self._now_ms
        return has_ended

    def _series(self) -> Numbers:
        """(places, cubes): the series that a place has in each cube."""
        rows = []
        for place in self._places:
            country = country_named(place.country)
            names = (
                Series.of(place.channel),
                Series.of(place.channel, country),
                Series.of(place.channel, country, carrier_named(place.carrier)),
            )
            rows.append([self._number(c, name) for c, name in zip(_CUBES, names, strict=True)])
        return np.array(rows, dtype=np.int64).reshape(-1, len(_CUBES))

    def _number(self, cube: Cube, name: Series) -> int:
        stored = self._admit(cube, name)
        number = self._numbers.setdefault(stored, len(self._names))
        if number == len(self._names):
            self._names.append(stored)
        return number

    def _add_errors(self, minute: Numbers) -> tuple[NDArray[np.bool_], Numbers, Numbers]:
        """Move attempts between errors; returns which moved, the series of the errors that they
        have now, and the moments of their requests."""
        sides = {
            -1: self._errors(lambda p: p.error_before)[self._place],
            1: self._errors(lambda p: p.error_after)[self._place],
        }
        moves = sides[-1][:, 0] != sides[1][:, 0]
        rows, signs = [], []
        for sign, numbers in sides.items():
            has = moves & (numbers[:, 0] != _NO_ERROR)
            for scope in range(numbers.shape[1]):
                rows.append(np.stack([numbers[has, scope], minute[has]], axis=1))
                signs.append(np.full(int(has.sum()), self._sign * sign, dtype=np.int64))
        table, counts = _summed(np.concatenate(rows), np.concatenate(signs))
        zero = np.zeros(len(table), dtype=np.int64)
        for tier in TIERS:
            self._add_cells(ERROR_KIND, tier, Cube.ERROR, table[:, 0], table[:, 1], zero, counts)
        has = sides[1][:, 0] != _NO_ERROR
        ms = self._entries["requested"][has].astype(np.int64)
        return moves, sides[1][has].ravel(), np.repeat(ms, 2)

    def _errors(self, code_of: Callable[[Place], str]) -> Numbers:
        """(places, 2): the series of an error in all countries, and in one; or _NO_ERROR."""
        rows = []
        for place in self._places:
            code = code_of(place)
            countries = ("", country_named(place.country))
            names = [Series.of(place.channel, country, code) for country in countries]
            rows.append([self._number(Cube.ERROR, name) if code else _NO_ERROR for name in names])
        return np.array(rows, dtype=np.int64).reshape(-1, 2)

    def _add_counters(
        self, tier: Tier, cube: Cube, series: Numbers, minute: Numbers, values: Counts
    ) -> None:
        rows, sums = _summed(_slots(tier, series, minute), values)
        self._counters.append((self._key(COUNTER_KIND, tier, cube, rows), rows[:, 2], sums))

    def _add_cells(
        self,
        kind: PackedKind,
        tier: Tier,
        cube: Cube,
        series: Numbers,
        minute: Numbers,
        column: Numbers,
        counts: Numbers,
    ) -> None:
        slots = _slots(tier, series, minute)
        rows, sums = _summed(np.concatenate([slots, column[:, None]], axis=1), counts)
        cells = rows[:, 2] * kind.width + rows[:, 3]
        self._cells.append((self._key(kind, tier, cube, rows), cells, sums))

    def _key(self, kind: PackedKind, tier: Tier, cube: Cube, rows: Numbers) -> Numbers:
        """The number of each row's key; -1 where the key has ended. Rows are sorted."""
        if not len(rows):
            return np.zeros(0, dtype=np.int64)
        begins = _begins(rows[:, :2])
        numbers = []
        for series, chunk in rows[begins, :2].tolist():
            key = PackedKey(kind, tier, cube, self._names[series], chunk)
            if key.ends_ms <= self._now_ms:
                numbers.append(-1)
            else:
                numbers.append(len(self._keys))
                self._keys.append(key)
        return np.repeat(numbers, np.diff([*begins, len(rows)]))

    def _newest(self, series: Numbers, requested: Numbers) -> dict[Series, int]:
        order = np.argsort(requested, kind="stable")
        newest = dict(zip(series[order].tolist(), requested[order].tolist(), strict=True))
        return {self._names[number]: ms for number, ms in newest.items()}

    def _changed(self, spots: Numbers) -> set[ChangedPlace]:
        rows = spots.copy()
        rows[:, -1] //= Tier.QUARTER.slot_ms // _MINUTE_MS
        distinct, _ = _summed(rows, np.zeros(len(rows), dtype=np.int64))
        names = self._names
        return {
            ChangedPlace(names[channel], names[country], names[carrier], quarter)
            for channel, country, carrier, quarter in distinct.tolist()
        }

    def _collected(
        self, late: int, newest: dict[Cube, dict[Series, int]], places: set[ChangedPlace]
    ) -> Additions:
        keys, slots, values = (np.concatenate(part) for part in zip(*self._counters, strict=True))
        cell_keys, cells, counts = (np.concatenate(part) for part in zip(*self._cells, strict=True))
        kept, kept_cells = keys >= 0, (cell_keys >= 0) & (counts != 0)
        return Additions(
            self._keys,
            keys[kept],
            slots[kept],
            values[kept],
            cell_keys[kept_cells],
            cells[kept_cells],
            counts[kept_cells],
            late,
            newest,
            places,
        )


def _slots(tier: Tier, series: Numbers, minute: Numbers) -> Numbers:
    """(rows, 3): series, number of the key, and slot."""
    ms = minute * _MINUTE_MS
    return np.stack([series, ms // tier.chunk_ms, ms % tier.chunk_ms // tier.slot_ms], axis=1)


def _summed(rows: Numbers, values: Counts) -> tuple[Numbers, Counts]:
    """The distinct rows, sorted, and the sums of their values."""
    if not len(rows):
        return rows, values
    order = np.lexsort(rows.T[::-1])
    rows, values = rows[order], values[order]
    begins = _begins(rows)
    return rows[begins], np.add.reduceat(values, begins, axis=0)


def _begins(rows: Numbers) -> NDArray[np.intp]:
    """Where a new row begins in sorted rows."""
    changes = (rows[1:] != rows[:-1]).any(axis=1)
    return np.flatnonzero(np.concatenate([[True], changes]))

"""Keeps a copy of figures in the process, and reads again only what folds have changed.

A copy of a slot is valid until a fold changes its place: `fold.lua` lists the places of the newest
folds, and `refresh` reads what came since the last one. Figures change by folds only. The copy is
emptied by a reset, which begins a new epoch, and by a failover that lost the last fold it has seen.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from threading import RLock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.figures.additions import ChangedPlace
from core.figures.changes import FigureChanges
from core.figures.layout import Cube, Tier
from core.figures.packed_reader import PackedReader, SlotRange
from core.figures.packing import PackedKind
from core.figures.series_index import SeriesIndex
from core.model.series import OTHERS, Series
from core.store.client import RawClient
from core.store.keys import Keys

#: Enough for 60 days of 10,000 series. Only what has been read takes memory.
_MOST_BYTES = 512 << 20
_NO_PLACE = -1
_NO_ROWS: tuple[Cube | None, Sequence[Series], NDArray[np.intp]] = (
    None,
    (),
    np.zeros(0, dtype=np.intp),
)


class _BlockKey(NamedTuple):
    kind: str
    tier: Tier
    cube: Cube
    chunk: int


class _Block:
    """The copies of one key of some series of a cube: (slots, places, width), a place for each
    series that has been read. So a sum over slots adds whole planes, and neither the slots nor the
    series that are never read take memory. A row is the number of a series in its cube."""

    def __init__(self, kind: PackedKind, tier: Tier) -> None:
        # Sums need 64 bits.
        self._dtype = np.int64 if kind.counters < kind.width else np.uint32
        self._slots, self._width = tier.slots, kind.width
        self._values: NDArray[Any] = np.zeros((self._slots, 0, self._width), self._dtype)
        self._is_valid = np.zeros((self._slots, 0), dtype=np.bool_)
        #: The place of each row, _NO_PLACE for those without, and the number of places.
        self._place_of: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self._places = 0
        #: None after a change: few blocks change between two loads, and counting is slow.
        self._used_slots: int | None = 0

    @property
    def used_bytes(self) -> int:
        if self._used_slots is None:
            self._used_slots = int(self._is_valid.sum())
        return self._used_slots * self._width * self._values.itemsize

    def is_valid(self, rows: NDArray[np.intp], within: slice) -> NDArray[np.bool_]:
        """(slots, rows): which slots of some rows are valid copies."""
        places = self._places_of(rows)
        return self._is_valid[within, places]

    def read(self, rows: NDArray[np.intp], within: slice) -> NDArray[Any]:
        """(slots, rows, width); a view where possible."""
        places = self._places_of(rows)
        return self._values[within, places]

    def write(self, rows: NDArray[np.intp], within: slice, slots: NDArray[Any]) -> None:
        """Keep these slots of some rows: (rows, slots, width)."""
        places = self._places_of(rows)
        self._values[within, places] = slots.swapaxes(0, 1)
        self._is_valid[within, places] = True
        self._used_slots = None

    def forget(self, rows: NDArray[np.intp], within: slice) -> None:
        """The slots of some rows, as far as they have been read, must be read again."""
        places = self._place_of[rows[rows < len(self._place_of)]]
        self._is_valid[within, places[places != _NO_PLACE]] = False
        self._used_slots = None

    def _places_of(self, rows: NDArray[np.intp]) -> slice | NDArray[np.intp]:
        """The places of some rows, a slice where they are consecutive: numpy is faster with it."""
        known = len(self._place_of)
        most = int(rows.max()) + 1
        if most > known:
            more = np.full(max(most, 2 * known) - known, _NO_PLACE, dtype=np.intp)
            self._place_of = np.concatenate([self._place_of, more])
        places = self._place_of[rows]
        if (places == _NO_PLACE).any():
            new = rows[places == _NO_PLACE]
            self._place_of[new] = np.arange(self._places, self._places + len(new))
            self._places += len(new)
            self._grow()
            places = self._place_of[rows]
        first = int(places[0])
        if (np.diff(places) == 1).all():
            return slice(first, first + len(places))
        return places

    def _grow(self) -> None:
        """Make room for all places. Pages of zeros that are never written take no memory."""
        had = self._values.shape[1]
        if self._places <= had:
            return
        size = max(2 * had, self._places)
        values = np.zeros((self._slots, size, self._width), self._dtype)
        is_valid = np.zeros((self._slots, size), dtype=np.bool_)
        for slot in np.flatnonzero(self._is_valid.any(axis=1)).tolist():
            values[slot, :had] = self._values[slot]
        is_valid[:, :had] = self._is_valid
        self._values, self._is_valid = values, is_valid


class FigureCopy:
    """The copy of one process. Every method may be called in any thread, and those that read raise
    StoreUnavailable. A caller holds `lock` from `refresh` until it has used the slots."""

    def __init__(self, raw: RawClient, keys: Keys) -> None:
        self.lock = RLock()
        self._changes = FigureChanges(raw, keys)
        self._reader = PackedReader(raw, keys)
        self._blocks: OrderedDict[_BlockKey, _Block] = OrderedDict()
        self._rows: defaultdict[Cube, dict[Series, int]] = defaultdict(dict)
        #: Rows of errors by channel and country.
        self._error_rows: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self._last_rows = _NO_ROWS
        self._indexes: dict[Cube, SeriesIndex] = {}
        #: The cubes whose index is up to date.
        self._indexed: set[Cube] = set()

    def refresh(self) -> None:
        """Forget what folds have changed since the last refresh."""
        changed = self._changes.read()
        if changed is None:
            self._clear()
        elif changed:
            self._indexed.clear()
            self._forget(changed)

    def index(self, cube: Cube) -> SeriesIndex | None:
        """The registered series of a cube; None if the registry must be read."""
        return self._indexes[cube] if cube in self._indexed else None

    def keep_registry(self, cube: Cube, newest: Mapping[str, float]) -> SeriesIndex:
        """Keep the newest request of each registered series of a cube."""
        index = self._indexes.get(cube)
        if index is None or not index.renew(newest):
            index = self._indexes[cube] = SeriesIndex(newest)
        self._indexed.add(cube)
        return index

    def load(self, ranges: Sequence[SlotRange]) -> None:
        """Read those slots of the ranges that the copy lacks."""
        missing = [part for whole in ranges for part in self._missing(whole)]
        for part, rows, slots in self._reader.read(missing):
            block = self._block(part)
            # By the list of all names, which is looked up once for all of its blocks.
            rows_of_block = self._rows_of(part.cube, part.names)[rows]
            within = slice(part.first, part.first + part.slots)
            block.write(rows_of_block, within, slots)
        if missing:
            self._evict(but=len(ranges))

    def slots(self, part: SlotRange) -> NDArray[Any]:
        """(slots, series, width) of loaded slots; a view where possible, so not to be changed."""
        rows = self._rows_of(part.cube, part.names)
        return self._block(part).read(rows, slice(part.first, part.first + part.slots))

    def _missing(self, part: SlotRange) -> Iterator[SlotRange]:
        """Ranges that hold all slots that are missing; series with the same ones share a range."""
        rows = self._rows_of(part.cube, part.names)
        within = slice(part.first, part.first + part.slots)
        is_valid = self._block(part).is_valid(rows, within)
        if is_valid.all():
            return
        is_missing = ~is_valid
        first = is_missing.argmax(axis=0)
        last = part.slots - 1 - is_missing[::-1].argmax(axis=0)
        groups: defaultdict[tuple[int, int], list[Series]] = defaultdict(list)
        for row in np.flatnonzero(is_missing.any(axis=0)).tolist():
            groups[int(first[row]), int(last[row])].append(part.names[row])
        for (begin, end), names in groups.items():
            yield SlotRange(
                part.kind,
                part.tier,
                part.cube,
                names,
                part.chunk,
                part.first + begin,
                end + 1 - begin,
            )

    def _block(self, part: SlotRange) -> _Block:
        key = _BlockKey(part.kind.name, part.tier, part.cube, part.chunk)
        block = self._blocks.get(key)
        if block is None:
            block = self._blocks[key] = _Block(part.kind, part.tier)
        self._blocks.move_to_end(key)
        return block

    def _rows_of(self, cube: Cube, names: Sequence[Series]) -> NDArray[np.intp]:
        """The rows of some series, of which there is at least one. A query uses one list of names
        for all of its ranges."""
        last_cube, last_names, last_rows = self._last_rows
        if last_names is names and last_cube is cube:
            return last_rows
        rows = self._rows[cube]
        for name in names:
            if name not in rows:
                if cube is Cube.ERROR:
                    self._error_rows[name.channel, name.country].append(len(rows))
                rows[name] = len(rows)
        selected = np.fromiter((rows[name] for name in names), dtype=np.intp, count=len(names))
        self._last_rows = cube, names, selected
        return selected

    def _forget(self, places: Sequence[ChangedPlace]) -> None:
        by_quarter: defaultdict[int, list[ChangedPlace]] = defaultdict(list)
        for place in places:
            by_quarter[place.quarter].append(place)
        for quarter, changed in by_quarter.items():
            begin_ms = quarter * Tier.QUARTER.slot_ms
            rows = {cube: self._changed_rows(cube, changed) for cube in Cube}
            for key, block in self._blocks.items():
                tier = key.tier
                if key.chunk == tier.chunk_of(begin_ms):
                    slot = tier.slot_of(begin_ms)
                    slots = slice(slot, slot + max(1, Tier.QUARTER.slot_ms // tier.slot_ms))
                    block.forget(rows[key.cube], slots)

    def _changed_rows(self, cube: Cube, places: Sequence[ChangedPlace]) -> NDArray[np.intp]:
        rows = self._rows[cube]
        match cube:
            case Cube.CHANNEL:
                changed = {rows.get(Series(place.channel)) for place in places}
            case Cube.COUNTRY:
                changed = {rows.get(place.country) for place in places}
            case Cube.CARRIER:
                changed = {rows.get(place.carrier) for place in places}
            case Cube.ERROR:
                changed = {row for place in places for row in self._rows_of_errors(place)}
        return np.array([row for row in changed if row is not None], dtype=np.intp)

    def _rows_of_errors(self, place: ChangedPlace) -> list[int]:
        channel, country = place.channel, place.country.country
        if country == OTHERS:
            return [
                row
                for (name, _), rows in self._error_rows.items()
                if name == channel
                for row in rows
            ]
        return self._error_rows[channel, ""] + self._error_rows[channel, country]

    def _clear(self) -> None:
        self._blocks.clear()
        self._rows.clear()
        self._error_rows.clear()
        self._indexes.clear()
        self._indexed.clear()
        self._last_rows = _NO_ROWS

    def _evict(self, *, but: int) -> None:
        """Forget the blocks that were used least recently, but not the newest `but`."""
        used = sum(block.used_bytes for block in self._blocks.values())
        while used > _MOST_BYTES and len(self._blocks) > but:
            _, block = self._blocks.popitem(last=False)
            used -= block.used_bytes

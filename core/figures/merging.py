"""Merges additions into packed keys: what to read of each key, and what to write.

A fold alone writes figures, and only if no other fold has written since it read. So it may compute
the new bytes itself, and choose the form of a key.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.figures.additions import Additions
from core.figures.packing import (
    COUNTER_KIND,
    FULL,
    INEXACT,
    Counts,
    sparse_entries,
)

#: What `read_figures.lua` returns for a key: the parts of a dense key, or the whole value.
Stored = list[bytes] | bytes
_CELL_BYTES = 4
#: Additions to a dense key that are closer than this are read and written together.
_CLOSE_BYTES = 640
_COUNTER_BYTES = COUNTER_KIND.slot.itemsize
#: A sparse cell has a place of 16 bits.
_KEY_SHIFT = 16


@dataclass(frozen=True, slots=True)
class KeyWrite:
    """What to write to a key: the whole value (`size` 0), or parts of a dense key of `size` bytes,
    each from the byte in `begins`."""

    size: int
    begins: list[int]
    parts: list[bytes]


@dataclass(frozen=True, slots=True)
class _Ranges:
    """Parts of keys, as if every key were dense, in units of `unit_bytes`: slots of counters, or
    cells. `key`, first unit and number of units of each part; `rows`: the part of each addition,
    and `at`: the place of the addition in it."""

    unit_bytes: int
    key: NDArray[np.int64]
    begin: NDArray[np.int64]
    length: NDArray[np.int64]
    rows: NDArray[np.intp]
    at: NDArray[np.int64]

    @classmethod
    def of(cls, key: NDArray[np.int64], unit: NDArray[np.int64], unit_bytes: int) -> "_Ranges":
        """The parts that hold these units, which are sorted by key. Units that are close share a
        part: the bytes between them cost less than another command."""
        if not len(key):
            empty = np.zeros(0, dtype=np.int64)
            return cls(unit_bytes, empty, empty, empty, empty.astype(np.intp), empty)
        is_far = (unit[1:] - unit[:-1]) * unit_bytes > _CLOSE_BYTES
        begins = np.concatenate([[True], (key[1:] != key[:-1]) | is_far])
        first = np.flatnonzero(begins)
        last = np.concatenate([first[1:], [len(unit)]]) - 1
        rows = np.cumsum(begins) - 1
        return cls(
            unit_bytes,
            key[first],
            unit[first],
            unit[last] + 1 - unit[first],
            rows,
            unit - unit[first][rows],
        )

    def of_keys(self, is_dense: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Which parts are of dense keys; and the first unit of each of them in their joined bytes
        (0 for the others)."""
        dense = is_dense[self.key]
        at = np.zeros(len(self.key), dtype=np.int64)
        lengths = self.length[dense]
        at[dense] = np.cumsum(lengths) - lengths
        return dense, at


class Merge:
    """The additions of one fold. First `parts` says what to read, then `writes` what to write."""

    def __init__(self, additions: Additions) -> None:
        self._additions = additions
        a = additions
        self._counter_ranges = _Ranges.of(a.counter_key, a.counter_slot, _COUNTER_BYTES)
        self._cell_ranges = _Ranges.of(a.cell_key, a.cell, _CELL_BYTES)
        #: How many values were full, or would have gone below zero, and stayed as they were.
        self.overflow = 0

    def parts(self) -> list[list[int]]:
        """Of each key the first and last byte of its parts, one after the other."""
        parts: list[list[int]] = [[] for _ in self._additions.keys]
        for ranges in (self._counter_ranges, self._cell_ranges):
            begins = ranges.begin * ranges.unit_bytes
            ends = begins + ranges.length * ranges.unit_bytes - 1
            for key, begin, end in zip(
                ranges.key.tolist(), begins.tolist(), ends.tolist(), strict=True
            ):
                parts[key] += (begin, end)
        return parts

    def writes(self, stored: Sequence[Stored]) -> dict[int, KeyWrite]:
        """What to write, by key; `stored` is what was read of each key."""
        is_dense = np.array([isinstance(value, list) for value in stored], dtype=np.bool_)
        writes: dict[int, KeyWrite] = {}
        for ranges, merged in (
            (self._counter_ranges, self._merged_counters(stored, is_dense)),
            (self._cell_ranges, self._merged_cells(stored, is_dense)),
        ):
            self._add_parts(writes, ranges, is_dense, merged)
        self._add_sparse(writes, stored, is_dense)
        return writes

    def _merged_counters(self, stored: Sequence[Stored], is_dense: NDArray[np.bool_]) -> bytes:
        """The new bytes of the parts of all dense keys that hold counters."""
        a, ranges = self._additions, self._counter_ranges
        dense, at = ranges.of_keys(is_dense)
        old = COUNTER_KIND.slots_of(_joined(stored, ranges.key[dense]))
        rows = is_dense[a.counter_key]
        new = old.copy()
        new[at[ranges.rows[rows]] + ranges.at[rows]] += a.counter_values[rows]
        return COUNTER_KIND.bytes_of(self._within_bounds(old, new, COUNTER_KIND.counters))

    def _merged_cells(self, stored: Sequence[Stored], is_dense: NDArray[np.bool_]) -> bytes:
        """The same of the other kinds."""
        a, ranges = self._additions, self._cell_ranges
        dense, at = ranges.of_keys(is_dense)
        old = np.frombuffer(_joined(stored, ranges.key[dense]), dtype=">u4").astype(np.int64)
        rows = is_dense[a.cell_key]
        new = old.copy()
        new[at[ranges.rows[rows]] + ranges.at[rows]] += a.cell_value[rows]
        return self._within_bounds(old, new, None).astype(">u4").tobytes()

    def _add_parts(
        self,
        writes: dict[int, KeyWrite],
        ranges: _Ranges,
        is_dense: NDArray[np.bool_],
        merged: bytes,
    ) -> None:
        rows, _ = ranges.of_keys(is_dense)
        begins = ranges.begin[rows] * ranges.unit_bytes
        lengths = ranges.length[rows] * ranges.unit_bytes
        at = 0
        for number, begin, length in zip(
            ranges.key[rows].tolist(), begins.tolist(), lengths.tolist(), strict=True
        ):
            write = writes.get(number)
            if write is None:
                key = self._additions.keys[number]
                write = writes[number] = KeyWrite(key.kind.dense_bytes(key.tier), [], [])
            write.begins.append(begin)
            write.parts.append(merged[at : at + length])
            at += length

    def _add_sparse(
        self,
        writes: dict[int, KeyWrite],
        stored: Sequence[Stored],
        is_dense: NDArray[np.bool_],
    ) -> None:
        a = self._additions
        added_counters = ~is_dense[a.counter_key]
        row, column = np.nonzero(a.counter_values[added_counters])
        added_cells = ~is_dense[a.cell_key]
        keys = np.concatenate([a.counter_key[added_counters][row], a.cell_key[added_cells]])
        cells = np.concatenate(
            [a.counter_slot[added_counters][row] * COUNTER_KIND.width + column, a.cell[added_cells]]
        )
        values = np.concatenate(
            [a.counter_values[added_counters][row, column], a.cell_value[added_cells]]
        )
        touched = np.unique(keys)
        old_row, old = sparse_entries([bytes(stored[key]) for key in touched.tolist()])
        code = np.concatenate(
            [
                (touched[old_row] << _KEY_SHIFT) + old["cell"].astype(np.int64),
                (keys << _KEY_SHIFT) + cells,
            ]
        )
        old_value = old["value"].astype(np.int64)
        codes, place = np.unique(code, return_inverse=True)
        before = np.zeros(len(codes), dtype=np.int64)
        before[place[: len(old)]] = old_value
        after = before.copy()
        np.add.at(after, place[len(old) :], values)
        key, cell = codes >> _KEY_SHIFT, codes & ((1 << _KEY_SHIFT) - 1)
        is_sum = self._is_sum(key, cell)
        fits = np.where(is_sum, np.abs(after) <= INEXACT, (after >= 0) & (after <= FULL))
        self.overflow += int((~fits).sum())
        after = np.where(fits, after, before)
        begins = np.searchsorted(key, touched)
        ends = np.searchsorted(key, touched, side="right")
        for number, begin, end in zip(
            touched.tolist(), begins.tolist(), ends.tolist(), strict=True
        ):
            packed_key = a.keys[number]
            cells, values = cell[begin:end], after[begin:end]
            kept = values != 0
            packed = packed_key.kind.encode_cells(cells[kept], values[kept], packed_key.tier)
            writes[number] = KeyWrite(0, [], [packed])

    def _is_sum(self, key: NDArray[np.int64], cell: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether a cell is a sum, of 64 bits and signed."""
        kinds = [packed.kind for packed in self._additions.keys]
        width = np.array([kind.width for kind in kinds], dtype=np.int64)[key]
        counters = np.array([kind.counters for kind in kinds], dtype=np.int64)[key]
        is_sum: NDArray[np.bool_] = cell % np.maximum(width, 1) >= counters
        return is_sum

    def _within_bounds(self, old: Counts, new: Counts, counters: int | None) -> Counts:
        """`new`, or `old` where a counter would leave its 32 bits or a sum would be inexact. Such
        values are counted in `overflow`, so that the loss is reported."""
        fits = (new >= 0) & (new <= FULL)
        if counters is not None:
            fits[:, counters:] = np.abs(new[:, counters:]) <= INEXACT
        self.overflow += int((~fits).sum())
        return np.where(fits, new, old)


def _joined(stored: Sequence[Stored], keys: NDArray[np.int64]) -> bytes:
    """The bytes of all parts that were read of these keys; `keys` names a key once a part."""
    distinct = dict.fromkeys(keys.tolist())
    return b"".join([part for key in distinct for part in stored[key]])

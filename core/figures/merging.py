"""Merges additions into packed keys: what to read of each key, and what to write.

A fold alone writes figures, and only if no other fold has written since it read. So it may compute
the new bytes itself, and choose the form of a key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.figures.additions import Additions, PackedKey
from core.figures.packing import (
    COUNTER_KIND,
    FULL,
    INEXACT,
    SPARSE,
    Counts,
    encode_sparse,
    sparse_entries,
)

#: What `read_figures.lua` returns for a key: the parts of a dense key, or the whole value.
Stored = list[bytes] | bytes
_CELL_BYTES = 4
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
    """Parts of keys, as if every key were dense: `key`, first byte and number of bytes of each, and
    the rows of the additions from which each part begins."""

    key: NDArray[np.int64]
    begin: NDArray[np.int64]
    length: NDArray[np.int64]
    rows: NDArray[np.intp]


class Merge:
    """The additions of one fold. First `parts` says what to read, then `writes` what to write."""

    def __init__(self, additions: Additions) -> None:
        self._additions = additions
        a = additions
        counters = len(a.counter_key)
        self._counter_ranges = _Ranges(
            a.counter_key,
            a.counter_slot * _COUNTER_BYTES,
            np.full(counters, _COUNTER_BYTES),
            np.arange(counters),
        )
        self._cell_ranges = self._ranges_of_cells()
        #: How many values were full, or would have gone below zero, and stayed as they were.
        self.overflow = 0

    def _ranges_of_cells(self) -> _Ranges:
        """One range for the cells of a slot, from the first to the last."""
        a = self._additions
        width = np.array([key.kind.width for key in a.keys], dtype=np.int64)[a.cell_key]
        slot = a.cell // np.maximum(width, 1)
        changes = (a.cell_key[1:] != a.cell_key[:-1]) | (slot[1:] != slot[:-1])
        rows = np.flatnonzero(np.concatenate([[True], changes])) if len(slot) else slot
        last = np.concatenate([rows[1:], [len(slot)]]) - 1 if len(slot) else rows
        begin = a.cell[rows] * _CELL_BYTES
        return _Ranges(
            a.cell_key[rows], begin, (a.cell[last] + 1) * _CELL_BYTES - begin, rows.astype(np.intp)
        )

    def parts(self) -> list[list[int]]:
        """Of each key the first and last byte of its parts, one after the other."""
        parts: list[list[int]] = [[] for _ in self._additions.keys]
        for ranges in (self._counter_ranges, self._cell_ranges):
            ends = ranges.begin + ranges.length - 1
            for key, begin, end in zip(
                ranges.key.tolist(), ranges.begin.tolist(), ends.tolist(), strict=True
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

    def _merged_counters(
        self, stored: Sequence[Stored], is_dense: NDArray[np.bool_]
    ) -> tuple[bytes, Counts]:
        """The new bytes of the counters of all dense keys, and the number of bytes of each part."""
        a = self._additions
        rows = is_dense[a.counter_key]
        old = COUNTER_KIND.slots_of(_joined(stored, a.counter_key[rows]))
        new = self._within_bounds(old, old + a.counter_values[rows], COUNTER_KIND.counters)
        return COUNTER_KIND.bytes_of(new), self._counter_ranges.length[rows]

    def _merged_cells(
        self, stored: Sequence[Stored], is_dense: NDArray[np.bool_]
    ) -> tuple[bytes, Counts]:
        """The same of the cells."""
        a, ranges = self._additions, self._cell_ranges
        dense_ranges = is_dense[ranges.key]
        lengths = ranges.length[dense_ranges]
        old = np.frombuffer(_joined(stored, ranges.key[dense_ranges]), dtype=">u4").astype(np.int64)
        # The place of each added cell in the joined parts.
        rows_per_range = np.diff(np.concatenate([ranges.rows, [len(a.cell)]]))
        range_of_row = np.repeat(np.arange(len(ranges.key)), rows_per_range)
        at = np.zeros(len(ranges.key), dtype=np.int64)
        at[dense_ranges] = np.cumsum(lengths) - lengths
        rows = is_dense[a.cell_key]
        of = range_of_row[rows]
        place = at[of] // _CELL_BYTES + a.cell[rows] - ranges.begin[of] // _CELL_BYTES
        new = old.copy()
        new[place] += a.cell_value[rows]
        return self._within_bounds(old, new, None).astype(">u4").tobytes(), lengths

    def _add_parts(
        self,
        writes: dict[int, KeyWrite],
        ranges: _Ranges,
        is_dense: NDArray[np.bool_],
        merged: tuple[bytes, Counts],
    ) -> None:
        new, lengths = merged
        rows = is_dense[ranges.key]
        at = 0
        for number, begin, length in zip(
            ranges.key[rows].tolist(), ranges.begin[rows].tolist(), lengths.tolist(), strict=True
        ):
            write = writes.get(number)
            if write is None:
                key = self._additions.keys[number]
                write = writes[number] = KeyWrite(key.kind.dense_bytes(key.tier), [], [])
            write.begins.append(begin)
            write.parts.append(new[at : at + length])
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
            packed = _packed(a.keys[number], cell[begin:end], after[begin:end])
            writes[number] = KeyWrite(0, [], [packed])

    def _is_sum(self, key: NDArray[np.int64], cell: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether a cell is a sum, of 64 bits and signed."""
        kinds = [packed.kind for packed in self._additions.keys]
        width = np.array([kind.width for kind in kinds], dtype=np.int64)[key]
        counters = np.array([kind.counters for kind in kinds], dtype=np.int64)[key]
        is_sum: NDArray[np.bool_] = cell % np.maximum(width, 1) >= counters
        return is_sum

    def _within_bounds(self, old: Counts, new: Counts, counters: int | None) -> Counts:
        """`new`, or `old` where a counter would leave its 32 bits, or a sum be inexact: to wrap
        around would be wrong, and to stop at the top would be wrong silently."""
        fits = (new >= 0) & (new <= FULL)
        if counters is not None:
            fits[:, counters:] = np.abs(new[:, counters:]) <= INEXACT
        self.overflow += int((~fits).sum())
        return np.where(fits, new, old)


def _joined(stored: Sequence[Stored], keys: NDArray[np.int64]) -> bytes:
    """The bytes of all parts that were read of these keys; `keys` names a key once a part."""
    distinct = dict.fromkeys(keys.tolist())
    return b"".join([part for key in distinct for part in stored[key]])


def _packed(key: PackedKey, cells: NDArray[Any], values: Counts) -> bytes:
    """The whole value of a key, in the form that fits."""
    kept = values != 0
    cells, values = cells[kept], values[kept]
    kind, tier = key.kind, key.tier
    limit = kind.sparse_limit(tier)
    if len(cells) * SPARSE.itemsize <= limit and ((values >= 0) & (values <= FULL)).all():
        return encode_sparse(cells, values)
    dense = np.zeros(tier.slots * kind.width, dtype=np.int64)
    dense[cells] = values
    return kind.bytes_of(dense.reshape(-1, kind.width))

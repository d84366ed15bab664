"""Packs and unpacks slots, and the bounds of the bins, as `layout` describes them.

Apart from `layout`, because it loads numpy: a process that only applies events does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.figures.catalogue import COLUMNS, COUNTS, SUMS, FigureWidth, Leg
from core.figures.layout import BIN_OF_1_SECOND, BINS, Tier, sparse_limit

Counts = NDArray[np.int64]

#: One slot of each kind, dense.
COUNTER_SLOT = np.dtype(
    [
        ("counters", f">u{FigureWidth.COUNT}", (len(COUNTS),)),
        ("sums", f">i{FigureWidth.SUM}", (len(SUMS),)),
    ]
)
HISTOGRAM_SLOT = np.dtype((">u4", (BINS,)))
ERROR_SLOT = np.dtype((">u4", (1,)))
#: One value of a sparse key. `cell` is slot * width + column.
SPARSE = np.dtype([("cell", "<u2"), ("value", "<u4")])
#: What a value may become: a counter has 32 bits; a sum is exact in JSON and in doubles up to this.
FULL, INEXACT = 2**32 - 1, 2**53


@dataclass(frozen=True, slots=True)
class PackedKind:
    """What a key holds: counters "c", errors "e", or a leg. `width`: values of a slot; `counters`:
    how many of them are unsigned and of 32 bits, the others are sums."""

    name: str
    width: int
    counters: int
    slot: np.dtype[Any]

    def dense_bytes(self, tier: Tier) -> int:
        return tier.slots * self.slot.itemsize

    def sparse_limit(self, tier: Tier) -> int:
        return sparse_limit(self.dense_bytes(tier))

    def slots_of(self, packed: bytes) -> Counts:
        """(slots, width) of the bytes of dense slots."""
        slots = np.frombuffer(packed, dtype=self.slot)
        if self.counters == self.width:
            return slots.astype(np.int64)
        return np.concatenate([slots["counters"], slots["sums"]], axis=1, dtype=np.int64)

    def bytes_of(self, values: Counts) -> bytes:
        """The reverse of `slots_of`."""
        slots = np.zeros(len(values), dtype=self.slot)
        if self.counters == self.width:
            slots[:] = values
        else:
            slots["counters"] = values[:, : self.counters]
            slots["sums"] = values[:, self.counters :]
        return slots.tobytes()

    def decode(self, packed: bytes | None, tier: Tier) -> Counts:
        """(slots, width) of a key in either form, zeros where there is none."""
        if packed and len(packed) == self.dense_bytes(tier):
            return self.slots_of(packed)
        return decode_sparse([packed or b""], tier.slots * self.width).reshape(-1, self.width)

    def encode(self, values: Counts, tier: Tier) -> bytes:
        """The reverse of `decode`."""
        cells = np.flatnonzero(values)
        return self.encode_cells(cells, values.ravel()[cells], tier)

    def encode_cells(self, cells: NDArray[Any], values: Counts, tier: Tier) -> bytes:
        """A key with these values, which are not zero, in the form that fits. A cell is slot *
        width + column."""
        is_small = len(cells) * SPARSE.itemsize <= self.sparse_limit(tier)
        if is_small and ((values >= 0) & (values <= FULL)).all():
            return encode_sparse(cells, values)
        dense = np.zeros(tier.slots * self.width, dtype=np.int64)
        dense[cells] = values
        return self.bytes_of(dense.reshape(-1, self.width))


COUNTER_KIND = PackedKind("c", len(COLUMNS), len(COUNTS), COUNTER_SLOT)
ERROR_KIND = PackedKind("e", 1, 1, ERROR_SLOT)
LEG_KINDS = {leg: PackedKind(leg, BINS, BINS, HISTOGRAM_SLOT) for leg in Leg}


def encode_sparse(cells: NDArray[Any], values: NDArray[Any]) -> bytes:
    entries = np.empty(len(cells), dtype=SPARSE)
    entries["cell"], entries["value"] = cells, values
    return entries.tobytes()


def decode_sparse(packed: Sequence[bytes], cells: int) -> Counts:
    """(keys, cells) of sparse keys; incomplete entries and cells out of range are left out."""
    rows, entries = sparse_entries(packed)
    values = np.zeros((len(packed), cells), dtype=np.int64)
    inside = entries["cell"] < cells
    values[rows[inside], entries["cell"][inside]] = entries["value"][inside]
    return values


def sparse_entries(packed: Sequence[bytes]) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """All entries of sparse keys, and the key of each."""
    size = SPARSE.itemsize
    lengths = [len(part) // size for part in packed]
    whole = b"".join(part[: n * size] for part, n in zip(packed, lengths, strict=True))
    return np.repeat(np.arange(len(packed)), lengths), np.frombuffer(whole, dtype=SPARSE)


def bins_of(ms: NDArray[Any]) -> NDArray[np.int64]:
    """The bin of each duration: bin 0 takes all up to 34 ms."""
    # The margin keeps a whole power of two in the bin whose bound it is; no other whole number of
    # milliseconds comes as close to a bound.
    numbers = np.ceil(8 * np.log2(np.maximum(ms, 1) / 1000) - 1e-9) + BIN_OF_1_SECOND
    bins: NDArray[np.int64] = np.clip(numbers, 0, BINS - 1).astype(np.int64)
    return bins


#: Upper bounds and geometric middles of the bins, in ms.
UPPER_MS = np.exp2((np.arange(BINS) - BIN_OF_1_SECOND) / 8) * 1000
MIDDLE_MS = UPPER_MS / 2 ** (1 / 16)

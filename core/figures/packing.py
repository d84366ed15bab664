"""Packs and unpacks slots, and the bounds of the bins, as `layout` describes them.

Apart from `layout`, because it loads numpy: a process that only books attempts does not.
"""

import numpy as np
from numpy.typing import NDArray

from core.figures.catalogue import COLUMNS, COUNTERS, SUMS, Width
from core.figures.layout import BIN_OF_1_SECOND, BINS, ERROR_SLOT_BYTES, HISTOGRAM_SLOT_BYTES, Tier

#: One slot of each kind.
COUNTER_SLOT = np.dtype(
    [
        ("counters", f">u{Width.COUNT}", (len(COUNTERS),)),
        ("sums", f">i{Width.SUM}", (len(SUMS),)),
    ]
)
COUNTER_SLOT_BYTES = COUNTER_SLOT.itemsize
HISTOGRAM_SLOT = np.dtype((">u4", (BINS,)))
ERROR_SLOT = np.dtype(">u4")

Counts = NDArray[np.int64]


def bin_of(ms: int) -> int:
    """The bin of a duration: 0 takes all up to 32 ms, 127 all above 32 minutes."""
    if ms <= 0:
        return 0
    # The margin keeps a whole power of two in the bin whose bound it is; no other whole number of
    # milliseconds comes as close to a bound.
    bin_number = int(np.ceil(8 * np.log2(ms / 1000) - 1e-9)) + BIN_OF_1_SECOND
    return min(max(bin_number, 0), BINS - 1)


#: Upper bounds and geometric middles of the bins, in ms.
UPPER_MS = np.exp2((np.arange(BINS) - BIN_OF_1_SECOND) / 8) * 1000
MIDDLE_MS = UPPER_MS / 2 ** (1 / 16)


def decode_counters(packed: bytes | None, tier: Tier) -> Counts:
    """(slots, COLUMNS). Bytes that are missing count as zero; so does a missing key (None)."""
    if packed is None:
        return np.zeros((tier.slots, len(COLUMNS)), dtype=np.int64)
    slots = np.frombuffer(_padded(packed, tier.slots * COUNTER_SLOT_BYTES), dtype=COUNTER_SLOT)
    return np.concatenate([slots["counters"], slots["sums"]], axis=1, dtype=np.int64)


def encode_counters(values: Counts, tier: Tier) -> bytes:
    """The reverse of `decode_counters`."""
    slots = np.zeros(tier.slots, dtype=COUNTER_SLOT)
    slots["counters"] = values[:, : len(COUNTERS)]
    slots["sums"] = values[:, len(COUNTERS) :]
    return slots.tobytes()


def decode_histogram(packed: bytes | None, tier: Tier) -> Counts:
    """(slots, bins)."""
    if packed is None:
        return np.zeros((tier.slots, BINS), dtype=np.int64)
    padded = _padded(packed, tier.slots * HISTOGRAM_SLOT_BYTES)
    return np.frombuffer(padded, dtype=">u4").reshape(tier.slots, BINS).astype(np.int64)


def encode_histogram(values: Counts, tier: Tier) -> bytes:
    """The reverse of `decode_histogram`."""
    return values.reshape(tier.slots, BINS).astype(">u4").tobytes()


def decode_errors(packed: bytes | None, tier: Tier) -> Counts:
    """(slots,)."""
    if packed is None:
        return np.zeros(tier.slots, dtype=np.int64)
    padded = _padded(packed, tier.slots * ERROR_SLOT_BYTES)
    return np.frombuffer(padded, dtype=">u4").astype(np.int64)


def encode_errors(values: Counts, tier: Tier) -> bytes:
    """The reverse of `decode_errors`."""
    return values.reshape(tier.slots).astype(">u4").tobytes()


def _padded(packed: bytes, size: int) -> bytes:
    return packed if len(packed) == size else packed.ljust(size, b"\0")[:size]

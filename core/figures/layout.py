"""Packs and unpacks the slots of figures that Redis holds: one slot a minute, quarter-hour or day.

Decision: packed strings, read by one `numpy.frombuffer`, so the cost of a page depends on the
number of slots and never on the traffic. Hashes take as much memory and 40 to 75 times as long to
read.

    counters   33 values a slot, 156 bytes: 27 of 32 bits, unsigned, then 6 sums of 64 bits, signed
    a leg      128 bins a slot, 512 bytes: how many attempts took how long
    errors     one value a slot, 4 bytes

All numbers are big-endian. The values that one event changes lie together, around the border
between the counters and the sums: a slot is read and written from the first value that changes to
the last, so the fewer lie between, the less an event costs. Quarter-hours are the finest slots that
are kept for weeks: every zone's offset is a multiple of them, so a local day is exact in any zone.

The series of all channels together is not stored: it is the sum of its three channels. Histograms
are kept where a page reads them: of a channel in every tier; of a country the time to deliver by
the quarter of an hour, and every leg by the day. Of a carrier there are counters only: most have
too few attempts for a percentile.

Bins are those of Prometheus' native histograms of schema 3: base 2^(1/8), the upper bound belongs
to the bin. A value read back from the middle of its bin is at most 4.4 % off.

Keys carry the version of this layout, `ROLLUP_LAYOUT`: change it with the layout.
"""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from core.figures.catalogue import COLUMNS, COUNTERS, SUMS, Leg, Width

BINS = 128
HISTOGRAM_SLOT_BYTES = 4 * BINS
ERROR_SLOT_BYTES = 4
#: The bin whose upper bound is one second.
BIN_OF_1_SECOND = 39

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


class Tier(StrEnum):
    """A resolution, and how long it is kept."""

    MINUTE = "1m"
    QUARTER = "15m"
    DAY = "1d"

    @property
    def slot_ms(self) -> int:
        return _SLOT_MS[self]

    @property
    def slots(self) -> int:
        """How many slots one key holds: an hour, a day, or 32 days."""
        return _SLOTS[self]

    @property
    def chunk_ms(self) -> int:
        """The span of one key."""
        return self.slots * self.slot_ms

    @property
    def keep_ms(self) -> int:
        """How long a key is kept after the end of its span."""
        return _KEEP_MS[self]

    def chunk_of(self, ms: int) -> int:
        """The number of the key that holds this moment."""
        return ms // self.chunk_ms

    def slot_of(self, ms: int) -> int:
        """The slot of this moment within its key."""
        return ms % self.chunk_ms // self.slot_ms

    def expires_ms(self, ms: int) -> int:
        """When the key that holds this moment expires, Unix ms; later events never change it."""
        return (self.chunk_of(ms) + 1) * self.chunk_ms + self.keep_ms


_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS
_SLOT_MS = {Tier.MINUTE: _MINUTE_MS, Tier.QUARTER: 15 * _MINUTE_MS, Tier.DAY: _DAY_MS}
_SLOTS = {Tier.MINUTE: 60, Tier.QUARTER: 96, Tier.DAY: 32}
_KEEP_MS = {Tier.MINUTE: 48 * _HOUR_MS, Tier.QUARTER: 35 * _DAY_MS, Tier.DAY: 400 * _DAY_MS}


class Cube(StrEnum):
    """Dimensions of a series: see `core.model.series`."""

    CHANNEL = "channel"
    COUNTRY = "country"
    CARRIER = "carrier"
    ERROR = "error"


#: Where histograms are kept.
HISTOGRAMS: dict[Leg, tuple[tuple[Cube, Tier], ...]] = {
    leg: (
        *((Cube.CHANNEL, tier) for tier in Tier),
        *(((Cube.COUNTRY, Tier.QUARTER),) if leg is Leg.TTD else ()),
        (Cube.COUNTRY, Tier.DAY),
    )
    for leg in Leg
}


def bin_of(ms: int) -> int:
    """The bin of a duration: 0 takes all up to 32 ms, 127 all above 32 minutes."""
    if ms <= 0:
        return 0
    # The margin keeps a whole power of two in the bin whose bound it is; no other whole number of
    # milliseconds comes as close to a bound.
    place = int(np.ceil(8 * np.log2(ms / 1000) - 1e-9)) + BIN_OF_1_SECOND
    return min(max(place, 0), BINS - 1)


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

"""Describes the slots of figures that Redis holds: one slot a minute, quarter-hour or day.

Decision: packed strings, read by one `numpy.frombuffer` in `packing`, so the cost of a page depends
on the number of slots and never on the traffic. Hashes take as much memory and 40 to 75 times as
long to read.

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

from core.figures.catalogue import Leg

BINS = 128
HISTOGRAM_SLOT_BYTES = 4 * BINS
ERROR_SLOT_BYTES = 4
#: The bin whose upper bound is one second.
BIN_OF_1_SECOND = 39


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

"""Describes the slots of figures that Redis holds: one slot a minute, quarter-hour, hour or day.

    counters   35 values a slot: 28 of 32 bits, unsigned, then 7 sums of 64 bits, signed
    a leg      184 bins a slot, of 32 bits: how many attempts took how long
    errors     one value a slot, of 32 bits

A key holds the slots of one series for an hour up to 32 days, as a packed string in one of two
forms; `packing` reads both with one `numpy.frombuffer`:

    dense      all values, big-endian. Only the bytes of some slots are read and written
    sparse     the values that are not zero: of each its place (16 bits) and the value (32 bits),
               little-endian. Read and written as a whole

A key is sparse up to `sparse_limit` bytes, and dense from then on, so its length shows the form.
Decision: packed strings, so the cost of a page depends on the number of slots and never on the
traffic. Hashes take as much memory and 40 to 75 times as long to read. Dense keys alone take 209 kB
for the first message to a new place.

Quarter-hours are the finest slots that are kept for weeks: every zone's offset is a multiple of
them, so a local day is exact in any zone. Decision: they are kept for 100 days, so that 90 days are
days of the zone; beyond, only days of UTC are kept. Of 154 series a day of quarter-hours takes
0.8 MB at 10,000 attempts a day and 13 MB at 10 million; the attempts of that day take 32 MB and
32 GB.

The series of all channels together is not stored: it is the sum of its three channels. Histograms
are kept where a page reads them: of a channel by the minute, the quarter of an hour and the day; of
a country the time to deliver by the quarter, the hour and the day, and every other leg by the day.
Of a carrier there are counters only: most have too few attempts for a percentile.

Bins are those of Prometheus' native histograms of schema 3: base 2^(1/8), the upper bound belongs
to the bin. A value read back from the middle of its bin is at most 4.4 % off. The last bin holds
the horizon of 72 hours, to which longer durations are cut.

Keys carry the version of this layout, `ROLLUP_LAYOUT`: change it with the layout.
"""

from enum import StrEnum

from core.figures.catalogue import Leg

BINS = 184
#: A longer duration comes from clocks that differ.
HORIZON_MS = 72 * 3_600_000
#: The bin whose upper bound is one second.
BIN_OF_1_SECOND = 39


class Tier(StrEnum):
    """A resolution, and how long it is kept."""

    MINUTE = "1m"
    QUARTER = "15m"
    HOUR = "1h"
    DAY = "1d"

    @property
    def slot_ms(self) -> int:
        return _SLOT_MS[self]

    @property
    def slots(self) -> int:
        """How many slots one key holds: an hour, a day, four days, or 32 days."""
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
_SLOT_MS = {
    Tier.MINUTE: _MINUTE_MS,
    Tier.QUARTER: 15 * _MINUTE_MS,
    Tier.HOUR: _HOUR_MS,
    Tier.DAY: _DAY_MS,
}
_SLOTS = {Tier.MINUTE: 60, Tier.QUARTER: 96, Tier.HOUR: 96, Tier.DAY: 32}
_KEEP_MS = {
    Tier.MINUTE: 48 * _HOUR_MS,
    Tier.QUARTER: 100 * _DAY_MS,
    Tier.HOUR: 100 * _DAY_MS,
    Tier.DAY: 400 * _DAY_MS,
}
#: The tiers of counters and errors. Hours are kept of some histograms only.
TIERS = (Tier.MINUTE, Tier.QUARTER, Tier.DAY)


class Cube(StrEnum):
    """Dimensions of a series: see `core.model.series`."""

    CHANNEL = "channel"
    COUNTRY = "country"
    CARRIER = "carrier"
    ERROR = "error"


#: Where histograms are kept, the finest tier of each cube first.
HISTOGRAMS: dict[Leg, tuple[tuple[Cube, Tier], ...]] = {
    leg: (
        *((Cube.CHANNEL, tier) for tier in TIERS),
        *(((Cube.COUNTRY, Tier.QUARTER), (Cube.COUNTRY, Tier.HOUR)) if leg is Leg.TTD else ()),
        (Cube.COUNTRY, Tier.DAY),
    )
    for leg in Leg
}
#: How many series a cube may have. Later ones are added up as OTHERS of their country or channel.
MOST_SERIES = {Cube.COUNTRY: 1000, Cube.CARRIER: 2000, Cube.ERROR: 2000}


def tiers_of(leg: Leg, cube: Cube) -> tuple[Tier, ...]:
    """The tiers that have this histogram, the finest first."""
    return tuple(tier for kept, tier in HISTOGRAMS[leg] if kept is cube)


def sparse_limit(dense_bytes: int) -> int:
    """Up to how many bytes a key is sparse."""
    return min(dense_bytes // 4, 2048)

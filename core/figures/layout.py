"""How the figures of delivery lie in Redis: packed slots of fixed size, one a minute, a quarter of
an hour or a day.

Decision: packed strings, read by one `numpy.frombuffer`, so the cost of a page depends on the
number of slots and never on the traffic. Hashes take as much memory and 40 to 75 times as long to
read.

    counters   33 values a slot, 156 bytes: 27 of 32 bits, unsigned, then 6 sums of 64 bits, signed
    a leg      128 bins a slot, 512 bytes: how many attempts took how long
    errors     one value a slot, 4 bytes

All numbers are big-endian. What one event changes lies together, around the border between the
counters and the sums: a slot is read and written from the first value that changes to the last, so
the fewer lie between, the less an event costs. Quarter-hours are the finest slots that last: every
zone's offset is a multiple of them, so a local day is exact anywhere on earth.

The series of all channels together is not stored: it is the sum of its three channels. Histograms
are kept where a page asks for them: of a channel in every tier; of a country the time to deliver
by the quarter of an hour, and every leg by the day. Of a carrier there are counters only: most
have too few attempts for a percentile.

Bins are those of Prometheus' native histograms of schema 3: base 2^(1/8), the upper bound belongs
to the bin. A value read back from the middle of its bin is at most 4.4 % off.

All this has a version, `ROLLUP_LAYOUT` in the keys: whoever changes the layout changes it too.
"""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

#: Each counts attempts, by the moment they were requested. `rejected`, `unreported`, `failed`,
#: `undelivered` and `delivered` are where an attempt ended as far as is known now: it moves from
#: one to another, and is never in two. `pending` is what is left of `requested`.
COUNTERS = (
    "requested",
    "started",  # first attempts: one for each verification
    "resends",
    "fallbacks",  # attempts by another way than the first one
    "rescued",  # of these, verified
    "skewed",  # with a latency below zero or above 72 hours, which was cut to that
    "unconfirmed",  # no clear answer to the send, and no word since
    "unreported",
    "rejected",
    "failed",
    "undelivered",
    "entered",  # at least one code was checked
    "verified",
    "converted",  # of the started, whose verification succeeded, by whichever attempt
    "n_person",  # how many attempts each of the sums below is of
    "accepted",
    "n_app",
    "units",
    "sent",  # handed to the carrier; a call: answered. Delivered implies it
    "n_queue",
    "delivered",
    "confirmed",  # delivered or verified: a right code proves arrival
    "within_10",  # delivered within 10 seconds of the request
    "within_30",
    "within_60",
    "n_carrier",
    "priced",  # whose cost is known
)
SUMS = (
    "cost_micros",
    "carrier_ms",  # sent to delivered
    "queue_ms",  # queued to sent
    "app_ms",  # requested to accepted
    "person_ms",  # delivered to verified
    "cost_verified_micros",
)
COLUMNS = COUNTERS + SUMS
COUNTER_SLOT_BYTES = 4 * len(COUNTERS) + 8 * len(SUMS)

BINS = 128
HISTOGRAM_SLOT_BYTES = 4 * BINS
ERROR_SLOT_BYTES = 4
#: The bin whose upper bound is one second.
ONE_SECOND = 39

#: One slot of each kind.
COUNTER_SLOT = np.dtype([("counters", ">u4", (len(COUNTERS),)), ("sums", ">i8", (len(SUMS),))])
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
        """When the key that holds this moment goes: known from the moment, never moved."""
        return (self.chunk_of(ms) + 1) * self.chunk_ms + self.keep_ms


_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS
_SLOT_MS = {Tier.MINUTE: _MINUTE_MS, Tier.QUARTER: 15 * _MINUTE_MS, Tier.DAY: _DAY_MS}
_SLOTS = {Tier.MINUTE: 60, Tier.QUARTER: 96, Tier.DAY: 32}
_KEEP_MS = {Tier.MINUTE: 48 * _HOUR_MS, Tier.QUARTER: 35 * _DAY_MS, Tier.DAY: 400 * _DAY_MS}


class Cube(StrEnum):
    """By what the attempts of a series are told apart."""

    CHANNEL = "channel"  # "sms"
    COUNTRY = "country"  # "sms/DE"
    CARRIER = "carrier"  # "sms/DE/Vodafone", the carrier of the numbering plan
    ERROR = "error"  # "sms//30" in all countries, "sms/DE/30" in one


class Leg(StrEnum):
    """A part of the way, as far as its times are kept as a histogram."""

    TTD = "ttd"  # requested to delivered
    TTV = "ttv"  # requested to the right code
    QUEUE = "queue"  # queued to sent
    CARRIER = "carrier"  # sent to delivered


#: Where histograms are kept.
HISTOGRAMS: dict[Leg, tuple[tuple[Cube, Tier], ...]] = {
    leg: (
        *((Cube.CHANNEL, tier) for tier in Tier),
        *(((Cube.COUNTRY, Tier.QUARTER),) if leg is Leg.TTD else ()),
        (Cube.COUNTRY, Tier.DAY),
    )
    for leg in Leg
}


def series(channel: str, country: str | None = None, last: str | None = None) -> str:
    """The name of a series: of a channel, a country, or a carrier or an error code."""
    parts = [channel]
    if country is not None:
        parts.append(country)
    if last is not None:
        parts.append(last.replace("/", "-"))
    return "/".join(parts)


def bin_of(ms: int) -> int:
    """The bin of a span: 0 takes all up to 32 ms, 127 all above 32 minutes."""
    if ms <= 0:
        return 0
    # The margin keeps whole powers of two in the bin that they are the bound of; no other whole
    # number of milliseconds comes as close to a bound.
    place = int(np.ceil(8 * np.log2(ms / 1000) - 1e-9)) + ONE_SECOND
    return min(max(place, 0), BINS - 1)


#: Upper bounds and geometric middles of the bins, in ms.
UPPER_MS = np.exp2((np.arange(BINS) - ONE_SECOND) / 8) * 1000
MIDDLE_MS = UPPER_MS / 2 ** (1 / 16)


def decode_counters(packed: bytes | None, tier: Tier) -> Counts:
    """(slots, columns of COLUMNS). No key: all zeros. What was never written is zero."""
    if packed is None:
        return np.zeros((tier.slots, len(COLUMNS)), dtype=np.int64)
    slots = np.frombuffer(_whole(packed, tier.slots * COUNTER_SLOT_BYTES), dtype=COUNTER_SLOT)
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
    whole = _whole(packed, tier.slots * HISTOGRAM_SLOT_BYTES)
    return np.frombuffer(whole, dtype=">u4").reshape(tier.slots, BINS).astype(np.int64)


def encode_histogram(values: Counts, tier: Tier) -> bytes:
    """The reverse of `decode_histogram`."""
    return values.reshape(tier.slots, BINS).astype(">u4").tobytes()


def decode_errors(packed: bytes | None, tier: Tier) -> Counts:
    """(slots,)."""
    if packed is None:
        return np.zeros(tier.slots, dtype=np.int64)
    whole = _whole(packed, tier.slots * ERROR_SLOT_BYTES)
    return np.frombuffer(whole, dtype=">u4").astype(np.int64)


def encode_errors(values: Counts, tier: Tier) -> bytes:
    """The reverse of `decode_errors`."""
    return values.reshape(tier.slots).astype(">u4").tobytes()


def _whole(packed: bytes, size: int) -> bytes:
    return packed if len(packed) == size else packed.ljust(size, b"\0")[:size]

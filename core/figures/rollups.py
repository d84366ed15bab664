"""Which figures an attempt is booked in: keys and arguments of `apply_event.lua`.

All events of an attempt are booked under the moment of its request and its channel, country and
carrier. So a rate never exceeds 100 %, and a late report corrects the slot of the request.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from core.figures.catalogue import Leg
from core.figures.layout import HISTOGRAMS, Cube, Tier
from core.model.attempt import EventKind
from core.model.series import Series
from core.store.keys import Keys

#: The fields of an attempt's record that its booking is read from.
BOOKED_BY = (
    "requested_ms",
    "channel",
    "region",
    "carrier",
    "origin",
    "first_channel",
    "first_ms",
    "number_index",
    "booked",
)

#: The legs whose duration may be known after an event of this kind.
_LEGS = {
    EventKind.QUEUED: (Leg.QUEUE,),
    EventKind.RINGING: (Leg.QUEUE,),
    EventKind.SENT: (Leg.QUEUE, Leg.CARRIER),
    EventKind.ANSWERED: (Leg.QUEUE, Leg.CARRIER),
    EventKind.DELIVERED: (Leg.TTD, Leg.CARRIER),
    EventKind.VERIFIED: (Leg.TTV,),
}
_TIERS = tuple(Tier)
_CUBES = (Cube.CHANNEL, Cube.COUNTRY, Cube.CARRIER)
_MINUTE_MS, _HOUR_MS = Tier.MINUTE.slot_ms, Tier.MINUTE.chunk_ms


@dataclass(frozen=True, slots=True)
class Booking:
    """Where an attempt is counted. Nothing of this changes after the request.

    `first_ms` and `first_channel` are those of the verification's first attempt, where this is a
    later attempt: its success is counted there too. `number_index` is a digest, or "". `booked`:
    the attempt is already in the lists and the figures, so their keys are not passed again.
    """

    requested_ms: int
    channel: str
    region: str
    carrier: str
    first_ms: int | None
    first_channel: str
    number_index: str
    booked: bool = False


def booking_of(fields: Mapping[str, str | None]) -> Booking | None:
    """The booking of an attempt with these fields (`BOOKED_BY`); None for no attempt."""
    requested, channel = fields.get("requested_ms"), fields.get("channel")
    if requested is None or channel is None:
        return None
    first = fields.get("first_ms") if (fields.get("origin") or "first") != "first" else None
    return Booking(
        requested_ms=int(requested),
        channel=channel,
        region=fields.get("region") or "",
        carrier=fields.get("carrier") or "",
        first_ms=int(first) if first else None,
        first_channel=fields.get("first_channel") or channel,
        number_index=fields.get("number_index") or "",
        booked=fields.get("booked") is not None,
    )


class Targets(NamedTuple):
    """The keys and arguments of `apply_event.lua` that say where to count."""

    keys: list[str]  # KEYS from 4 on
    slots_and_errors: list[str]  # ARGV[3…6]
    flags: str  # the letters of ARGV[9]
    more: list[str]  # ARGV after the event's fields


#: For an event whose attempt does not exist.
NOWHERE = Targets([], [""] * 4, "", [])


class Rollups:
    """Names the keys of bookings."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        # The events of a busy hour need the same few names.
        self._counters = lru_cache(maxsize=20_000)(self._name_counters)
        self._histograms = lru_cache(maxsize=20_000)(self._name_histograms)
        self._errors = lru_cache(maxsize=20_000)(self._name_errors)
        self._slots = lru_cache(maxsize=20_000)(_slots)
        self._lists = [keys.recent, *(keys.registry(cube) for cube in _CUBES)]

    def targets(
        self,
        booking: Booking,
        kind: EventKind,
        reference: str | None,
        error_now: str,
        error_after: str,
    ) -> Targets:
        """Everywhere that an event of this kind may be counted.

        `error_now` is the error under which the attempt is counted, as far as is known;
        `error_after` is its error after the event. "" stands for no error.
        """
        hour = booking.requested_ms // _HOUR_MS
        channel, region, carrier = booking.channel, booking.region, booking.carrier
        legs = _LEGS.get(kind, ())
        keys = [*self._counters(channel, region, carrier, hour)]
        flags, more = "", list[str]()
        if not booking.booked:
            flags += "b"
            keys += self._lists
            more += _names(channel, region, carrier)
            if booking.number_index:
                flags += "n"
                keys.append(self._keys.number(booking.number_index))
        if reference:
            flags += "r"
            keys.append(self._keys.reference(reference))
        for leg in legs:
            keys += self._histograms(leg, channel, region, hour)
        if error_now:
            keys += self._errors(channel, region, error_now, hour)
        if error_after:
            keys += self._errors(channel, region, error_after, hour)
            keys.append(self._keys.registry(Cube.ERROR))
            more += [Series.of(channel, "", error_after), Series.of(channel, region, error_after)]
        if kind is EventKind.VERIFIED and booking.first_ms is not None:
            flags += "f"
            first_hour = booking.first_ms // _HOUR_MS
            keys += self._counters(booking.first_channel, region, carrier, first_hour)
            more.append(self._slots(booking.first_ms // _MINUTE_MS))
        leg_names = "".join(f"{leg}," for leg in legs)
        slots = self._slots(booking.requested_ms // _MINUTE_MS)
        return Targets(keys, [slots, leg_names, error_now, error_after], flags, more)

    def _name_counters(self, channel: str, region: str, carrier: str, hour: int) -> list[str]:
        names = _names(channel, region, carrier)
        return [
            self._keys.rollup("c", tier, cube, name, tier.chunk_of(hour * _HOUR_MS))
            for tier in _TIERS
            for cube, name in zip(_CUBES, names, strict=True)
        ]

    def _name_histograms(self, leg: Leg, channel: str, region: str, hour: int) -> list[str]:
        names = {Cube.CHANNEL: Series.of(channel), Cube.COUNTRY: Series.of(channel, region)}
        return [
            self._keys.rollup(leg, tier, cube, names[cube], tier.chunk_of(hour * _HOUR_MS))
            for cube, tier in HISTOGRAMS[leg]
        ]

    def _name_errors(self, channel: str, region: str, error: str, hour: int) -> list[str]:
        return [
            self._keys.rollup("e", tier, Cube.ERROR, name, tier.chunk_of(hour * _HOUR_MS))
            for tier in _TIERS
            for name in (Series.of(channel, "", error), Series.of(channel, region, error))
        ]


def _names(channel: str, region: str, carrier: str) -> tuple[str, str, str]:
    return Series.of(channel), Series.of(channel, region), Series.of(channel, region, carrier)


def _slots(minute: int) -> str:
    """The slots of a minute in the tiers, and when the keys that hold them end, Unix ms."""
    ms = minute * _MINUTE_MS
    numbers = [*(tier.slot_of(ms) for tier in _TIERS), *(tier.expires_ms(ms) for tier in _TIERS)]
    return " ".join(map(str, numbers))

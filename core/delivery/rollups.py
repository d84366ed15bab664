"""Which figures an attempt is booked in: keys and arguments of `apply_event.lua`.

An attempt is booked under the moment of its request and under its channel, country and carrier,
whatever is heard of it and whenever. So a rate never exceeds 100 %, and a late report repairs the
bucket it belongs to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from core.delivery.attempt import EventKind
from core.delivery.layout import HISTOGRAMS, Cube, Leg, Tier, series
from core.store.keys import Keys

#: What an attempt's record must say before it can be booked.
BOOKED_BY = (
    "requested_ms",
    "channel",
    "region",
    "carrier",
    "origin",
    "first_channel",
    "first_ms",
    "number_index",
)

#: The legs whose time may become known by such an event.
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
_HOUR_MS = Tier.MINUTE.chunk_ms


@dataclass(frozen=True, slots=True)
class Booking:
    """Where an attempt's figures go. None of it changes once the attempt is requested.

    `first_ms` and `first_channel` are of the verification's first attempt where this is a later
    one: there its success is counted too. `number_index` is a digest, or "".
    """

    requested_ms: int
    channel: str
    region: str
    carrier: str
    first_ms: int | None
    first_channel: str
    number_index: str


def booking_of(fields: Mapping[str, str | None]) -> Booking | None:
    """The booking of an attempt with these fields (`BOOKED_BY`); None when it is not there."""
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
    )


class Rollups:
    """Names the keys of bookings."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        # A busy hour asks for the same few names again and again.
        self._counters = lru_cache(maxsize=20_000)(self._name_counters)
        self._histograms = lru_cache(maxsize=20_000)(self._name_histograms)
        self._errors = lru_cache(maxsize=20_000)(self._name_errors)
        self._registries = [keys.registry(cube) for cube in (*_CUBES, Cube.ERROR)]

    def targets(
        self,
        booking: Booking,
        kind: EventKind,
        reference: str | None,
        error_now: str,
        error_then: str,
    ) -> tuple[list[str], list[str | int]]:
        """KEYS from 4 on and ARGV[12…33] of `apply_event.lua`.

        `error_now` is the error the attempt is thought to be counted under, `error_then` the one
        that it will be; both "" when it has none.
        """
        hour = booking.requested_ms // _HOUR_MS
        place = (booking.channel, booking.region, booking.carrier)
        keys = [self._keys.recent, *self._registries, *self._counters(*place, hour)]
        if booking.number_index:
            keys.append(self._keys.number(booking.number_index))
        if reference:
            keys.append(self._keys.reference(reference))
        legs = _LEGS.get(kind, ())
        for leg in legs:
            keys += self._histograms(leg, booking.channel, booking.region, hour)
        for error in (error_now, error_then):
            if error:
                keys += self._errors(booking.channel, booking.region, error, hour)
        first: list[str | int] = ["", "", "", "", "", ""]
        if kind is EventKind.VERIFIED and booking.first_ms is not None:
            first_hour = booking.first_ms // _HOUR_MS
            keys += self._counters(
                booking.first_channel, booking.region, booking.carrier, first_hour
            )
            first = _slots(booking.first_ms)
        error_series = [error_then and series(booking.channel, "", error_then)]
        error_series.append(error_then and series(booking.channel, booking.region, error_then))
        return keys, [
            *_slots(booking.requested_ms),
            "1" if booking.number_index else "0",
            "1" if reference else "0",
            "".join(f"{leg}," for leg in legs),
            error_now,
            error_then,
            *first,
            *_names(*place),
            *error_series,
        ]

    def _name_counters(self, channel: str, region: str, carrier: str, hour: int) -> list[str]:
        names = _names(channel, region, carrier)
        return [
            self._keys.rollup("c", tier, cube, name, tier.chunk_of(hour * _HOUR_MS))
            for tier in _TIERS
            for cube, name in zip(_CUBES, names, strict=True)
        ]

    def _name_histograms(self, leg: Leg, channel: str, region: str, hour: int) -> list[str]:
        names = {Cube.CHANNEL: series(channel), Cube.COUNTRY: series(channel, region)}
        return [
            self._keys.rollup(leg, tier, cube, names[cube], tier.chunk_of(hour * _HOUR_MS))
            for cube, tier in HISTOGRAMS[leg]
        ]

    def _name_errors(self, channel: str, region: str, error: str, hour: int) -> list[str]:
        return [
            self._keys.rollup("e", tier, Cube.ERROR, name, tier.chunk_of(hour * _HOUR_MS))
            for tier in _TIERS
            for name in (series(channel, "", error), series(channel, region, error))
        ]


def _names(channel: str, region: str, carrier: str) -> tuple[str, str, str]:
    return series(channel), series(channel, region), series(channel, region, carrier)


def _slots(ms: int) -> list[str | int]:
    """The slots of a moment in the tiers, and when the keys that hold them end."""
    return [*(tier.slot_of(ms) for tier in _TIERS), *(tier.expires_ms(ms) for tier in _TIERS)]

"""Caches where the figures of each attempt are booked, which never changes."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from threading import Lock

from core.figures.rollups import BOOKED_BY, Booking, booking_of
from core.model.attempt import AttemptEvent, EventKind
from core.model.clock import to_ms
from core.store.client import Client
from core.store.keys import Keys
from core.store.left_out import LeftOut

_MAX_CACHED = 200_000


class BookingCache:
    """The bookings of one process, by attempt. Every method may be called in any thread.

    Decision: an OrderedDict, not cachetools: each event of a batch asks it under one lock, and
    `_MAX_CACHED` only limits the memory.
    """

    def __init__(self, client: Client, keys: Keys, left_out: LeftOut) -> None:
        self._client = client
        self._keys = keys
        self._left_out = left_out
        self._bookings: OrderedDict[str, Booking] = OrderedDict()
        self._lock = Lock()

    def of(self, events: Sequence[AttemptEvent]) -> dict[str, Booking]:
        """The bookings of the events' attempts, by attempt, without unknown attempts. Reads those
        that are not cached in one round trip. Raises StoreUnavailable."""
        # A request begins the attempt: a cached booking of its id would be from another Redis.
        bookings = {
            event.attempt: booking
            for event in events
            if event.kind is EventKind.REQUESTED
            and (booking := booking_of(event.fields | {"requested_ms": str(to_ms(event.at))}))
        }
        attempts = dict.fromkeys(event.attempt for event in events)
        others = [attempt for attempt in attempts if attempt not in bookings]
        with self._lock:
            bookings |= {name: self._bookings[name] for name in others if name in self._bookings}
        if missing := [attempt for attempt in others if attempt not in bookings]:
            bookings |= self._read(missing)
        with self._lock:
            self._bookings.update(bookings)
            while len(self._bookings) > _MAX_CACHED:
                self._bookings.popitem(last=False)
        return bookings

    def forget(self, attempts: Iterable[str]) -> None:
        """Read these attempts from Redis again when they are next needed."""
        with self._lock:
            for attempt in attempts:
                self._bookings.pop(attempt, None)

    def mark_booked(self, bookings: Mapping[str, Booking]) -> None:
        """Note that these attempts are in the lists and the figures."""
        with self._lock:
            for attempt, booking in bookings.items():
                if not booking.booked and attempt in self._bookings:
                    self._bookings[attempt] = replace(booking, booked=True)

    def _read(self, attempts: Sequence[str]) -> dict[str, Booking]:
        with self._client.pipeline(transaction=False) as pipe:
            for attempt in attempts:
                pipe.hmget(self._keys.attempt(attempt), *BOOKED_BY)
            records = pipe.execute()
        bookings = {}
        for attempt, values in zip(attempts, records, strict=True):
            try:
                booking = booking_of(dict(zip(BOOKED_BY, values, strict=True)))
            except ValueError as error:
                self._left_out.record("attempt", attempt, error)
                continue
            if booking:
                bookings[attempt] = booking
        return bookings

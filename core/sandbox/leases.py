"""Leases numbers: for a time, a number belongs to one test and to no other.

Every method runs on the event loop's thread without an `await`, so two requests never get the same
number. An expired lease ends by itself; its rows stay for a week, so that the number that was used
longest ago is leased next.
"""

import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter

from core.sandbox.clock import SandboxClock
from core.sandbox.errors import Refusal
from core.sandbox.facts.lease_range import LARGE_PLANS, numbers_for_tests
from core.sandbox.handsets import Handsets
from core.sandbox.storage import Storage

MAX_NUMBERS = 100
MAX_SECONDS = 24 * 3600
#: How many other countries a refusal names.
_NAMED = 5


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """Numbers as digits without a plus sign; moments are Unix seconds."""

    lease: str
    numbers: tuple[str, ...]
    country: str
    ending: str
    leased_at: float
    expires_at: float


class Leases:
    """Reads and writes the table `leases`."""

    def __init__(self, storage: Storage, clock: SandboxClock, handsets: Handsets) -> None:
        self._storage = storage
        self._clock = clock
        self._handsets = handsets

    def draw(self, country: str, ending: str, count: int, seconds: int) -> LeaseRecord:
        """Lease free numbers and empty their handsets. Raises Refusal 409 if there are too few."""
        now = self._clock.now()
        numbers = list(islice(self._free(country, ending, now), count))
        if len(numbers) < count:
            raise Refusal(409, self._shortage(country, ending, count, len(numbers), now))
        lease = LeaseRecord(str(uuid.uuid4()), tuple(numbers), country, ending, now, now + seconds)
        with self._storage.transaction():
            for number in numbers:
                self._handsets.hand_over(number)
                self._storage.run(
                    "INSERT OR REPLACE INTO leases VALUES"
                    " (:number, :lease, :country, :ending, :leased_at, :expires_at)",
                    number=number,
                    lease=lease.lease,
                    country=country,
                    ending=ending,
                    leased_at=now,
                    expires_at=lease.expires_at,
                )
        return lease

    def in_force(self) -> list[LeaseRecord]:
        """The leases that have not ended, newest first."""
        rows = self._storage.rows(
            "SELECT * FROM leases WHERE expires_at > :now ORDER BY leased_at DESC, lease, number",
            now=self._clock.now(),
        )
        return [_lease(list(group)) for _, group in groupby(rows, itemgetter("lease"))]

    def renew(self, lease: str, seconds: int) -> LeaseRecord:
        """Let a lease end `seconds` from now. Raises Refusal 404 if it has ended."""
        now = self._clock.now()
        changed = self._storage.run(
            "UPDATE leases SET expires_at = :until WHERE lease = :lease AND expires_at > :now",
            until=now + seconds,
            lease=lease,
            now=now,
        )
        if not changed:
            raise Refusal(404, "no such lease: it has ended, and its numbers may be leased again")
        return next(each for each in self.in_force() if each.lease == lease)

    def release(self, lease: str) -> None:
        """End a lease. Does nothing if it has ended."""
        now = self._clock.now()
        self._storage.run(
            "UPDATE leases SET expires_at = :now WHERE lease = :lease AND expires_at > :now",
            lease=lease,
            now=now,
        )

    def _free(self, country: str, ending: str, now: float) -> Iterator[str]:
        """Free numbers, those that were never leased first, then the longest unused."""
        rows = self._storage.rows(
            "SELECT number, expires_at FROM leases WHERE country = :country AND ending = :ending"
            " ORDER BY expires_at",
            country=country,
            ending=ending,
        )
        leased = {row["number"] for row in rows}
        yield from (each for each in numbers_for_tests(country, ending) if each not in leased)
        yield from (row["number"] for row in rows if row["expires_at"] <= now)

    def _shortage(self, country: str, ending: str, count: int, free: int, now: float) -> str:
        others = (other for other in LARGE_PLANS if other != country)
        fitting = (other for other in others if self._has(other, ending, count, now))
        named = ", ".join(islice(fitting, _NAMED))
        remedy = f"use one of {named}" if named else "release leases, or wait until they expire"
        if next(numbers_for_tests(country, ending), None) is None:
            return f"the numbering plan of {country} has no numbers for tests; {remedy}"
        return (
            f"{free} of {count} numbers of {country} that end in {ending} are free; release"
            f" leases, or {remedy}"
        )

    def _has(self, country: str, ending: str, count: int, now: float) -> bool:
        return len(list(islice(self._free(country, ending, now), count))) == count


def _lease(rows: Sequence[sqlite3.Row]) -> LeaseRecord:
    """The lease of these rows, which has a row for each number."""
    names = ("country", "ending", "leased_at", "expires_at")
    numbers = tuple(row["number"] for row in rows)
    return LeaseRecord(rows[0]["lease"], numbers, *(rows[0][name] for name in names))

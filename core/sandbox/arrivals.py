"""Records what reaches a handset, in order: messages, calls that ring, and codes that are spoken.

A test waits for the next arrival after one that it knows. So arrivals have ids that only grow, and
moments of which no two are equal: nothing is missed between two waits, nothing is returned twice.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from core.sandbox.storage import Storage

MICROSECONDS = 1_000_000  # in a second


class ArrivalKind(StrEnum):
    """What arrived. A call has one arrival of each kind at most, however often it is repeated."""

    MESSAGE = "message"
    RINGING = "ringing"
    SPOKEN_CODE = "spoken-code"


@dataclass(frozen=True, slots=True)
class ArrivalRecord:
    """`reference` is the UUID of the message or call; `at` are Unix microseconds."""

    id: int
    number: str
    kind: ArrivalKind
    reference: str
    at: int


class Arrivals:
    """Reads and writes the table `arrivals`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def add(self, number: str, kind: ArrivalKind, reference: str, at: float) -> None:
        """Record an arrival at a moment (Unix seconds); the same one again changes nothing."""
        # Later than the arrival before it, also when the clock has been set back.
        self._storage.run(
            "INSERT OR IGNORE INTO arrivals (number, kind, reference, at)"
            " SELECT :number, :kind, :reference,"
            " MAX(:at, 1 + COALESCE((SELECT at FROM arrivals ORDER BY id DESC LIMIT 1), 0))",
            number=number,
            kind=kind,
            reference=reference,
            at=round(at * MICROSECONDS),
        )

    def last_of(self, number: str, reference: str, kinds: Collection[ArrivalKind]) -> int | None:
        """The id of the last arrival with this reference on this handset: of these kinds where
        there is one. None: nothing with this reference has arrived."""
        rows = self._storage.rows(
            "SELECT id, kind FROM arrivals WHERE reference = :reference AND number = :number"
            " ORDER BY id",
            reference=reference,
            number=number,
        )
        fitting = [row for row in rows if row["kind"] in kinds] or rows
        return int(fitting[-1]["id"]) if fitting else None

    def next(
        self,
        number: str,
        kinds: Collection[ArrivalKind],
        *,
        after: int = 0,
        later_than: float = 0,
        reference: str = "",
    ) -> ArrivalRecord | None:
        """The first arrival with an id above `after`, at a moment after `later_than` (Unix
        seconds), of the message or call `reference` if that is given."""
        row = self._storage.row(
            "SELECT * FROM arrivals WHERE number = :number AND id > :after AND at > :later_than"
            " AND kind IN (SELECT value FROM json_each(:kinds))"
            " AND (:reference = '' OR reference = :reference) ORDER BY id LIMIT 1",
            number=number,
            after=after,
            later_than=round(later_than * MICROSECONDS),
            kinds=json.dumps(list(kinds)),
            reference=reference,
        )
        return ArrivalRecord(**{**dict(row), "kind": ArrivalKind(row["kind"])}) if row else None

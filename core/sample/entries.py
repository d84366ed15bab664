"""Makes entries of the journal, and events, of generated attempts.

Attempts that are only counted need no record: their entries are what `_counted.lua` would write of
one. `contributions` computes what they add, as of any other attempt.
"""

import base64
import hashlib
from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.figures.journal_entries import ENTRY, IMAGE, JournalEntries, Place
from core.model.attempt import AttemptEvent, EventKind, Source, attempt_id
from core.model.clock import from_ms
from core.sample.plan import Plan
from core.sample.traffic import ERRORS, MOMENTS, ORIGINS, PLACES, WAYS

#: As `_ledger.lua` ranks the events of one attempt, ascending.
_RANKS = {
    EventKind.UNCONFIRMED: 1,
    EventKind.ACCEPTED: 2,
    EventKind.QUEUED: 3,
    EventKind.SENT: 4,
    EventKind.UNREPORTED: 5,
    EventKind.REJECTED: 6,
    EventKind.FAILED: 7,
    EventKind.UNDELIVERED: 8,
    EventKind.DELIVERED: 9,
}
_REFUSED_RANK, _UNDELIVERED_RANK = 6, 8
_BY_APP = {EventKind.UNCONFIRMED, EventKind.ACCEPTED, EventKind.REJECTED}
_CHECKS = {EventKind.CHECKED, EventKind.VERIFIED}
_CALL_KINDS = {EventKind.QUEUED: EventKind.RINGING, EventKind.SENT: EventKind.ANSWERED}
_REFUSED_AS = "refused"
#: Of IMAGE and ATTEMPT.
_SAME_NAMES = (
    *("accepted", "queued", "undelivered", "delivered", "checked", "verified"),
    *("cost_micros", "units"),
)
_CAUSE, _REMEDY = "Plivo refused the request.", "Check the number and the sender."


def entries_of(table: NDArray[Any]) -> JournalEntries:
    """The entries of attempts (ATTEMPT), each counted for the first time."""
    rank = np.zeros(len(table), dtype=np.int8)
    for kind, kind_rank in _RANKS.items():
        rank[table[kind] >= 0] = kind_rank
    entries = np.zeros(len(table), dtype=ENTRY)
    is_call = np.array([way.is_call for way in WAYS])[table["way"]]
    entries["origin"] = table["origin"]
    entries["is_sms"] = ~is_call
    entries["requested"] = table["requested"]
    entries["first"] = np.where(table["number"] > 1, table["first"], -1)
    for name in IMAGE.names or ():
        entries["before"][name] = -1
    after = entries["after"]
    after["rank"] = rank
    after["handed"] = table["sent"]
    for name in _SAME_NAMES:
        after[name] = table[name]
    # 0 for no error, 1 for a refusal, then ERRORS.
    error = np.where(rank == _REFUSED_RANK, 1, np.where(table["error"] > 0, table["error"] + 1, 0))
    error[(rank < _REFUSED_RANK) | (rank > _UNDELIVERED_RANK)] = 0
    names = ("", _REFUSED_AS, *ERRORS[1:])
    columns = np.stack([table["way"], table["place"], table["first_way"], error], axis=1)
    distinct, place = np.unique(columns, axis=0, return_inverse=True)
    return JournalEntries(
        entries,
        place.reshape(-1),
        [_place(row, names) for row in distinct.tolist()],
    )


def _place(row: list[int], names: tuple[str, ...]) -> Place:
    way, place, first_way, error = row
    country, carrier = PLACES[place]
    return Place(
        str(WAYS[way].channel),
        country.region,
        carrier.name,
        str(WAYS[first_way].channel),
        "",
        names[error],
    )


def events_of(row: Any, day: date, plan: Plan) -> list[AttemptEvent]:
    """The events of an attempt of a day, in the order of time."""
    return sorted(_events(row, day, plan), key=lambda event: event.at)


def id_of(row: Any, day: date, plan: Plan) -> str:
    """The id of an attempt of a day."""
    name = f"sample {plan.seed}/{day.toordinal()}/{row['verification']}"
    digest = hashlib.sha256(name.encode()).digest()
    return attempt_id(base64.b32encode(digest[:15]).decode().lower(), int(row["number"]))


def _events(row: Any, day: date, plan: Plan) -> Iterator[AttemptEvent]:
    way, attempt = WAYS[row["way"]], id_of(row, day, plan)
    country, carrier = PLACES[row["place"]]
    record = {
        **way.fields,
        "to_masked": f"{country.mask} ••• ••{row['digits']:02}",
        "region": country.region,
        "carrier": carrier.name,
        "origin": ORIGINS[row["origin"]],
        "sample": "1",
    }
    if row["number"] > 1:
        first = WAYS[row["first_way"]]
        record |= {"first_channel": first.channel, "first_ms": str(int(row["first"]))}
    yield AttemptEvent(
        attempt, EventKind.REQUESTED, from_ms(int(row["requested"])), Source.APP, record
    )
    for kind in MOMENTS:
        if row[kind] < 0:
            continue
        source = Source.APP if kind in _BY_APP | _CHECKS else Source.CALLBACK
        if kind is EventKind.UNREPORTED:
            source = Source.LOG
        named = _CALL_KINDS.get(kind, kind) if way.is_call else kind
        yield AttemptEvent(attempt, named, from_ms(int(row[kind])), source, _fields(row, kind))


def _fields(row: Any, kind: EventKind) -> dict[str, str]:
    fields: dict[str, str] = {}
    if kind is EventKind.REJECTED:
        fields |= {"cause": _CAUSE, "remedy": _REMEDY}
    if kind in {EventKind.FAILED, EventKind.UNDELIVERED}:
        name = "hangup_cause" if WAYS[row["way"]].is_call else "error_code"
        fields[name] = ERRORS[row["error"]]
    if row["priced"] == row[kind] and kind not in _CHECKS:
        fields |= {name: str(int(row[name])) for name in ("cost_micros", "units") if row[name] >= 0}
    return fields

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

from core.figures.journal_entries import ENTRY, IMAGE, ORIGINS, JournalEntries, Place
from core.model.attempt import NO_ANSWER, RANKS, AttemptEvent, EventKind, Source, attempt_id
from core.model.clock import from_ms
from core.sample.places import PLACES
from core.sample.plan import Plan
from core.sample.traffic import BROKEN_STATUS, ERRORS, MOMENTS, WAYS

_ERROR_NAMES = (*ERRORS, "refused", str(BROKEN_STATUS), NO_ANSWER)
_BY_APP = {EventKind.UNCONFIRMED, EventKind.ACCEPTED, EventKind.REJECTED}
_CHECKS = {EventKind.CHECKED, EventKind.VERIFIED}
_CALL_KINDS = {EventKind.QUEUED: EventKind.RINGING, EventKind.SENT: EventKind.ANSWERED}
#: Of IMAGE and ATTEMPT.
_SAME_NAMES = (
    *("accepted", "queued", "undelivered", "delivered"),
    *("code", "proof", "cost_micros", "units"),
)
_CAUSE, _REMEDY = "Plivo refused the request.", "Check the number and the sender."


def entries_of(table: NDArray[Any]) -> JournalEntries:
    """The entries of attempts (ATTEMPT), each counted for the first time."""
    rank = np.zeros(len(table), dtype=np.int8)
    for kind in MOMENTS:
        if kind in RANKS:
            rank = np.where(table[kind] >= 0, np.maximum(rank, RANKS[kind]), rank)
    entries = np.zeros(len(table), dtype=ENTRY)
    is_call = np.array([way.is_call for way in WAYS])[table["way"]]
    entries["origin"] = table["origin"]
    entries["is_sms"] = ~is_call
    entries["requested"] = table["requested"]
    for name in IMAGE.names or ():
        entries["before"][name] = -1
    after = entries["after"]
    after["rank"] = rank
    after["handed"] = table["sent"]
    is_wrong = table["checked"] >= 0
    after["checked"] = np.where(is_wrong, table["checked"], table["verified"])
    for name in _SAME_NAMES:
        after[name] = table[name]
    columns = np.stack([table["way"], table["place"], _errors(table, rank)], axis=1)
    distinct, place = np.unique(columns, axis=0, return_inverse=True)
    return JournalEntries(
        entries,
        place.reshape(-1),
        [_place(*row) for row in distinct.tolist()],
    )


def _errors(table: NDArray[Any], rank: NDArray[np.int8]) -> NDArray[np.int64]:
    """What the attempts are counted under among the errors, as indexes of _ERROR_NAMES."""
    errors = np.zeros(len(table), dtype=np.int64)
    has_failed = (rank > RANKS[EventKind.REJECTED]) & (rank < RANKS[EventKind.DELIVERED])
    errors[has_failed] = table["error"][has_failed]
    errors[rank == RANKS[EventKind.REJECTED]] = _ERROR_NAMES.index("refused")
    is_unclear = rank == RANKS[EventKind.UNCONFIRMED]
    has_status = table["send_status"] > 0
    errors[is_unclear & has_status] = _ERROR_NAMES.index(str(BROKEN_STATUS))
    errors[is_unclear & ~has_status] = _ERROR_NAMES.index(NO_ANSWER)
    return errors


def _place(way: int, place: int, error: int) -> Place:
    country, carrier = PLACES[place]
    channel = str(WAYS[way].channel)
    return Place(channel, country.region, carrier.name, "", _ERROR_NAMES[error])


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
    if row["proof"]:
        record |= {name: str(row[name]) for name in ("proof", "attempts")}
        record["code_ms"] = str(int(row["code"]))
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
    if kind is EventKind.UNCONFIRMED and row["send_status"]:
        fields["send_status"] = str(row["send_status"])
    if kind is EventKind.REJECTED:
        fields |= {"cause": _CAUSE, "remedy": _REMEDY}
    if kind in {EventKind.FAILED, EventKind.UNDELIVERED}:
        name = "hangup_cause" if WAYS[row["way"]].is_call else "error_code"
        fields[name] = ERRORS[row["error"]]
    if row["priced"] == row[kind] and kind not in _CHECKS:
        fields |= {name: str(int(row[name])) for name in ("cost_micros", "units") if row[name] >= 0}
    return fields

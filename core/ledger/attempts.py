"""Reads stored attempts: by id, by Plivo's id, by number, and newest first."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from core.ledger.attribution import read_proof
from core.model.attempt import Attempt, EventKind, OverBudget, Proof, State
from core.model.clock import Clock, read_ms
from core.model.series import carrier_named
from core.model.unreadable import Unreadable
from core.model.way import Way
from core.store.client import Client
from core.store.keys import Keys
from core.store.left_out import LeftOut

_MAX_PER_NUMBER = 1000
_MAX_DIGITS = 16

T = TypeVar("T")


class Entry(NamedTuple):
    """An entry of the list of attempts. Entries compare in the order of Redis: by the moment of the
    request, in Unix ms, then by the id."""

    requested_ms: int
    attempt: str


class ReceivedEvent(NamedTuple):
    """An event of an attempt: when it happened and when it was received, aware, in UTC. `outcome`
    is an `EventOutcome`, or "fact" for an applied check, which has no state."""

    kind: EventKind
    outcome: str
    at: datetime
    received_at: datetime
    source: str


class AttemptReader:
    """Reads attempts and their events. Every method raises StoreUnavailable."""

    def __init__(self, client: Client, keys: Keys, clock: Clock) -> None:
        self._client = client
        self._keys = keys
        self._left_out = LeftOut(client, keys, clock)

    def leave_out(self, attempt: str, values: Iterable[Unreadable]) -> None:
        """Log and count values of an attempt that could not be read, each of them once."""
        for value in values:
            self._left_out.value(attempt, value.field, value.shown)

    def attempts(self, ids: Sequence[str]) -> list[Attempt]:
        """The attempts with these ids, in the order of `ids`. Leaves out those that are no longer
        kept or cannot be read."""
        return [attempt for attempt in self.read(ids).values() if attempt is not None]

    def read(self, ids: Iterable[str]) -> dict[str, Attempt | None]:
        """The attempts with these ids that are still kept, in the order of `ids`; None for an
        attempt whose record cannot be read."""
        unique_ids = list(dict.fromkeys(ids))
        with self._client.pipeline(transaction=False) as pipe:
            for attempt_id in unique_ids:
                pipe.hgetall(self._keys.attempt(attempt_id))
            records = pipe.execute()
        return {
            attempt_id: self._read(attempt_id, record)
            for attempt_id, record in zip(unique_ids, records, strict=True)
            if record
        }

    def _read(self, attempt_id: str, record: dict[str, str]) -> Attempt | None:
        try:
            attempt, unreadable = _parse_attempt(attempt_id, record)
        except (KeyError, ValueError) as error:
            self._left_out.record("attempt", attempt_id, error)
            return None
        self.leave_out(attempt_id, unreadable)
        return attempt

    def attempt_by_reference(self, reference: str) -> Attempt | None:
        """The attempt with this id of Plivo's; None if it is unknown or no longer kept."""
        attempt_id = self.id_by_reference(reference)
        return self.attempt(attempt_id) if attempt_id else None

    def id_by_reference(self, reference: str) -> str | None:
        """Our id of the attempt with this id of Plivo's; its record may be gone."""
        return self._client.get(self._keys.reference(reference))

    def attempts_of_number(self, number_index: str) -> list[Attempt]:
        """The attempts to a number (given as its digest) that are still kept, newest first."""
        return self.attempts(self.ids_of_number(number_index))

    def ids_of_number(self, number_index: str) -> list[str]:
        """The ids of the attempts to a number, newest first; their records may be gone."""
        return self._client.zrevrange(self._keys.number(number_index), 0, _MAX_PER_NUMBER - 1)

    def newest_of_numbers(self, number_indexes: Iterable[str]) -> dict[str, str]:
        """The id of the newest attempt to each number (given as digests), in one round trip.
        Numbers without an attempt are left out."""
        indexes = list(number_indexes)
        if not indexes:
            return {}
        with self._client.pipeline(transaction=False) as pipe:
            for index in indexes:
                pipe.zrevrange(self._keys.number(index), 0, 0)
            answers = pipe.execute()
        return {index: ids[0] for index, ids in zip(indexes, answers, strict=True) if ids}

    def recent(self, before: Entry | None = None, count: int = 500) -> list[Entry]:
        """Entries of the list of attempts, newest first: the first `count`, or the `count` that
        follow `before`. That is exact also if many entries share a millisecond, and if `before` is
        no longer in the list. An attempt may be listed a little longer than it is kept."""
        newest = "(+inf" if before is None else str(before.requested_ms)
        entries: list[Entry] = []
        offset, step = 0, count + 1
        while len(entries) < count:
            rows = self._client.zrevrangebyscore(
                self._keys.recent, newest, "(-inf", start=offset, num=step, withscores=True
            )
            # Redis can start at a score only, so entries that precede `before` come again. Entries
            # added meanwhile move the others on, so a step may repeat entries of the last one.
            for attempt, score in rows:
                entry = Entry(int(score), attempt)
                if before is None or entry < before:
                    entries.append(entry)
                    before = entry
            if len(rows) < step:
                break
            offset += step
        return entries[:count]

    def attempt(self, attempt_id: str) -> Attempt | None:
        """The attempt with this id; None if it is unknown, unreadable or no longer kept."""
        return next(iter(self.attempts([attempt_id])), None)

    def events(self, attempt: str) -> list[ReceivedEvent]:
        """The newest 100 events of an attempt, oldest first."""
        entries = self._client.lrange(self._keys.history(attempt), 0, -1)
        events = [self._read_event(attempt, entry) for entry in entries]
        return [event for event in events if event is not None]

    def _read_event(self, attempt: str, stored: str) -> ReceivedEvent | None:
        try:
            kind, outcome, at_ms, received_ms, source = stored.split()
            return ReceivedEvent(
                EventKind(kind), outcome, read_ms(at_ms), read_ms(received_ms), source
            )
        except ValueError as error:
            self._left_out.record("event", attempt, error)
            return None


def _parse_attempt(attempt_id: str, record: dict[str, str]) -> tuple[Attempt, list[Unreadable]]:
    """The attempt, and its optional values that cannot be read. Raises KeyError or ValueError if a
    value that every attempt has is missing or cannot be read."""
    unreadable: list[Unreadable] = []

    def optional(name: str, read: Callable[[str], T]) -> T | None:
        text = record.get(name)
        try:
            return read(text) if text else None
        except ValueError:
            unreadable.append(Unreadable(name, f"stored, {len(text or '')} characters"))
            return None

    moments = {kind: at for kind in EventKind if (at := optional(f"{kind}_ms", read_ms))}
    proof = optional("proof", read_proof)
    if proof is Proof.OTHER:
        moments.pop(EventKind.VERIFIED, None)
    elif proof is Proof.SOLE and (entered_at := optional("code_ms", read_ms)):
        moments[EventKind.VERIFIED] = entered_at
    elif proof is None and EventKind.VERIFIED in moments and attempt_id.endswith("-1"):
        proof = Proof.SOLE
    attempt = Attempt(
        id=attempt_id,
        way=Way.of(record["channel"], record["mode"]),
        state=State(record["state"]),
        to_masked=record["to_masked"],
        region=record["region"],
        carrier=carrier_named(record["carrier"]),
        # Raises KeyError without a request: lists and ages depend on it.
        moments={EventKind.REQUESTED: moments[EventKind.REQUESTED]} | moments,
        reference=record.get("reference", ""),
        error_code=record.get("error_code", ""),
        hangup_cause=record.get("hangup_cause", ""),
        send_status=record.get("send_status", ""),
        cause=record.get("cause", ""),
        remedy=record.get("remedy", ""),
        cost_micros=optional("cost_micros", _count) or 0,
        units=optional("units", _count) or 0,
        mcc=record.get("mcc", ""),
        mnc=record.get("mnc", ""),
        network=record.get("network", ""),
        origin=record.get("origin", "first"),
        proof=proof,
        over_budget=optional("over_budget", OverBudget.parse),
        is_sample="sample" in record,
    )
    if attempt.number < 1:
        raise ValueError("the id has no number of an attempt")
    return attempt, unreadable


def _count(text: str) -> int:
    if len(text) > _MAX_DIGITS or not text.isdecimal():
        raise ValueError("not a count")
    return int(text)

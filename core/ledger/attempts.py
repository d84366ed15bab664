"""Reads the attempts that are kept: by id, by Plivo's id, by number, and newest first."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from core.model.attempt import Attempt, EventKind, OverBudget, State
from core.model.clock import Clock, read_ms
from core.model.unreadable import Unreadable
from core.model.way import Way
from core.store.client import Client
from core.store.keys import Keys
from core.store.left_out import LeftOut

_OF_A_NUMBER = 1000
_LONGEST_COUNT = 16

T = TypeVar("T")


class Entry(NamedTuple):
    """A line of the list of attempts. Entries compare as Redis orders them: by the moment of the
    request, Unix ms, and within one millisecond by the id."""

    requested_ms: int
    attempt: str


class AttemptReader:
    """Every method raises StoreUnavailable."""

    def __init__(self, client: Client, keys: Keys, clock: Clock) -> None:
        self._client = client
        self._keys = keys
        self._left_out = LeftOut(client, keys, clock)

    def leave_out(self, attempt: str, values: Iterable[Unreadable]) -> None:
        """Log and count values of Plivo's that could not be read, once each."""
        for value in values:
            self._left_out.value(attempt, value.field, value.shown)

    def attempts(self, ids: Sequence[str]) -> list[Attempt]:
        """The attempts of these ids that are still kept and can be read, in the order asked."""
        return [attempt for attempt in self.read(ids).values() if attempt is not None]

    def read(self, ids: Iterable[str]) -> dict[str, Attempt | None]:
        """The attempts of these ids that are still kept, in the order asked; None in place of one
        whose record cannot be read."""
        asked = list(dict.fromkeys(ids))
        with self._client.pipeline(transaction=False) as pipe:
            for attempt_id in asked:
                pipe.hgetall(self._keys.attempt(attempt_id))
            records = pipe.execute()
        return {
            attempt_id: self._read(attempt_id, record)
            for attempt_id, record in zip(asked, records, strict=True)
            if record
        }

    def _read(self, attempt_id: str, record: dict[str, str]) -> Attempt | None:
        try:
            attempt, odd = _attempt(attempt_id, record)
        except (KeyError, ValueError) as error:
            self._left_out.record("attempt", attempt_id, error)
            return None
        self.leave_out(attempt_id, odd)
        return attempt

    def attempt_by_reference(self, reference: str) -> Attempt | None:
        """The attempt that Plivo knows by this id; None when it is not one of ours (any more)."""
        attempt_id = self.id_by_reference(reference)
        return self.attempt(attempt_id) if attempt_id else None

    def id_by_reference(self, reference: str) -> str | None:
        """The id of the attempt that Plivo knows by this one; its record may be gone."""
        return self._client.get(self._keys.reference(reference))

    def attempts_of_number(self, number_index: str) -> list[Attempt]:
        """The attempts to one number (as its digest) that are still kept, newest first."""
        return self.attempts(self.ids_of_number(number_index))

    def ids_of_number(self, number_index: str) -> list[str]:
        """The ids of the attempts to one number, newest first; their records may be gone."""
        return self._client.zrevrange(self._keys.number(number_index), 0, _OF_A_NUMBER - 1)

    def newest_of_numbers(self, number_indexes: Iterable[str]) -> dict[str, str]:
        """The ids of the newest attempts to these numbers (by their digests), in one round trip;
        numbers of which none is kept are left out."""
        asked = list(number_indexes)
        if not asked:
            return {}
        with self._client.pipeline(transaction=False) as pipe:
            for index in asked:
                pipe.zrevrange(self._keys.number(index), 0, 0)
            found = pipe.execute()
        return {index: ids[0] for index, ids in zip(asked, found, strict=True) if ids}

    def recent(self, before: Entry | None = None, count: int = 500) -> list[Entry]:
        """The newest attempts, newest first; with `before`, those that stand after it in that list,
        exactly, however many share its millisecond and whether or not it is still there itself. An
        attempt may be listed a little longer than it is kept. Raises StoreUnavailable."""
        newest = "(+inf" if before is None else str(before.requested_ms)
        found: list[Entry] = []
        offset, step = 0, count + 1
        while len(found) < count:
            listed = self._client.zrevrangebyscore(
                self._keys.recent, newest, "(-inf", start=offset, num=step, withscores=True
            )
            # Redis begins at a score, not within one, so what stands before `before` comes again;
            # and what is added meanwhile moves the rest on, so the next step may repeat the last.
            for attempt, score in listed:
                entry = Entry(int(score), attempt)
                if before is None or entry < before:
                    found.append(entry)
                    before = entry
            if len(listed) < step:
                break
            offset += step
        return found[:count]

    def attempt(self, attempt_id: str) -> Attempt | None:
        """One attempt; None when it is unknown or no longer kept."""
        return next(iter(self.attempts([attempt_id])), None)

    def heard(self, attempt: str) -> list[dict[str, str]]:
        """All that was heard of an attempt, oldest first, the newest 100: dicts of `kind`,
        `outcome` (an `Applied` value), `at_ms`, `heard_ms` and `source`."""
        entries = self._client.xrange(self._keys.events(attempt))
        return [heard for _, e in entries if (heard := self._heard(attempt, e.get("event", "")))]

    def _heard(self, attempt: str, entry: str) -> dict[str, str] | None:
        names = ("kind", "outcome", "at_ms", "heard_ms", "source")
        try:
            heard = dict(zip(names, entry.split(), strict=True))
            EventKind(heard["kind"]), read_ms(heard["at_ms"]), read_ms(heard["heard_ms"])
        except ValueError as error:
            self._left_out.record("event", attempt, error)
            return None
        return heard


def _attempt(attempt_id: str, record: dict[str, str]) -> tuple[Attempt, list[Unreadable]]:
    """The attempt, and what of its record cannot be read. Raises KeyError or ValueError where that
    is something that every attempt has."""
    odd: list[Unreadable] = []

    def optional(name: str, read: Callable[[str], T]) -> T | None:
        text = record.get(name)
        try:
            return read(text) if text else None
        except ValueError:
            odd.append(Unreadable(name, f"stored, {len(text or '')} characters"))
            return None

    moments = {kind: at for kind in EventKind if (at := optional(f"{kind}_ms", read_ms))}
    attempt = Attempt(
        id=attempt_id,
        way=Way.of(record["channel"], record["mode"]),
        state=State(record["state"]),
        to_masked=record["to_masked"],
        region=record["region"],
        carrier=record["carrier"],
        # Every list and every age begins with the request.
        moments={EventKind.REQUESTED: moments[EventKind.REQUESTED]} | moments,
        reference=record.get("reference", ""),
        error_code=record.get("error_code", ""),
        hangup_cause=record.get("hangup_cause", ""),
        cause=record.get("cause", ""),
        remedy=record.get("remedy", ""),
        cost_micros=optional("cost_micros", _count) or 0,
        units=optional("units", _count) or 0,
        mcc=record.get("mcc", ""),
        mnc=record.get("mnc", ""),
        origin=record.get("origin", "first"),
        over_budget=optional("over_budget", OverBudget.parse),
    )
    if attempt.number < 1:
        raise ValueError("no number of an attempt")
    return attempt, odd


def _count(text: str) -> int:
    if len(text) > _LONGEST_COUNT or not text.isdecimal():
        raise ValueError("no count")
    return int(text)

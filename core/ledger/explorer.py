"""Finds single attempts among those kept: by what somebody knows of one, or newest first."""

import re
from dataclasses import dataclass

import pandas as pd

from core.ledger.attempts import Entry
from core.ledger.ledger import Ledger
from core.model.attempt import Attempt, EventKind, attempt_id
from core.model.clock import CLOCKS_DIFFER, elapsed
from core.model.errors import CursorRefused

PAGE = 50
#: How many are looked through for one page; filters that match hardly anything end there.
MOST_LOOKED_THROUGH = 5000
_BATCH = 500
_MOST_ATTEMPTS = 50
_VERIFICATION = re.compile(r"[a-z2-7]{24}")
_ATTEMPT = re.compile(r"[a-z2-7]{24}-\d{1,3}")
#: What a cursor looks like, as a regular expression.
CURSOR = r"^([0-9]{1,15})\.([a-z2-7]{24}-[0-9]{1,3})$"

#: The columns of `table`: what they hold is in its docstring.
COLUMNS = (
    "requested",
    "to",
    "channel",
    "country",
    "carrier",
    "state",
    "error",
    "seconds",
    "note",
    "attempt",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which attempts; "" is all of them. `error` is a message's error or a call's hangup cause."""

    state: str = ""
    channel: str = ""
    country: str = ""
    error: str = ""

    def holds(self, attempt: Attempt) -> bool:
        return (
            self.state in {"", attempt.state}
            and self.channel in {"", attempt.way.channel}
            and self.country in {"", attempt.region}
            and self.error in {"", attempt.error_code, attempt.hangup_cause}
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """A page, newest first. `cursor` names the next one, None where there is none; it is short and
    may stand in a URL. `is_cut`: more was there than is looked through at once, so this page may be
    short, and the next one goes on from there. `left_out` is how many attempts between those of the
    page have a record that cannot be read."""

    attempts: list[Attempt]
    cursor: str | None
    is_cut: bool = False
    left_out: int = 0


class Explorer:
    """Lists and finds attempts. Every method raises StoreUnavailable."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def page(self, wanted: Wanted, cursor: str | None = None, size: int = PAGE) -> Listed:
        """The newest `size` attempts that are wanted, or those after a page's `cursor`. Pages never
        overlap and never skip an attempt, also where many were requested in one millisecond. Raises
        CursorRefused for a cursor that is none."""
        before = _entry(cursor) if cursor is not None else None
        found: list[Attempt] = []
        last = before  # the last attempt that is on the page
        looked = left_out = since_last = 0
        while looked < MOST_LOOKED_THROUGH:
            entries = self._ledger.recent(before, _BATCH)
            at = {entry.attempt: entry for entry in entries}
            for listed_id, attempt in self._ledger.read(at).items():
                if attempt is None:
                    since_last += 1
                    continue
                if not wanted.holds(attempt):
                    continue
                # One more than the page holds, so that a next page is never an empty one.
                if len(found) == size and last is not None:
                    return Listed(found, _cursor(last), left_out=left_out)
                found.append(attempt)
                last = at[listed_id]
                left_out, since_last = left_out + since_last, 0
            if len(entries) < _BATCH:
                return Listed(found, None, left_out=left_out + since_last)
            looked += len(entries)
            before = entries[-1]
        # A full page goes on behind what it shows; a short one behind what was looked through.
        is_full = len(found) == size
        goes_on = last if is_full else before
        cursor = _cursor(goes_on) if goes_on else None
        return Listed(
            found,
            cursor,
            is_cut=not is_full,
            left_out=left_out if is_full else left_out + since_last,
        )

    def find(self, known: str) -> Listed:
        """The attempts that a verification's id, an attempt's id or Plivo's uuid names, newest
        first; none when it is not kept."""
        known = known.strip().lower()
        if _ATTEMPT.fullmatch(known):
            return self._listed([known])
        if _VERIFICATION.fullmatch(known):
            ids = [attempt_id(known, n) for n in range(_MOST_ATTEMPTS, 0, -1)]
            return self._listed(ids)
        found = self._ledger.id_by_reference(known)
        return self._listed([found] if found else [])

    def of_number(self, number_index: str) -> Listed:
        """The attempts to a number, by its digest, newest first."""
        return self._listed(self._ledger.ids_of_number(number_index))

    def _listed(self, ids: list[str]) -> Listed:
        """All of them that are kept, on one page."""
        found = list(self._ledger.read(ids).values())
        attempts = [one for one in found if one is not None]
        return Listed(attempts, None, left_out=len(found) - len(attempts))


def _cursor(entry: Entry) -> str:
    return f"{entry.requested_ms}.{entry.attempt}"


def _entry(cursor: str) -> Entry:
    """The reverse of `_cursor`."""
    found = re.fullmatch(CURSOR, cursor)
    if not found:
        raise CursorRefused(
            "This does not name a page of attempts.", "Begin again with the newest ones."
        )
    return Entry(int(found[1]), found[2])


def table(attempts: list[Attempt]) -> pd.DataFrame:
    """COLUMNS, one row an attempt: `requested` aware, UTC; `to` masked; `error` the code; `seconds`
    from the request to the delivery report, nan without one or where clocks differ, which the
    `note` says; `attempt` its id."""
    rows = []
    for attempt in attempts:
        requested = attempt.moments[EventKind.REQUESTED]
        delivered = attempt.moments.get(EventKind.DELIVERED)
        took = elapsed(requested, delivered) if delivered else None
        rows.append(
            (
                requested,
                attempt.to_masked,
                str(attempt.way.channel),
                attempt.region,
                attempt.carrier,
                str(attempt.state),
                attempt.error_code or attempt.hangup_cause,
                took.total_seconds() if took is not None else float("nan"),
                CLOCKS_DIFFER if delivered and took is None else "",
                attempt.id,
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))

"""Lists the stored attempts, newest first and filtered, and finds attempts by number or id."""

import re
from dataclasses import dataclass

from core.ledger.attempts import Entry
from core.ledger.ledger import Ledger
from core.model.attempt import Attempt, attempt_id
from core.model.errors import CursorRefused

PAGE = 50
#: The number of attempts that are searched for one page at most, if few of them match the filter.
MAX_SEARCHED = 5000
_BATCH = 500
_MAX_ATTEMPTS = 50
_VERIFICATION = re.compile(r"[a-z2-7]{24}")
_ATTEMPT = re.compile(r"[a-z2-7]{24}-\d{1,3}")
#: The form of a cursor, as a regular expression.
CURSOR = r"^([0-9]{1,15})\.([a-z2-7]{24}-[0-9]{1,3})$"


@dataclass(frozen=True, slots=True)
class AttemptFilter:
    """Selects attempts; "" selects all. `error` is a message's error, a call's hangup cause, or
    the status of an unclear send."""

    state: str = ""
    channel: str = ""
    country: str = ""
    error: str = ""

    def matches(self, attempt: Attempt) -> bool:
        return (
            self.state in {"", attempt.state}
            and self.channel in {"", attempt.way.channel}
            and self.country in {"", attempt.region}
            and self.error in {"", attempt.error, attempt.error_code, attempt.hangup_cause}
        )


@dataclass(frozen=True, slots=True)
class AttemptPage:
    """A page of attempts, newest first. `cursor` requests the next page and can be part of a URL;
    None on the last page. `is_cut`: the search ended at MAX_SEARCHED, so the page is not full, and
    the next page continues there. `left_out`: the number of attempts in the range of the page whose
    record cannot be read."""

    attempts: list[Attempt]
    cursor: str | None
    is_cut: bool = False
    left_out: int = 0


class Explorer:
    """Lists and finds attempts. Every method raises StoreUnavailable."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def page(
        self, attempt_filter: AttemptFilter, cursor: str | None = None, size: int = PAGE
    ) -> AttemptPage:
        """The newest `size` attempts that match, or the next ones after `cursor`. Pages never
        overlap and never skip an attempt, also if many have the same millisecond. Raises
        CursorRefused for a malformed cursor."""
        before = _parse_cursor(cursor) if cursor is not None else None
        attempts: list[Attempt] = []
        last = before  # the last attempt on the page
        searched = left_out = unreadable = 0  # `unreadable` counts from `last` on
        while searched < MAX_SEARCHED:
            entries = self._ledger.recent(before, _BATCH)
            by_id = {entry.attempt: entry for entry in entries}
            for attempt_id_, attempt in self._ledger.read(by_id).items():
                if attempt is None:
                    unreadable += 1
                    continue
                if not attempt_filter.matches(attempt):
                    continue
                # The search finds one attempt more than the page holds: a next page is never empty.
                if len(attempts) == size and last is not None:
                    return AttemptPage(attempts, _cursor(last), left_out=left_out)
                attempts.append(attempt)
                last = by_id[attempt_id_]
                left_out, unreadable = left_out + unreadable, 0
            if len(entries) < _BATCH:
                return AttemptPage(attempts, None, left_out=left_out + unreadable)
            searched += len(entries)
            before = entries[-1]
        # The next page continues after the last attempt of a full page, else after the last
        # attempt that was searched.
        is_full = len(attempts) == size
        end = last if is_full else before
        return AttemptPage(
            attempts,
            _cursor(end) if end else None,
            is_cut=not is_full,
            left_out=left_out if is_full else left_out + unreadable,
        )

    def find(self, identifier: str) -> AttemptPage:
        """The attempts with this id of a verification, id of an attempt or uuid of Plivo, newest
        first; an empty page if none is kept."""
        identifier = identifier.strip().lower()
        if _ATTEMPT.fullmatch(identifier):
            return self._single_page([identifier])
        if _VERIFICATION.fullmatch(identifier):
            numbers = range(_MAX_ATTEMPTS, 0, -1)
            return self._single_page([attempt_id(identifier, n) for n in numbers])
        id_ = self._ledger.id_by_reference(identifier)
        return self._single_page([id_] if id_ else [])

    def find_by_number(self, number_index: str) -> AttemptPage:
        """The attempts to a number (given as its digest), newest first."""
        return self._single_page(self._ledger.ids_of_number(number_index))

    def _single_page(self, ids: list[str]) -> AttemptPage:
        """One page with all of these attempts that are still kept."""
        records = list(self._ledger.read(ids).values())
        attempts = [attempt for attempt in records if attempt is not None]
        return AttemptPage(attempts, None, left_out=len(records) - len(attempts))


def _cursor(entry: Entry) -> str:
    return f"{entry.requested_ms}.{entry.attempt}"


def _parse_cursor(cursor: str) -> Entry:
    """The reverse of `_cursor`."""
    match = re.fullmatch(CURSOR, cursor)
    if not match:
        raise CursorRefused(
            "This does not name a page of attempts.", "Begin again with the newest ones."
        )
    return Entry(int(match[1]), match[2])

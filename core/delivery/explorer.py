"""Finds single attempts among those kept: by what somebody knows of one, or newest first."""

import re
from dataclasses import dataclass

import pandas as pd

from core.clock import to_ms
from core.delivery.attempt import Attempt, EventKind, attempt_id
from core.delivery.ledger import Ledger

PAGE = 50
#: How many are looked through for one page; filters that match hardly anything end there.
MOST_LOOKED_THROUGH = 5000
_BATCH = 500
_MOST_ATTEMPTS = 50
_VERIFICATION = re.compile(r"[a-z2-7]{24}")
_ATTEMPT = re.compile(r"[a-z2-7]{24}-\d{1,3}")

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
            and self.channel in {"", attempt.channel}
            and self.country in {"", attempt.region}
            and self.error in {"", attempt.error_code, attempt.hangup_cause}
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """A page, newest first. `before_ms` names the next one, None at the end; `is_cut`: more was
    there than is looked through at once, and the next page goes on from there."""

    attempts: list[Attempt]
    before_ms: int | None
    is_cut: bool = False


class Explorer:
    """Lists and finds attempts. Every method raises StoreUnavailable."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def page(self, wanted: Wanted, before_ms: int | None = None, size: int = PAGE) -> Listed:
        """The newest `size` attempts that are wanted, of those requested before `before_ms`."""
        found: list[Attempt] = []
        looked = 0
        while looked < MOST_LOOKED_THROUGH:
            ids = self._ledger.recent(before_ms, _BATCH)
            if not ids:
                return Listed(found, None)
            for attempt in self._ledger.attempts(ids):
                before_ms = to_ms(attempt.moments[EventKind.REQUESTED])
                if wanted.holds(attempt):
                    found.append(attempt)
                    if len(found) == size:
                        return Listed(found, before_ms)
            looked += len(ids)
            if len(ids) < _BATCH:
                return Listed(found, None)
        return Listed(found, before_ms, is_cut=True)

    def find(self, known: str) -> list[Attempt]:
        """The attempts that a verification's id, an attempt's id or Plivo's uuid names, newest
        first; none when it is not kept."""
        known = known.strip().lower()
        if _ATTEMPT.fullmatch(known):
            return self._ledger.attempts([known])
        if _VERIFICATION.fullmatch(known):
            ids = [attempt_id(known, n) for n in range(_MOST_ATTEMPTS, 0, -1)]
            return self._ledger.attempts(ids)
        found = self._ledger.attempt_by_reference(known)
        return [found] if found else []

    def of_number(self, number_index: str) -> list[Attempt]:
        """The attempts to a number, by its digest, newest first."""
        return self._ledger.attempts_of_number(number_index)


def table(attempts: list[Attempt]) -> pd.DataFrame:
    """COLUMNS, one row an attempt: `requested` aware, UTC; `to` masked; `error` the code; `seconds`
    from the request to the delivery report, nan without one; `attempt` its id."""
    rows = []
    for one in attempts:
        requested = one.moments[EventKind.REQUESTED]
        delivered = one.moments.get(EventKind.DELIVERED)
        rows.append(
            (
                requested,
                one.to_masked,
                str(one.channel),
                one.region,
                one.carrier,
                str(one.state),
                one.error_code or one.hangup_cause,
                (delivered - requested).total_seconds() if delivered else float("nan"),
                one.id,
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))

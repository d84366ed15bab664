"""Stores calls and their transcripts."""

import dataclasses
import math
import sqlite3
from dataclasses import dataclass, field
from decimal import Decimal

from core.sandbox.arrivals import ArrivalKind, Arrivals
from core.sandbox.clock import SandboxClock
from core.sandbox.codes_in_text import code_in_call
from core.sandbox.facts.pricing import price_of
from core.sandbox.inbox import Inbox, InboxChannel, InboxEntry
from core.sandbox.storage import Storage

#: The newest lines of a transcript in which a code is looked for: a call may speak for ever.
LINES_WITH_CODE = 20
BILLING_STEP = 60  # seconds
MAX_BILLED = 10**9  # seconds; longer than any call

#: The kind of an entry of a transcript that says what could not be played.
PROBLEM = "problem"

#: List filters that are the same for every call of the sandbox. None: the sandbox has no such
#: thing, so no value of the filter matches.
CONSTANTS = {"call_direction": "outbound", "subaccount": None, "parent_call_uuid": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOrder:
    """A parsed request to call a number. An empty URL gets no callbacks."""

    from_number: str
    to_number: str
    answer_url: str = field(repr=False)
    answer_method: str = "POST"
    ring_url: str = field(default="", repr=False)
    ring_method: str = "POST"
    hangup_url: str = field(default="", repr=False)
    hangup_method: str = "POST"
    fallback_url: str = field(default="", repr=False)
    fallback_method: str = "POST"
    machine_detection: str = ""  # "true", "hangup", or empty
    ring_timeout: float = 120.0
    time_limit: float = 14_400.0
    caller_name: str = ""
    phlo_otp: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxCall(CallOrder):
    """One call. Moments are Unix seconds, None until they happen.

    Every change of the call increases `turn`; a job scheduled for an earlier turn does nothing.
    `step`, `prompt`, `loops` and `tries` are the position in `document`.
    """

    call_uuid: str
    country: str | None
    initiated_at: float
    rang_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    hangup_code: int | None = None
    hangup_source: str = ""
    turn: int = 0
    document: bytes = field(default=b"", repr=False)
    document_url: str = field(default="", repr=False)
    step: int = 0
    prompt: int = 0
    loops: int = 0
    tries: int = 0
    keys: str = field(default="", repr=False)
    waits_for_key: bool = False

    @property
    def status(self) -> str:
        """The status on the handset; "ringing" also before the phone rings."""
        if self.ended_at is not None:
            return "ended"
        return "ringing" if self.answered_at is None else "in-progress"

    @property
    def rate(self) -> Decimal:
        """US dollars per minute."""
        return price_of(self.country).minute

    def talked(self, clock: SandboxClock) -> int:
        """Whole simulated seconds from answer to end; 0 if the call was not answered."""
        if self.answered_at is None or self.ended_at is None:
            return 0
        return max(1, int(clock.simulated(self.answered_at, self.ended_at) + 0.5))

    def cost(self, clock: SandboxClock) -> Decimal:
        return self.rate * math.ceil(self.talked(clock) / BILLING_STEP)


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Filters of a list: `since` ≤ ended_at < `until`; None means any value."""

    since: float
    until: float
    from_number: str | None = None
    to_number: str | None = None
    hangup_cause_code: int | None = None
    hangup_source: str | None = None
    #: Inclusive bounds of `talked`; `speed` is that of the sandbox's clock.
    shortest: int = 0
    longest: int = MAX_BILLED
    speed: float = 1.0


#: `SandboxCall.talked` in SQL.
_TALKED = (
    "CASE WHEN answered_at IS NULL THEN 0"
    " ELSE max(1, CAST(max(0.0, ended_at - answered_at) * :speed + 0.5 AS INTEGER)) END"
)
_FILTER = (
    " FROM calls WHERE ended_at >= :since AND ended_at < :until"
    " AND (:from_number IS NULL OR from_number = :from_number)"
    " AND (:to_number IS NULL OR to_number = :to_number)"
    " AND (:hangup_cause_code IS NULL OR hangup_code = :hangup_cause_code)"
    " AND (:hangup_source IS NULL OR hangup_source = :hangup_source)"
    f" AND {_TALKED} BETWEEN :shortest AND :longest"
)


class CallLog:
    """Reads and writes the tables `calls` and `transcript`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._inbox = Inbox(storage)
        self._arrivals = Arrivals(storage)

    def save(self, call: SandboxCall) -> None:
        self._storage.save("calls", call)
        if call.rang_at is not None:
            self._inbox.add(
                InboxEntry(
                    call.call_uuid,
                    InboxChannel.CALL,
                    call.to_number,
                    call.from_number,
                    call.rang_at,
                )
            )
            self._arrivals.add(call.to_number, ArrivalKind.RINGING, call.call_uuid, call.rang_at)

    def find(self, call_uuid: str) -> SandboxCall | None:
        row = self._storage.row(
            "SELECT * FROM calls WHERE call_uuid = :call_uuid", call_uuid=call_uuid
        )
        return _call(row) if row else None

    def page(self, where: CallFilter, limit: int, offset: int) -> tuple[list[SandboxCall], int]:
        """Ended calls that match `where`, newest first, and the number of all matches."""
        values = dataclasses.asdict(where)
        rows = self._storage.rows(
            f"SELECT *{_FILTER} ORDER BY ended_at DESC, rowid DESC LIMIT :limit OFFSET :offset",
            limit=limit,
            offset=offset,
            **values,
        )
        total = self._storage.rows(f"SELECT COUNT(*) AS total{_FILTER}", **values)[0]["total"]
        return [_call(row) for row in rows], total

    def open_calls(self) -> list[SandboxCall]:
        """Calls that have not ended, newest first."""
        rows = self._storage.rows(
            "SELECT * FROM calls WHERE ended_at IS NULL ORDER BY initiated_at DESC, rowid DESC"
        )
        return [_call(row) for row in rows]

    def newest(self, limit: int) -> list[SandboxCall]:
        """Calls in any state, newest first."""
        rows = self._storage.rows(
            "SELECT * FROM calls ORDER BY initiated_at DESC, rowid DESC LIMIT :limit", limit=limit
        )
        return [_call(row) for row in rows]

    def rang_since(self, number: str, since: float, limit: int) -> list[SandboxCall]:
        """Calls that rang a handset after `since`, newest first."""
        rows = self._storage.rows(
            "SELECT * FROM calls WHERE to_number = :number AND rang_at > :since"
            " ORDER BY rang_at DESC, rowid DESC LIMIT :limit",
            number=number,
            since=since,
            limit=limit,
        )
        return [_call(row) for row in rows]

    def add_to_transcript(self, call: SandboxCall, at: float, kind: str, text: str) -> None:
        """Add to the transcript; `kind` is "spoken", "key", "ignored-key" or PROBLEM."""
        self._storage.run(
            "INSERT INTO transcript VALUES (:call_uuid, :at, :kind, :text)",
            call_uuid=call.call_uuid,
            at=at,
            kind=kind,
            text=text,
        )
        if kind != "spoken":
            return
        code = self.spoken_code(call.call_uuid)
        self._inbox.add_speech(call.call_uuid, text, code)
        if code is not None:
            self._arrivals.add(call.to_number, ArrivalKind.SPOKEN_CODE, call.call_uuid, at)

    def spoken_code(self, call_uuid: str) -> str | None:
        """The code that was spoken last in a call."""
        lines = self.transcript(call_uuid, LINES_WITH_CODE)
        return code_in_call((line["kind"], line["text"]) for line in lines)

    def transcript(self, call_uuid: str, limit: int = -1) -> list[sqlite3.Row]:
        """Rows of at, kind and text, oldest first; with a limit, only the newest ones."""
        rows = self._storage.rows(
            "SELECT at, kind, text FROM transcript WHERE call_uuid = :call_uuid"
            " ORDER BY rowid DESC LIMIT :limit",
            call_uuid=call_uuid,
            limit=limit,
        )
        return rows[::-1]


def _call(row: sqlite3.Row) -> SandboxCall:
    return SandboxCall(**{**dict(row), "waits_for_key": bool(row["waits_for_key"])})

"""Attempts, their events, and the state that follows from the events.

The state is that of the highest-ranked event received. So events may come in any order and more
than once, and no event moves an attempt back. The ranks (RANKS), ascending:

    requested    recorded before the request to Plivo
    unconfirmed  the answer to the send never came or could not be read, or was 429 or 5xx; state
                 `unclear`. Every report of Plivo outranks it
    accepted     Plivo answered with a reference
    queued       message: in Plivo's queue            ringing   call: the phone rings
    sent         message: handed to the carrier       answered  call: a person or a machine answered
    unreported   no final report within the horizon; state `unknown` (sent is not delivered)
    rejected     Plivo refused the send
    failed       ended before it reached the carrier or the phone
    undelivered  refused by the carrier or the phone; for a call, the code was not read out
    delivered    message: by its receipt. Call: 1 was pressed and the code was read out; a PHLO's
                 own call, which has fewer events: it was answered and lasted

`delivered` is highest because it is proved, while carriers revise their other reports.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

from core.model.clock import read_ms
from core.model.unreadable import Unreadable
from core.model.way import Way

#: The error of an unclear send that has no HTTP status of its own; `_counted.lua` has it too.
NO_ANSWER = "no answer"


class State(StrEnum):
    """The state of an attempt."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    QUEUED = "queued"
    RINGING = "ringing"
    SENT = "sent"
    ANSWERED = "answered"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    REJECTED = "rejected"
    UNCLEAR = "unclear"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Whether no further report of the provider is expected."""
        return self in {State.DELIVERED, State.UNDELIVERED, State.FAILED, State.REJECTED}

    @property
    def is_lost(self) -> bool:
        """Whether it is known that the code did not arrive."""
        return self.is_final and self is not State.DELIVERED

    @property
    def is_uncertain(self) -> bool:
        """Whether it is not known how the attempt ended, and no report is waited for. One may still
        come, or Plivo's logs may have it."""
        return self in {State.UNCLEAR, State.UNKNOWN}


class EventKind(StrEnum):
    """The kinds of events. The values are those that `_ledger.lua` ranks."""

    REQUESTED = "requested"
    UNCONFIRMED = "unconfirmed"
    ACCEPTED = "accepted"
    QUEUED = "queued"
    RINGING = "ringing"
    SENT = "sent"
    ANSWERED = "answered"
    UNREPORTED = "unreported"
    REJECTED = "rejected"
    FAILED = "failed"
    UNDELIVERED = "undelivered"
    DELIVERED = "delivered"
    #: Entered codes, wrong and right. `check_code.lua` stores these with the verification; they
    #: change no state of an attempt.
    CHECKED = "checked"
    VERIFIED = "verified"


#: The ranks of the kinds that give a state. Of two equal ones, one is of messages and one of calls.
#: `_ledger.lua` has the same table; a test compares the two.
RANKS = {
    EventKind.REQUESTED: 0,
    EventKind.UNCONFIRMED: 1,
    EventKind.ACCEPTED: 2,
    EventKind.QUEUED: 3,
    EventKind.RINGING: 3,
    EventKind.SENT: 4,
    EventKind.ANSWERED: 4,
    EventKind.UNREPORTED: 5,
    EventKind.REJECTED: 6,
    EventKind.FAILED: 7,
    EventKind.UNDELIVERED: 8,
    EventKind.DELIVERED: 9,
}


class Proof(StrEnum):
    """What a right code proves about an attempt of its verification: this one brought it, this or
    another one did, or another one. `core.ledger.attribution` has the definitions."""

    SOLE = "sole"
    SHARED = "shared"
    OTHER = "other"


class Source(StrEnum):
    """Where an event was received from."""

    APP = "app"
    CALLBACK = "callback"
    POLL = "poll"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class OverBudget:
    """A budget that had no room for a send or a check. In the sandbox budgets only warn, so this is
    stored with the send or check that was allowed. `limit` has the unit of the scripts: for the
    spend of a day, millionths of a US dollar."""

    budget: str
    limit: int
    free_at: datetime

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """From "<budget> <limit> <free at, Unix ms>", as the scripts write it; None for no text."""
        if not text:
            return None
        budget, limit, free_ms = text.split()
        return cls(budget, int(limit), read_ms(free_ms))


@dataclass(frozen=True, slots=True)
class AttemptEvent:
    """One event of one attempt.

    `at` is its time by the clock of its source, `fields` what it adds to the attempt's record, as
    text: `reference`, `error_code`, `hangup_cause`, `send_status`, `cost_micros`, `units`, `mcc`,
    `mnc`, `network`, `cause`, `remedy`; with `requested`, also `channel`, `mode`, `to_masked`,
    `region`, `carrier`, `number_index` (a digest), `origin`, and `sample` for sample
    traffic.
    `unreadable` are the values that were left out of the event.
    """

    attempt: str
    kind: EventKind
    at: datetime
    source: Source
    fields: dict[str, str] = field(default_factory=dict)
    unreadable: tuple[Unreadable, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One message or call, with the state and times that its events give.

    `moments` holds the time of each kind of event, aware, in UTC; VERIFIED not where another
    attempt brought the code. The number is kept only masked, in `to_masked`.
    """

    id: str
    way: Way
    state: State
    to_masked: str
    region: str
    carrier: str
    moments: dict[EventKind, datetime]
    reference: str = ""
    error_code: str = ""
    hangup_cause: str = ""
    #: The HTTP status of an unclear send, 429 or 5xx; "" for any other and for no answer.
    send_status: str = ""
    cause: str = ""
    remedy: str = ""
    cost_micros: int = 0
    units: int = 0
    mcc: str = ""
    mnc: str = ""
    #: The network that Plivo names; `carrier` is that of the numbering plan, where it is counted.
    network: str = ""
    #: "first" of its verification, "resend" (the same way again) or "fallback" (another way).
    origin: str = "first"
    #: None while no right code was entered, and for a moment after it, where the verification has
    #: several attempts.
    proof: Proof | None = None
    #: The budget that would have refused this send when live; None where there was room.
    over_budget: OverBudget | None = None
    #: Whether it is sample traffic: invented, never sent.
    is_sample: bool = False

    @property
    def verification(self) -> str:
        return verification_of(self.id)

    @property
    def error(self) -> str:
        """The code of the error: of an unclear send its status or NO_ANSWER, else a message's error
        or a call's hangup cause; "" where there is none."""
        if self.state is State.UNCLEAR:
            return self.send_status or NO_ANSWER
        return self.error_code or self.hangup_cause

    @property
    def number(self) -> int:
        """1 for the first attempt of its verification."""
        return int(self.id.rpartition("-")[2])


def attempt_id(verification: str, number: int) -> str:
    """The id of the n-th attempt (from 1) of a verification."""
    return f"{verification}-{number}"


def verification_of(attempt: str) -> str:
    """The verification that an attempt belongs to."""
    return attempt.rpartition("-")[0]

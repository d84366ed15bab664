"""An attempt, what may be heard of it, and the state that follows.

One rule gives the state: it is that of the highest-ranked event heard so far. So it does not matter
in which order events come, or how often, and no event moves an attempt back. The ranks say whom we
believe:

    requested    we wrote it down, before Plivo was asked
    unconfirmed  no clear answer to the send; state `unknown`. Any word of Plivo's outranks it
    accepted     Plivo answered with a reference
    queued       message: in Plivo's queue            ringing   call: the phone rings
    sent         message: handed to the carrier       answered  call: somebody or something answered
    unreported   nothing final within the horizon; state `unknown` (sent is not delivered)
    rejected     Plivo said no
    failed       Plivo gave up before the carrier or the phone was reached
    undelivered  the carrier or the phone said no; for a call, the code was not read out
    delivered    message: the receipt says so. Call: somebody pressed 1 and the code was read out;
                 a PHLO's own call, of which less is heard: it was answered and lasted

`delivered` is highest because it is evidence and the others are opinions: carriers do revise.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

from core.model.clock import read_ms
from core.model.unreadable import Unreadable
from core.model.way import Way


class State(StrEnum):
    """Where an attempt stands."""

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
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Whether the provider has spoken its last word, as far as is known."""
        return self in {State.DELIVERED, State.UNDELIVERED, State.FAILED, State.REJECTED}

    @property
    def is_lost(self) -> bool:
        """Whether it is known that the code did not arrive."""
        return self.is_final and self is not State.DELIVERED


class EventKind(StrEnum):
    """What can be heard of an attempt. The values are those that `_ledger.lua` ranks."""

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
    #: What people did with the code: `check_code.lua` keeps these with the verification, and they
    #: move no state of an attempt.
    CHECKED = "checked"
    VERIFIED = "verified"


class Source(StrEnum):
    """Who told us."""

    APP = "app"
    CALLBACK = "callback"
    POLL = "poll"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class OverBudget:
    """A budget that had no room for a send or a check. In the sandbox budgets only warn, so this is
    kept with what went on in spite of it. `limit` is as the scripts count: for the spend of a day,
    millionths of a US dollar."""

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
    """One piece of news about one attempt.

    `at` is when it happened by the teller's clock, `fields` what it adds to the attempt's record,
    as text: `reference`, `error_code`, `hangup_cause`, `cost_micros`, `units`, `mcc`, `mnc`,
    `cause`, `remedy`; with `requested`, also `channel`, `mode`, `to_masked`, `region`, `carrier`,
    `number_index` (a digest), `origin`, and of a later attempt `first_channel` and `first_ms`.
    `unreadable` is what was left out of the news.
    """

    attempt: str
    kind: EventKind
    at: datetime
    source: Source
    fields: dict[str, str] = field(default_factory=dict)
    unreadable: tuple[Unreadable, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One message or call, as the ledger knows it.

    `moments` holds when each kind of event happened, aware, in UTC. `to_masked` is all that is kept
    of the number here.
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
    cause: str = ""
    remedy: str = ""
    cost_micros: int = 0
    units: int = 0
    mcc: str = ""
    mnc: str = ""
    #: "first" of its verification, "resend" (the same way again) or "fallback" (another way).
    origin: str = "first"
    #: The budget that, live, would have refused this send; None where there was room.
    over_budget: OverBudget | None = None

    @property
    def verification(self) -> str:
        return verification_of(self.id)

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

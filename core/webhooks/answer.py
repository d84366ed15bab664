"""The result of sending an event: what the receiver's answer means."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Verdict(StrEnum):
    """What an answer means for the event."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # a later try may be accepted
    GONE = "gone"  # the receiver wants no more events


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a try. `status` is None if there was no answer; `cause` is a sentence that is
    safe to log and to show, "" if the event was accepted; `retry_after` is the receiver's."""

    verdict: Verdict
    status: int | None
    cause: str
    retry_after: timedelta | None = None

"""An HTTP exchange with Plivo, masked."""

from dataclasses import dataclass
from typing import Any

from core.model.attempt import EventKind


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request to Plivo, or one callback from it. Every part is masked already.

    `direction` is "request" or "callback"; `at_ms` Unix milliseconds; `call` the SDK call that made
    a request, "" for a callback; `status` the HTTP status, None where no answer came; `span_ms` how
    long the answer took. `attempt` is the id of its attempt; `events` the kinds of events that it
    reported, empty for the requests of a send.
    """

    direction: str
    at_ms: int
    method: str
    url: str
    sent: dict[str, Any]
    status: int | None
    answer: Any
    span_ms: int
    call: str = ""
    attempt: str = ""
    events: tuple[EventKind, ...] = ()

"""What is told of a verification, and the JSON that says it.

    {"id": "<attempt or verification>_<what>", "type": "verification.<what>",
     "timestamp": "2026-03-14T09:26:53.589Z",
     "data": {"verification", "attempt", "channel", "mode", "to_masked", "country", "status", …}}

The id and the bytes are the same at every try, so a receiver can drop what it has had. Nothing here
is a code or a number, and there is no field for one.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.model.clock import elapsed, read_ms
from core.model.way import Way


class WebhookKind(StrEnum):
    """What has happened. The values are those of `_outbox.lua`."""

    REQUESTED = "requested"  # the verification was started, its first attempt written down
    DELIVERED = "delivered"  # an attempt arrived
    VERIFIED = "verified"  # the right code was entered
    FAILED = "failed"  # an attempt was lost, or the verification ended otherwise: see `reason`
    EXPIRED = "expired"  # the verification ended without its code


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One event. `at` is when it happened, aware, in UTC.

    `status` is the verification's at that moment, or when it was heard of: `pending`, `verified`,
    `locked`, `canceled`, `expired`. `reason` is set where it failed: `rejected`, `failed` or
    `undelivered` is said of the attempt (another one may follow), `locked` and `canceled` of the
    verification. `attempt` is the attempt in question, else the newest one.
    """

    id: str
    what: WebhookKind
    at: datetime
    verification: str
    attempt: str
    way: Way
    to_masked: str
    country: str
    status: str
    reason: str = ""
    error_code: str = ""
    hangup_cause: str = ""
    cause: str = ""
    time_to_deliver: timedelta | None = None
    time_to_verify: timedelta | None = None

    @property
    def type(self) -> str:
        """Its name to the receiver."""
        return f"verification.{self.what}"

    @property
    def body(self) -> bytes:
        """The JSON, in ASCII. What is not known is left out."""
        data: dict[str, str | int] = {
            "verification": self.verification,
            "attempt": self.attempt,
            **self.way.fields,
            "to_masked": self.to_masked,
            "country": self.country,
            "status": self.status,
        }
        why = {
            "reason": self.reason,
            "error_code": self.error_code,
            "hangup_cause": self.hangup_cause,
            "cause": self.cause,
        }
        data |= {name: text for name, text in why.items() if text}
        if self.time_to_deliver is not None:
            data["time_to_deliver_ms"] = _ms(self.time_to_deliver)
        if self.time_to_verify is not None:
            data["time_to_verify_ms"] = _ms(self.time_to_verify)
        at = self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        told = {"id": self.id, "type": self.type, "timestamp": at, "data": data}
        return json.dumps(told, separators=(",", ":")).encode("ascii")


def event_of(one: str, facts: str) -> WebhookEvent:
    """The event with this id, from what `_outbox.lua` has kept of it. Raises AttributeError,
    KeyError, TypeError or ValueError where that cannot be read."""
    kept: dict[str, str] = json.loads(facts)
    what = WebhookKind(kept["type"])
    lost = what is WebhookKind.FAILED
    return WebhookEvent(
        id=one,
        what=what,
        at=read_ms(str(kept["at_ms"])),
        verification=kept["verification"],
        attempt=kept["attempt"],
        way=Way.of(kept["channel"], kept["mode"]),
        to_masked=kept["to_masked"],
        country=kept["region"],
        status=kept["status"],
        # An attempt's own state says how it was lost.
        reason=kept.get("reason") or (kept.get("state", "") if lost else ""),
        error_code=kept.get("error_code", "") if lost else "",
        hangup_cause=kept.get("hangup_cause", "") if lost else "",
        cause=kept.get("cause", "") if lost else "",
        time_to_deliver=_between(kept.get("requested_ms"), kept.get("delivered_ms")),
        time_to_verify=_between(kept.get("started_ms"), kept.get("verified_ms")),
    )


def _between(began_ms: str | None, ended_ms: str | None) -> timedelta | None:
    """None also where clocks differ."""
    if began_ms is None or ended_ms is None:
        return None
    return elapsed(read_ms(began_ms), read_ms(ended_ms))


def _ms(span: timedelta) -> int:
    return round(span / timedelta(milliseconds=1))

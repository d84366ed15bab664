"""The events of a verification and their JSON.

    {"id": "<attempt or verification>_<kind>", "type": "verification.<kind>",
     "timestamp": "2026-03-14T09:26:53.589Z",
     "data": {"verification", "attempt", "channel", "mode", "to_masked", "country", "status", …}}

The id and the bytes are the same at every try, so that a receiver can drop duplicates. No field
holds a code or a full number.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.model.clock import duration_ms, elapsed, read_ms
from core.model.way import Way
from core.webhooks.alert_event import PREFIX, AlertEvent, read_alert_event
from core.webhooks.envelope import envelope


class WebhookKind(StrEnum):
    """The kinds of events. The values are those of `_outbox.lua`."""

    REQUESTED = "requested"  # the verification was started, its first attempt recorded
    DELIVERED = "delivered"  # an attempt was delivered
    VERIFIED = "verified"  # the right code was entered
    FAILED = "failed"  # an attempt failed, or the verification ended otherwise: see `reason`
    EXPIRED = "expired"  # the verification ended without its code


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """An event. `at` is when it happened, aware, in UTC.

    `status` is the verification's when the event was applied: `pending`, `verified`, `locked`,
    `canceled`, `expired`. `reason` is set for a failure: `rejected`, `failed` and `undelivered`
    are reasons of the attempt (another one may follow), `locked` and `canceled` of the
    verification. `attempt` is the attempt that the event is about, else the newest one.
    """

    id: str
    kind: WebhookKind
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
        """The type that the receiver sees."""
        return f"verification.{self.kind}"

    @property
    def body(self) -> bytes:
        """The JSON, in ASCII, without unknown values."""
        data: dict[str, str | int] = {
            "verification": self.verification,
            "attempt": self.attempt,
            **self.way.fields,
            "to_masked": self.to_masked,
            "country": self.country,
            "status": self.status,
        }
        failure = {
            "reason": self.reason,
            "error_code": self.error_code,
            "hangup_cause": self.hangup_cause,
            "cause": self.cause,
        }
        data |= {name: text for name, text in failure.items() if text}
        if self.time_to_deliver is not None:
            data["time_to_deliver_ms"] = duration_ms(self.time_to_deliver)
        if self.time_to_verify is not None:
            data["time_to_verify_ms"] = duration_ms(self.time_to_verify)
        return envelope(self.id, self.type, self.at, data)


#: Any event of the queue.
QueuedEvent = WebhookEvent | AlertEvent


def read_event(event_id: str, stored: str) -> QueuedEvent:
    """The event that is stored under this id, by `_outbox.lua` or `queue_alerts`. Raises
    AttributeError, KeyError, TypeError or ValueError if it cannot be read."""
    fields: dict[str, str] = json.loads(stored)
    if fields["type"].startswith(PREFIX):
        return read_alert_event(event_id, fields)
    kind = WebhookKind(fields["type"])
    has_failed = kind is WebhookKind.FAILED
    return WebhookEvent(
        id=event_id,
        kind=kind,
        at=read_ms(str(fields["at_ms"])),
        verification=fields["verification"],
        attempt=fields["attempt"],
        way=Way.of(fields["channel"], fields["mode"]),
        to_masked=fields["to_masked"],
        country=fields["region"],
        status=fields["status"],
        # Without a reason, an attempt failed: its state is the reason.
        reason=fields.get("reason") or (fields.get("state", "") if has_failed else ""),
        error_code=fields.get("error_code", "") if has_failed else "",
        hangup_cause=fields.get("hangup_cause", "") if has_failed else "",
        cause=fields.get("cause", "") if has_failed else "",
        time_to_deliver=_between(fields.get("requested_ms"), fields.get("delivered_ms")),
        time_to_verify=_between(fields.get("started_ms"), fields.get("verified_ms")),
    )


def _between(began_ms: str | None, ended_ms: str | None) -> timedelta | None:
    """None also if clocks differ."""
    if began_ms is None or ended_ms is None:
        return None
    return elapsed(read_ms(began_ms), read_ms(ended_ms))

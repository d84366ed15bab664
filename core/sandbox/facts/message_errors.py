"""Plivo's message error codes, and the message state of each.

Source: Plivo's error code pages. A `failed` message never reached a carrier and costs nothing; an
`undelivered` message was sent. Where Plivo names both (10, 90, 1000), this table has the likelier
one. Codes of MMS and of inbound messages are left out: the sandbox only sends text.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SimulatedMessageError:
    """`state` is the final state of a message with this error."""

    code: int
    meaning: str
    state: str


_FAILED = {
    10: "Invalid message",
    40: "Invalid source number",
    60: "Loop detected",
    110: "Message too long",
    200: "Source blocked by STOP from destination",
    201: "US toll-free to Canada blocked",
    300: "Failed to dispatch message",
    420: "Message expired in the queue",
    450: "Destination country barred",
    451: "Hourly threshold of the country breached",
    452: "SMS pumping suspected",
    900: "Insufficient credit",
    910: "Account disabled",
}
_UNDELIVERED = {
    20: "Network error",
    30: "Spam detected",
    50: "Invalid destination number",
    70: "Destination permanently unavailable",
    80: "Destination temporarily unavailable",
    90: "No route available",
    100: "Prohibited by the carrier",
}

EXPIRED = 420

MESSAGE_ERRORS = {
    code: SimulatedMessageError(code, meaning, state)
    for state, codes in (("failed", _FAILED), ("undelivered", _UNDELIVERED))
    for code, meaning in codes.items()
}

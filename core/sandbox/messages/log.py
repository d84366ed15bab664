"""Stores messages, and writes them as Plivo's log records and callbacks."""

import dataclasses
from dataclasses import dataclass, field
from datetime import timezone
from decimal import Decimal
from typing import Any

from core.sandbox.arrivals import ArrivalKind, Arrivals
from core.sandbox.codes_in_text import code_in_text
from core.sandbox.facts.moments import naive_utc, zoned
from core.sandbox.facts.numbers import country_of, mask_number
from core.sandbox.facts.pricing import dollars, price_of
from core.sandbox.inbox import Inbox, InboxChannel, InboxEntry
from core.sandbox.storage import Storage

QUEUED = "queued"
SENT = "sent"
DELIVERED = "delivered"
UNDELIVERED = "undelivered"
FAILED = "failed"

#: Fields of records, and list filters, that are the same for every message of the sandbox. None:
#: the sandbox has no such thing, so no value of the filter matches.
CONSTANTS = {
    "message_direction": "outbound",
    "message_type": "sms",
    "subaccount": None,
    "powerpack_id": None,
    "tendlc_campaign_id": "",
    "tendlc_registration_status": "",
    "conversation_id": "",
    "conversation_origin": "",
}


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one number. Moments are Unix seconds, None until they happen.

    `received_at` is when it reached the handset. `text` is shown on the handset only.
    """

    message_uuid: str
    from_number: str
    to_number: str
    text: str = field(repr=False)
    url: str = field(repr=False)
    method: str
    log: str
    country: str | None
    units: int
    requester_ip: str
    state: str
    error_code: str | None
    message_time: float
    sent_time: float | None
    updated_time: float | None
    received_at: float | None

    @property
    def settled(self) -> bool:
        return self.state not in {QUEUED, SENT}

    @property
    def rate(self) -> Decimal:
        """US dollars per unit; 0 until the message is sent to a carrier."""
        return Decimal(0) if self.sent_time is None else price_of(self.country).message


class MessageLog:
    """Reads and writes the table `messages`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._inbox = Inbox(storage)
        self._arrivals = Arrivals(storage)

    def save(self, message: Message) -> None:
        self._storage.save("messages", message)
        if message.received_at is not None:
            self._inbox.add(
                InboxEntry(
                    message.message_uuid,
                    InboxChannel.SMS,
                    message.to_number,
                    message.from_number,
                    message.received_at,
                    message.text,
                    code_in_text(message.text),
                )
            )
            self._arrivals.add(
                message.to_number, ArrivalKind.MESSAGE, message.message_uuid, message.received_at
            )

    def find(self, message_uuid: str) -> Message | None:
        row = self._storage.row(
            "SELECT * FROM messages WHERE message_uuid = :message_uuid", message_uuid=message_uuid
        )
        return Message(**row) if row else None

    def page(self, where: "MessageFilter", limit: int, offset: int) -> list[Message]:
        """Messages that match `where`, newest first."""
        rows = self._storage.rows(
            "SELECT * FROM messages WHERE message_time >= :since AND message_time < :until"
            " AND (:state IS NULL OR state = :state)"
            " AND (:error_code IS NULL OR error_code = :error_code)"
            " AND (:from_number IS NULL OR from_number = :from_number)"
            " AND (:to_number IS NULL OR to_number = :to_number)"
            " AND (:country IS NULL OR country = :country)"
            " ORDER BY message_time DESC, rowid DESC LIMIT :limit OFFSET :offset",
            limit=limit,
            offset=offset,
            **dataclasses.asdict(where),
        )
        return [Message(**row) for row in rows]

    def newest(self, limit: int) -> list[Message]:
        """Messages in any state, newest first."""
        rows = self._storage.rows(
            "SELECT * FROM messages ORDER BY message_time DESC, rowid DESC LIMIT :limit",
            limit=limit,
        )
        return [Message(**row) for row in rows]

    def received_since(self, number: str, since: float, limit: int) -> list[Message]:
        """Messages that reached a handset after `since`, newest first."""
        rows = self._storage.rows(
            "SELECT * FROM messages WHERE to_number = :number AND received_at > :since"
            " ORDER BY received_at DESC, rowid DESC LIMIT :limit",
            number=number,
            since=since,
            limit=limit,
        )
        return [Message(**row) for row in rows]


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Filters of a list: `since` ≤ message_time < `until`; None means any value."""

    since: float
    until: float
    state: str | None = None
    error_code: str | None = None
    from_number: str | None = None
    to_number: str | None = None
    country: str | None = None


def record(message: Message, auth_id: str, zone: timezone, *, mask: bool) -> dict[str, Any]:
    """The log record of a message; `mask` masks its number."""
    rate, price = message.rate, price_of(message.country)
    return {
        "message_uuid": message.message_uuid,
        "message_state": message.state,
        "message_direction": "outbound",
        "message_type": "sms",
        "message_time": zoned(message.message_time, zone),
        "message_sent_time": zoned(message.sent_time, zone),
        "message_updated_time": zoned(message.updated_time, zone),
        "from_number": message.from_number,
        "to_number": mask_number(message.to_number) if mask else message.to_number,
        "units": message.units,
        "total_rate": dollars(rate),
        "total_amount": dollars(rate * message.units),
        "carrier_fees": "0.00000",
        "carrier_fees_rate": "0.00000",
        "error_code": message.error_code,
        "error_message": "",
        "resource_uri": f"/v1/Account/{auth_id}/Message/{message.message_uuid}/",
        "mcc": price.mcc if message.sent_time else "",
        "mnc": price.mnc if message.sent_time else "",
        "destination_country_iso2": message.country or "",
        "destination_network": price.network if message.sent_time else "",
        "requester_ip": message.requester_ip,
        "is_domestic": country_of(message.from_number) == message.country,
        "replaced_sender": None,
        "powerpack_id": None,
        "tendlc_campaign_id": "",
        "tendlc_registration_status": "",
        "dlt_entity_id": "",
        "dlt_template_id": "",
        "dlt_template_category": "",
        "conversation_id": "",
        "conversation_origin": "",
        "conversation_expiration_timestamp": None,
        "log": message.log,
    }


def status_form(message: Message) -> dict[str, str]:
    """The form of the callback that reports the state of a message."""
    price = price_of(message.country)
    settled_without_sending = message.settled and message.sent_time is None
    sequence = {QUEUED: 1, SENT: 2}.get(message.state, 2 if settled_without_sending else 3)
    form = {
        "MessageUUID": message.message_uuid,
        "ParentMessageUUID": message.message_uuid,
        "From": message.from_number,
        "To": message.to_number,
        "Type": "sms",
        "Status": message.state,
        "Units": str(message.units),
        "TotalRate": dollars(message.rate),
        "TotalAmount": dollars(message.rate * message.units),
        "PartInfo": "1 of 1",
        "Sequence": str(sequence),
        "MessageTime": naive_utc(message.message_time),
        "QueuedTime": naive_utc(message.message_time),
        "PowerpackUUID": "",
        "requester_ip": message.requester_ip,
    }
    if message.sent_time is not None:
        form |= {"SentTime": naive_utc(message.sent_time), "MCC": price.mcc, "MNC": price.mnc}
    if message.settled and message.sent_time is not None and message.updated_time is not None:
        form["DeliveryReportTime"] = naive_utc(message.updated_time)
    if message.state in {FAILED, UNDELIVERED} and message.error_code is not None:
        form["ErrorCode"] = message.error_code
    return form

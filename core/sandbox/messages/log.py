"""Messages: what is kept of each, and what Plivo's message log shows of it."""

import dataclasses
from dataclasses import dataclass, field
from datetime import timezone
from decimal import Decimal
from typing import Any

from core.sandbox.facts.moments import naive_utc, zoned
from core.sandbox.facts.numbers import country_of, mask_number
from core.sandbox.facts.pricing import dollars, price_of
from core.sandbox.storage import Storage

QUEUED = "queued"
SENT = "sent"
DELIVERED = "delivered"
UNDELIVERED = "undelivered"
FAILED = "failed"

#: Fields of a record, or filters of a list, that are the same for every message of the sandbox.
#: None: there is no such thing here, so that whatever is asked for matches nothing.
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
    """One message to one number. Moments are Unix seconds, None until they come.

    `received_at` is when it reached the handset; `text` is for the handset alone.
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
        """US dollars a unit; nothing is charged before a carrier has it."""
        return Decimal(0) if self.sent_time is None else price_of(self.country).message


class MessageLog:
    """The table of messages."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def save(self, message: Message) -> None:
        self._storage.save("messages", message)

    def find(self, message_uuid: str) -> Message | None:
        row = self._storage.row(
            "SELECT * FROM messages WHERE message_uuid = :message_uuid", message_uuid=message_uuid
        )
        return Message(**row) if row else None

    def page(self, where: "MessageFilter", limit: int, offset: int) -> list[Message]:
        """Newest first."""
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

    def received_since(self, number: str, since: float, limit: int) -> list[Message]:
        """What reached a handset after `since`, newest first."""
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
    """What a list is narrowed to: from `since` on, before `until`; None leaves a field free."""

    since: float
    until: float
    state: str | None = None
    error_code: str | None = None
    from_number: str | None = None
    to_number: str | None = None
    country: str | None = None


def record(message: Message, auth_id: str, zone: timezone, *, mask: bool) -> dict[str, Any]:
    """One message as the log shows it; `mask` hides the middle of its number."""
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


def status_form(message: Message, status: str) -> dict[str, str]:
    """The form of the callback that tells `status`, the message's present one."""
    price = price_of(message.country)
    settled_without_sending = message.settled and message.sent_time is None
    sequence = {QUEUED: 1, SENT: 2}.get(status, 2 if settled_without_sending else 3)
    form = {
        "MessageUUID": message.message_uuid,
        "ParentMessageUUID": message.message_uuid,
        "From": message.from_number,
        "To": message.to_number,
        "Type": "sms",
        "Status": status,
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
    if status in {FAILED, UNDELIVERED} and message.error_code is not None:
        form["ErrorCode"] = message.error_code
    return form

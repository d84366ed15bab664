"""Moves messages through Plivo's states.

queued → sent → delivered or undelivered; queued → failed. A final state never changes.
"""

import dataclasses
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from core.sandbox.callbacks import CallbackEvent, Callbacks, Notice
from core.sandbox.clock import SandboxClock
from core.sandbox.facts.endings import Ending, EndingKind, ending_of
from core.sandbox.facts.message_errors import EXPIRED, MESSAGE_ERRORS
from core.sandbox.facts.numbers import country_of
from core.sandbox.messages.log import (
    DELIVERED,
    FAILED,
    QUEUED,
    SENT,
    Message,
    MessageLog,
    status_form,
)
from core.sandbox.messages.text_units import text_units
from core.sandbox.schedule import Job, Payload, Schedule
from core.sandbox.storage import Storage

# Simulated seconds after the request; short, for demos.
SENT_AFTER = 0.3
SETTLED_AFTER = 1.0

_NO_ERROR = "000"
_FORGED_FIELDS = {"Status": FAILED, "ErrorCode": "300"}


@dataclass(frozen=True, slots=True)
class MessageOrder:
    """A parsed request to send. `expiry` is in seconds, None if not set."""

    src: str
    destinations: tuple[str, ...]
    text: str = field(repr=False)
    url: str = field(default="", repr=False)
    method: str = "POST"
    log: str = "true"
    expiry: int | None = None
    requester_ip: str = ""


class Carrier:
    """Accepts orders and moves their messages to a final state.

    Calls `on_received` with the number of a handset that may have received a message.
    """

    def __init__(
        self,
        storage: Storage,
        schedule: Schedule,
        clock: SandboxClock,
        callbacks: Callbacks,
        on_received: Callable[[str], None],
    ) -> None:
        self._storage = storage
        self._schedule = schedule
        self._clock = clock
        self._callbacks = callbacks
        self._on_received = on_received
        self.messages = MessageLog(storage)
        schedule.register(Job.SEND, self._send)
        schedule.register(Job.SETTLE, self._settle)

    def accept(self, order: MessageOrder) -> list[str]:
        """Queue one message for each destination and return their UUIDs.

        Raises Refusal 400 if the text is too long.
        """
        units = text_units(order.text)
        with self._storage.transaction():
            return [self._queue(order, number, units) for number in order.destinations]

    def _queue(self, order: MessageOrder, number: str, units: int) -> str:
        message = Message(
            message_uuid=str(uuid.uuid4()),
            from_number=order.src,
            to_number=number,
            text=order.text,
            url=order.url,
            method=order.method,
            log=order.log,
            country=country_of(number),
            units=units,
            requester_ip=order.requester_ip,
            state=QUEUED,
            error_code=None,
            message_time=self._clock.now(),
            sent_time=None,
            updated_time=None,
            received_at=None,
        )
        ending = ending_of(number)
        self.messages.save(message)
        self._announce(message, ending.kind)
        if not _never_sent(ending):
            self._add_job(Job.SEND, message, SENT_AFTER)
        self._add_job(Job.SETTLE, message, _settle_delay(ending, order.expiry))
        return message.message_uuid

    async def _send(self, payload: Payload) -> None:
        message = self.messages.find(payload["message_uuid"])
        if message is None or message.state != QUEUED:
            return
        now = self._clock.now()
        with self._storage.transaction():
            self._update(dataclasses.replace(message, state=SENT, sent_time=now, updated_time=now))

    async def _settle(self, payload: Payload) -> None:
        message = self.messages.find(payload["message_uuid"])
        if message is None or message.settled or message.received_at is not None:
            return
        now, ending = self._clock.now(), ending_of(message.to_number)
        with self._storage.transaction():
            if ending.kind is EndingKind.MESSAGE_ERROR:
                error = MESSAGE_ERRORS[ending.value]
                self._update(
                    dataclasses.replace(
                        message,
                        state=error.state,
                        error_code=str(error.code),
                        updated_time=now,
                    )
                )
            elif ending.kind is EndingKind.NO_RECEIPT:
                self.messages.save(dataclasses.replace(message, received_at=now))
            else:
                self._update(
                    dataclasses.replace(
                        message,
                        state=DELIVERED,
                        error_code=_NO_ERROR,
                        updated_time=now,
                        received_at=now,
                    )
                )
        self._on_received(message.to_number)

    def _update(self, message: Message) -> None:
        self.messages.save(message)
        self._announce(message, ending_of(message.to_number).kind)

    def _announce(self, message: Message, kind: EndingKind) -> None:
        notice = Notice(
            reference=message.message_uuid,
            event=CallbackEvent.MESSAGE,
            url=message.url,
            method=message.method,
            form=status_form(message),
            last=message.settled,
            forged_fields=_FORGED_FIELDS,
        )
        self._callbacks.add(notice, kind)

    def _add_job(self, job: Job, message: Message, after: float) -> None:
        lane = f"message:{message.message_uuid}"
        self._schedule.add(job, lane, after, message_uuid=message.message_uuid)


def _never_sent(ending: Ending) -> bool:
    if ending.kind is not EndingKind.MESSAGE_ERROR:
        return False
    return MESSAGE_ERRORS[ending.value].state == FAILED


def _settle_delay(ending: Ending, expiry: int | None) -> float:
    if ending.kind is EndingKind.LATE:
        return SETTLED_AFTER + ending.value
    if ending.kind is EndingKind.MESSAGE_ERROR and ending.value == EXPIRED and expiry is not None:
        return float(expiry)
    # Plivo's default expiry is three hours, too long for a demo.
    return SETTLED_AFTER

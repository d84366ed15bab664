"""Moves messages through Plivo's states, as their plan requires.

queued → sent → delivered or undelivered; queued → failed. By itself, a final state never changes;
`push` sets any state by hand, also a late correction of a carrier's report.
"""

import dataclasses
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.sandbox.callbacks import CallbackEvent, Callbacks, Notice
from core.sandbox.clock import SandboxClock
from core.sandbox.errors import CannotFollow
from core.sandbox.facts.effects import Aspect, EffectChannel, EffectKind, EffectPlan
from core.sandbox.facts.message_errors import EXPIRED
from core.sandbox.facts.numbers import country_of
from core.sandbox.messages.log import (
    DELIVERED,
    FAILED,
    QUEUED,
    SENT,
    UNDELIVERED,
    Message,
    MessageLog,
    status_form,
)
from core.sandbox.plans import Plans
from core.sandbox.schedule import Job, Payload, Schedule
from core.sandbox.storage import Storage

# Simulated seconds after the request; short, for demos.
SENT_AFTER = 0.3
SETTLED_AFTER = 1.0

_NO_ERROR = "000"
_FORGED_FIELDS = {"Status": FAILED, "ErrorCode": "300"}

#: The states that can be pushed onto a message in a state. Carriers correct their reports, so a
#: delivered message can become undelivered and the other way round; a failed message never reached
#: a carrier.
TRANSITIONS = {
    QUEUED: (SENT, DELIVERED, UNDELIVERED, FAILED),
    SENT: (DELIVERED, UNDELIVERED),
    DELIVERED: (UNDELIVERED,),
    UNDELIVERED: (DELIVERED,),
    FAILED: (),
}


@dataclass(frozen=True, slots=True)
class MessageOrder:
    """A parsed request to send. `units` are those of the text; `expiry` is in seconds, None if not
    set."""

    src: str
    destinations: tuple[str, ...]
    text: str = field(repr=False)
    units: int
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
        plans: Plans,
        on_received: Callable[[str], None],
    ) -> None:
        self._storage = storage
        self._schedule = schedule
        self._clock = clock
        self._callbacks = callbacks
        self._plans = plans
        self._on_received = on_received
        self.messages = MessageLog(storage)
        schedule.register(Job.SEND, self._send)
        schedule.register(Job.SETTLE, self._settle)
        schedule.register(Job.REPORT, self._report)

    def accept(self, order: MessageOrder, plans: Sequence[EffectPlan]) -> list[str]:
        """Queue one message for each destination, with its plan, and return their UUIDs."""
        with self._storage.transaction():
            return [
                self._queue(order, number, plan)
                for number, plan in zip(order.destinations, plans, strict=True)
            ]

    def _queue(self, order: MessageOrder, number: str, plan: EffectPlan) -> str:
        message = Message(
            message_uuid=str(uuid.uuid4()),
            from_number=order.src,
            to_number=number,
            text=order.text,
            url=order.url,
            method=order.method,
            log=order.log,
            country=country_of(number),
            units=order.units,
            requester_ip=order.requester_ip,
            state=QUEUED,
            error_code=None,
            message_time=self._clock.now(),
            sent_time=None,
            updated_time=None,
            received_at=None,
        )
        self.messages.save(message)
        self._plans.keep(message.message_uuid, number, EffectChannel.SMS, plan)
        self._announce(message, plan)
        if not _never_sent(plan):
            self._add_job(Job.SEND, message, SENT_AFTER)
        if plan.kind(Aspect.OUTCOME) is not EffectKind.HELD:
            self._add_job(Job.SETTLE, message, _settle_delay(plan, order.expiry))
        return message.message_uuid

    def push(self, message: Message, state: str, error_code: str | None) -> Message:
        """Set a state as if the carrier, or Plivo, had reported it; return the changed message.

        A delivered message is on the handset. Raises CannotFollow.
        """
        if state not in TRANSITIONS[message.state]:
            raise CannotFollow("message", message.state, TRANSITIONS[message.state])
        now, is_received = self._clock.now(), state == DELIVERED
        with self._storage.transaction():
            message = dataclasses.replace(
                message,
                state=state,
                error_code=_NO_ERROR if is_received else error_code,
                sent_time=message.sent_time or (None if state == FAILED else now),
                updated_time=now,
                received_at=message.received_at or (now if is_received else None),
            )
            self._update(message, self._plan(message))
        self._on_received(message.to_number)
        return message

    async def _send(self, payload: Payload) -> None:
        message = self.messages.find(payload["message_uuid"])
        if message is None or message.state != QUEUED:
            return
        now = self._clock.now()
        with self._storage.transaction():
            message = dataclasses.replace(message, state=SENT, sent_time=now, updated_time=now)
            self._update(message, self._plan(message))

    async def _settle(self, payload: Payload) -> None:
        """The message arrives, or does not; that is reported now or later."""
        message = self.messages.find(payload["message_uuid"])
        if message is None or message.settled or message.received_at is not None:
            return
        plan = self._plan(message)
        with self._storage.transaction():
            if plan.kind(Aspect.OUTCOME) not in _LOST:
                message = dataclasses.replace(message, received_at=self._clock.now())
                self.messages.save(message)
            if plan.of(Aspect.RECEIPT):
                self._add_job(Job.REPORT, message, plan.seconds(Aspect.RECEIPT))
            else:
                self._finish(message, plan)
        self._on_received(message.to_number)

    async def _report(self, payload: Payload) -> None:
        message = self.messages.find(payload["message_uuid"])
        if message is None or message.settled:
            return
        with self._storage.transaction():
            self._finish(message, self._plan(message))

    def _finish(self, message: Message, plan: EffectPlan) -> None:
        """Report the final state."""
        outcome = plan.of(Aspect.OUTCOME)
        state, error_code = DELIVERED, _NO_ERROR
        if outcome and outcome.kind is EffectKind.NO_RECEIPT:
            return
        if outcome and outcome.state:
            state, error_code = outcome.state, str(outcome.code)
        now = self._clock.now()
        message = dataclasses.replace(message, state=state, error_code=error_code, updated_time=now)
        self._update(message, plan)

    def _plan(self, message: Message) -> EffectPlan:
        return self._plans.find(message.message_uuid, message.to_number, EffectChannel.SMS)

    def _update(self, message: Message, plan: EffectPlan) -> None:
        self.messages.save(message)
        self._announce(message, plan)

    def _announce(self, message: Message, plan: EffectPlan) -> None:
        notice = Notice(
            reference=message.message_uuid,
            event=CallbackEvent.MESSAGE,
            url=message.url,
            method=message.method,
            form=status_form(message),
            last=message.settled,
            forged_fields=_FORGED_FIELDS,
        )
        self._callbacks.add(notice, plan)

    def _add_job(self, job: Job, message: Message, after: float) -> None:
        lane = f"message:{message.message_uuid}"
        self._schedule.add(job, lane, after, message_uuid=message.message_uuid)


#: The message does not reach the handset.
_LOST = {EffectKind.NOT_DELIVERED, EffectKind.FALSE_DELIVERED}


def _never_sent(plan: EffectPlan) -> bool:
    outcome = plan.of(Aspect.OUTCOME)
    return (
        outcome is not None and outcome.kind is EffectKind.NOT_DELIVERED and outcome.state == FAILED
    )


def _settle_delay(plan: EffectPlan, expiry: int | None) -> float:
    outcome = plan.of(Aspect.OUTCOME)
    if _never_sent(plan) and outcome and outcome.code == EXPIRED and expiry is not None:
        # Plivo's default expiry is three hours, too long for a demo.
        return float(expiry)
    return SETTLED_AFTER + plan.seconds(Aspect.DELAY)

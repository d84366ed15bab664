"""Places, rings, answers and ends calls. CallScript executes what happens after the answer.

Invariant: a call ends only in `end`, and only once.
"""

import dataclasses
import uuid
from collections.abc import Callable, Sequence

from core.sandbox.callbacks import CallbackEvent, Callbacks, Notice
from core.sandbox.calls.log import CallLog, CallOrder, SandboxCall
from core.sandbox.calls.records import call_form, hangup_form
from core.sandbox.clock import SandboxClock
from core.sandbox.errors import CannotFollow, Refusal
from core.sandbox.facts.effects import Aspect, EffectChannel, EffectKind, EffectPlan
from core.sandbox.facts.hangups import (
    CANCELED,
    HANGUP_CAUSES,
    MACHINE_DETECTED,
    NORMAL,
    REJECTED,
    RING_TIMEOUT,
    SCHEDULED,
    Phase,
)
from core.sandbox.facts.numbers import country_of
from core.sandbox.plans import Plans
from core.sandbox.schedule import Job, Payload, Schedule
from core.sandbox.storage import Storage

# Simulated seconds.
RINGS_AFTER = 0.2
UNANSWERED_AFTER = 5.0
DECLINED_AFTER = 1.0
MACHINE_AFTER = 1.0
DROPPED_AFTER = 1.0
AUTO_ANSWER_AFTER = 0.5

RECIPIENT = "Call recipient"
CARRIER = "Carrier"
PLIVO = "Plivo"
API_REQUEST = "API Request"

_FORGED_FIELDS = {
    "CallStatus": "failed",
    "HangupCause": "NETWORK_OUT_OF_ORDER",
    "HangupCauseName": "Network Error",
    "HangupCauseCode": "5000",
}


class Switchboard:
    """Moves calls from request to hangup.

    Calls `on_change` with the number whose handset has changed. `auto_answers` returns whether a
    handset answers automatically.
    """

    def __init__(
        self,
        auth_id: str,
        storage: Storage,
        schedule: Schedule,
        clock: SandboxClock,
        callbacks: Callbacks,
        plans: Plans,
        on_change: Callable[[str], None],
        auto_answers: Callable[[str], bool],
    ) -> None:
        self._auth_id = auth_id
        self._storage = storage
        self._schedule = schedule
        self._clock = clock
        self._callbacks = callbacks
        self._plans = plans
        self._on_change = on_change
        self._auto_answers = auto_answers
        self.calls = CallLog(storage)
        #: Executes an answered call. Set by Sandbox, because CallScript needs the switchboard.
        self.on_answer: Callable[[SandboxCall], None] = lambda call: None
        schedule.register(Job.RING, self._ring_job)
        schedule.register(Job.ANSWER, self._answer_job)
        schedule.register(Job.END, self._end_job)

    def place(self, orders: Sequence[CallOrder], plans: Sequence[EffectPlan]) -> list[str]:
        """Start one call for each order, with its plan, and return their UUIDs."""
        with self._storage.transaction():
            return [self._place(*pair) for pair in zip(orders, plans, strict=True)]

    def _place(self, order: CallOrder, plan: EffectPlan) -> str:
        call = SandboxCall(
            **{item.name: getattr(order, item.name) for item in dataclasses.fields(CallOrder)},
            call_uuid=str(uuid.uuid4()),
            country=country_of(order.to_number),
            initiated_at=self._clock.now(),
        )
        self.calls.save(call)
        self._plans.keep(call.call_uuid, call.to_number, EffectChannel.CALL, plan)
        after, code = RINGS_AFTER + plan.seconds(Aspect.DELAY), _hangup(plan)
        if code is not None and HANGUP_CAUSES[code].phase is Phase.AT_ONCE:
            self.end_later(call, code, CARRIER, after)
        else:
            self._schedule.add(Job.RING, call_lane(call), after, call_uuid=call.call_uuid)
        return call.call_uuid

    async def _ring_job(self, payload: Payload) -> None:
        call = self.calls.find(payload["call_uuid"])
        if call is not None and progress(call) == "queued":
            self._ring(call)

    def _ring(self, call: SandboxCall) -> None:
        with self._storage.transaction():
            call = dataclasses.replace(call, rang_at=self._clock.now())
            self.calls.save(call)
            form = call_form(call, self._auth_id, "Ring")
            self._announce(call, CallbackEvent.RING, call.ring_url, call.ring_method, form)
            self.end_later(call, RING_TIMEOUT, PLIVO, call.ring_timeout, unless_answered=True)
            self._react(call)
        self._on_change(call.to_number)

    def _react(self, call: SandboxCall) -> None:
        """Schedule how the called side reacts to the ringing."""
        code = self.requested_hangup(call)
        phase = HANGUP_CAUSES[code].phase if code is not None else None
        if code is not None and phase is Phase.RINGING:
            self.end_later(call, code, CARRIER, UNANSWERED_AFTER, unless_answered=True)
        elif code is not None and phase is Phase.DECLINED:
            self.end_later(call, code, RECIPIENT, DECLINED_AFTER, unless_answered=True)
        elif phase is Phase.MACHINE:
            self._answer_later(call, MACHINE_AFTER)
        elif self._auto_answers(call.to_number):
            self._answer_later(call, AUTO_ANSWER_AFTER)

    def pick_up(self, call: SandboxCall) -> None:
        """The person answers. Raises Refusal 409 unless the call rings at a person's phone."""
        if self.is_machine(call):
            raise Refusal(409, "a machine answers the calls of this number")
        self.answer(call)

    def answer(self, call: SandboxCall) -> None:
        """A person or a machine answers. Raises Refusal 409 unless the call rings."""
        if call.status != "ringing" or call.rang_at is None:
            raise Refusal(409, "this call is not ringing")
        code = self.requested_hangup(call)
        with self._storage.transaction():
            call = dataclasses.replace(call, answered_at=self._clock.now())
            self.calls.save(call)
            self.end_later(call, SCHEDULED, PLIVO, call.time_limit)
            if code is not None and HANGUP_CAUSES[code].phase is Phase.ANSWERED:
                self.end_later(call, code, PLIVO, DROPPED_AFTER)
            elif self.is_machine(call) and call.machine_detection == "hangup":
                self.end(call, MACHINE_DETECTED, PLIVO)
            else:
                self.on_answer(call)
        self._on_change(call.to_number)

    def answer_ringing(self, number: str) -> None:
        """Auto-answer was turned on: answer the calls that already ring."""
        for call in self.calls.open_calls():
            if call.to_number == number and call.status == "ringing" and call.rang_at is not None:
                self._answer_later(call, AUTO_ANSWER_AFTER)

    def decline(self, call: SandboxCall) -> None:
        """The person declines the call. Raises Refusal 409 unless it rings."""
        if call.status != "ringing" or call.rang_at is None:
            raise Refusal(409, "this call is not ringing")
        self.end(call, REJECTED, RECIPIENT)

    def hang_up(self, call: SandboxCall) -> None:
        """The person hangs up. Raises Refusal 409 unless the call is in progress."""
        if call.status != "in-progress":
            raise Refusal(409, "this call is not in progress")
        self.end(call, NORMAL, RECIPIENT)

    def cancel(self, call: SandboxCall) -> None:
        """An API request ends the call. Raises Refusal 404 if it has ended."""
        if call.ended_at is not None:
            raise Refusal(404, "call not found")
        self.end(call, CANCELED if call.answered_at is None else NORMAL, API_REQUEST)

    def push(self, call: SandboxCall, status: str, code: int) -> None:
        """Set a status as if the carrier had reported it; `code` is the hangup cause of an end.

        Raises CannotFollow.
        """
        current = progress(call)
        if status not in TRANSITIONS[current]:
            raise CannotFollow("call", current, TRANSITIONS[current])
        if status == "ringing":
            self._ring(call)
        elif status == "in-progress":
            self.answer(call)
        else:
            self.end(call, code, CARRIER)

    def end(self, call: SandboxCall, code: int, source: str) -> None:
        """End a call and queue its hangup callback. Does nothing if it has ended."""
        current = self.calls.find(call.call_uuid)
        if current is None or current.ended_at is not None:
            return
        with self._storage.transaction():
            ended = dataclasses.replace(
                current,
                ended_at=self._clock.now(),
                hangup_code=code,
                hangup_source=source,
                turn=current.turn + 1,
                waits_for_key=False,
                keys="",
            )
            self.calls.save(ended)
            form = hangup_form(ended, self._auth_id, self._clock)
            self._announce(ended, CallbackEvent.HANGUP, ended.hangup_url, ended.hangup_method, form)
        self._on_change(ended.to_number)

    def end_later(
        self,
        call: SandboxCall,
        code: int,
        source: str,
        after: float,
        *,
        unless_answered: bool = False,
    ) -> None:
        """Schedule an end, in its own lane: a slow answer of the product must not delay it."""
        self._schedule.add(
            Job.END,
            f"end:{call.call_uuid}",
            after,
            call_uuid=call.call_uuid,
            code=code,
            source=source,
            unless_answered=unless_answered,
        )

    async def _end_job(self, payload: Payload) -> None:
        call = self.calls.find(payload["call_uuid"])
        if call is None or (payload["unless_answered"] and call.answered_at is not None):
            return
        self.end(call, payload["code"], payload["source"])

    def _answer_later(self, call: SandboxCall, after: float) -> None:
        self._schedule.add(Job.ANSWER, call_lane(call), after, call_uuid=call.call_uuid)

    async def _answer_job(self, payload: Payload) -> None:
        call = self.calls.find(payload["call_uuid"])
        if call is not None and call.status == "ringing":
            self.answer(call)

    def _announce(
        self, call: SandboxCall, event: CallbackEvent, url: str, method: str, form: dict[str, str]
    ) -> None:
        form["Sequence"] = "1" if event is CallbackEvent.RING or call.rang_at is None else "2"
        notice = Notice(
            call.call_uuid, event, url, method, form, event is CallbackEvent.HANGUP, _FORGED_FIELDS
        )
        plan = self.plan(call)
        self._callbacks.add(notice, plan, plan.seconds(Aspect.RECEIPT))

    def plan(self, call: SandboxCall) -> EffectPlan:
        return self._plans.find(call.call_uuid, call.to_number, EffectChannel.CALL)

    def requested_hangup(self, call: SandboxCall) -> int | None:
        """The hangup cause code that the plan of the call asks for, if any."""
        return _hangup(self.plan(call))

    def is_machine(self, call: SandboxCall) -> bool:
        """Whether an answering machine answers this call."""
        code = self.requested_hangup(call)
        return code is not None and HANGUP_CAUSES[code].phase is Phase.MACHINE

    def hears_keys(self, call: SandboxCall) -> bool:
        """Whether the keys that a person presses reach Plivo."""
        return self.plan(call).kind(Aspect.KEYS) is not EffectKind.KEYS_LOST


#: The statuses that can be pushed onto a call in a status. Plivo reports the end of a call once.
TRANSITIONS = {
    "queued": ("ringing", "ended"),
    "ringing": ("in-progress", "ended"),
    "in-progress": ("ended",),
    "ended": (),
}


def progress(call: SandboxCall) -> str:
    """The status of a call, with "queued" until it rings."""
    is_queued = call.ended_at is None and call.rang_at is None
    return "queued" if is_queued else call.status


def call_lane(call: SandboxCall) -> str:
    """The schedule lane of a call's jobs."""
    return f"call:{call.call_uuid}"


def _hangup(plan: EffectPlan) -> int | None:
    outcome = plan.of(Aspect.OUTCOME)
    return outcome.code if outcome and outcome.kind is EffectKind.HANGUP else None

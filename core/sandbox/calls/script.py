"""Executes Plivo XML in answered calls: speaks, waits, collects keys, redirects.

A call stores its document and the position in it. Each step is a job, so a restarted sandbox
continues where it stopped. A job scheduled for an earlier `turn` of the call does nothing.
"""

import dataclasses
import logging
from dataclasses import dataclass

from core.sandbox.calls.fetch import DocumentRequest, Fetcher, Purpose
from core.sandbox.calls.log import PROBLEM, SandboxCall
from core.sandbox.calls.position import absolute_url, next_step, start_of, step_of
from core.sandbox.calls.switchboard import Switchboard, call_lane
from core.sandbox.calls.xml import (
    ALL_KEYS,
    Hangup,
    Listen,
    NotPlayed,
    Prompt,
    Redirect,
    Speak,
    Step,
    Wait,
)
from core.sandbox.clock import SandboxClock
from core.sandbox.errors import Refusal
from core.sandbox.facts.hangups import END_OF_XML, INTERNAL_ERROR, NORMAL, SCHEDULED
from core.sandbox.handsets import Handsets
from core.sandbox.schedule import Job, Payload, Schedule
from core.sandbox.storage import Storage

log = logging.getLogger(__name__)

SECONDS_PER_CHARACTER = 0.06
AUTO_PRESS_AFTER = 1.0

ANSWER_XML = "Answer XML"
ERROR = "Error"


@dataclass(frozen=True, slots=True)
class _Playback:
    """The duration of a Speak or Wait, and whether this was its last repetition."""

    seconds: float
    is_last: bool


class CallScript:
    """Executes the documents of answered calls."""

    def __init__(
        self,
        storage: Storage,
        schedule: Schedule,
        clock: SandboxClock,
        switchboard: Switchboard,
        fetcher: Fetcher,
        handsets: Handsets,
    ) -> None:
        self._storage = storage
        self._schedule = schedule
        self._clock = clock
        self._switchboard = switchboard
        self._calls = switchboard.calls
        self._fetcher = fetcher
        self._handsets = handsets
        schedule.register(Job.FETCH, self._fetch)
        schedule.register(Job.STEP, self._step)
        schedule.register(Job.KEYS_DONE, self._keys_done)
        schedule.register(Job.PRESS, self._press_job)

    def begin(self, call: SandboxCall) -> None:
        """Fetch and execute the answer document."""
        self._request_document(
            call, DocumentRequest(Purpose.ANSWER, call.answer_url, call.answer_method)
        )

    # --- documents

    def _request_document(self, call: SandboxCall, request: DocumentRequest) -> None:
        call = self._next_turn(call)
        self._schedule.add(
            Job.FETCH, call_lane(call), 0, **self._job_payload(call), **dataclasses.asdict(request)
        )

    async def _fetch(self, payload: Payload) -> None:
        call = self._current(payload)
        if call is None:
            return
        request = DocumentRequest(
            Purpose(payload["purpose"]),
            payload["url"],
            payload["method"],
            payload["extra"],
            payload["follow"],
        )
        result = await self._fetcher.fetch(call, request)
        call = self._current(payload)  # it may have ended meanwhile
        if call is None:
            return
        with self._storage.transaction():
            if result.problem:
                self._report(call, result.problem)
            if result.hangup_code is not None:
                self._switchboard.end(call, result.hangup_code, ERROR)
            elif result.document is None:
                self._resume(call, 0)
            else:
                self._resume(start_of(call, result.document, result.url), 0)

    # --- steps

    async def _step(self, payload: Payload) -> None:
        call = self._current(payload)
        if call is None:
            return
        with self._storage.transaction():
            self._execute(call, step_of(call))

    def _execute(self, call: SandboxCall, step: Step | None) -> None:
        match step:
            case None:
                self._switchboard.end(call, END_OF_XML, ANSWER_XML)
            case NotPlayed(ends_call=True):
                self._report(call, step.sentence)
                self._switchboard.end(call, INTERNAL_ERROR, ERROR)
            case Speak() | Wait() | NotPlayed():
                playback = self._play(call, step)
                if playback.is_last:
                    self._resume(next_step(call), playback.seconds)
                else:
                    self._resume(dataclasses.replace(call, loops=call.loops + 1), playback.seconds)
            case Listen():
                self._listen(call, step)
            case Redirect():
                self._request_document(
                    call,
                    DocumentRequest(Purpose.REDIRECT, absolute_url(call, step.url), step.method),
                )
            case Hangup(after=None):
                self._switchboard.end(call, NORMAL, ANSWER_XML)
            case Hangup(after=after):
                self._switchboard.end_later(call, SCHEDULED, ANSWER_XML, after or 0)
                self._resume(next_step(call), 0)

    def _play(self, call: SandboxCall, step: Prompt) -> _Playback:
        if isinstance(step, NotPlayed):
            self._report(call, step.sentence)
            return _Playback(0, True)
        if isinstance(step, Wait):
            return _Playback(step.seconds, True)
        self._record(call, "spoken", step.text)
        # loop="0" repeats until a hangup or the time limit.
        is_last = step.loops > 0 and call.loops + 1 >= step.loops
        return _Playback(len(step.text) * SECONDS_PER_CHARACTER, is_last)

    # --- keys

    def _listen(self, call: SandboxCall, step: Listen) -> None:
        just_started = not call.waits_for_key
        call = dataclasses.replace(call, waits_for_key=not self._switchboard.is_machine(call))
        if call.prompt < len(step.prompts):
            playback = self._play(call, step.prompts[call.prompt])
            if playback.is_last:
                call = dataclasses.replace(call, prompt=call.prompt + 1, loops=0)
            else:
                call = dataclasses.replace(call, loops=call.loops + 1)
            self._resume(call, playback.seconds)
        elif call.prompt == len(step.prompts):
            waiting = dataclasses.replace(call, prompt=call.prompt + 1)
            self._resume(waiting, step.first_key_seconds)
        else:
            self._no_input(call, step)
        if just_started and call.waits_for_key:
            self._press_soon(call)

    def press(self, call: SandboxCall, key: str) -> None:
        """The person presses a key. Raises Refusal 409 unless a person is on a call in progress.

        A key that no GetDigits or GetInput waits for has no effect, as at Plivo, and the transcript
        has it as ignored: for example while a Speak outside of them is spoken. So has a key that is
        lost on its way.
        """
        if call.status != "in-progress":
            raise Refusal(409, "this call is not in progress")
        if self._switchboard.is_machine(call):
            raise Refusal(409, "a machine has answered this call, and a machine presses no keys")
        if len(key) != 1 or key not in ALL_KEYS:
            raise Refusal(400, "a key must be one of 0-9, * and #")
        with self._storage.transaction():
            # Before the answer document is there, nothing waits for a key.
            step = step_of(call) if call.waits_for_key else None
            if isinstance(step, Listen) and self._switchboard.hears_keys(call):
                self._record(call, "key", key)
                self._handle_key(call, step, key)
            else:
                self._record(call, "ignored-key", key)
        self._handsets.notify(call.to_number)

    def _handle_key(self, call: SandboxCall, step: Listen, key: str) -> None:
        if key == step.finish_key:
            self._finish(call, step)
        elif key not in step.valid_keys:
            self._no_input(call, step)
        else:
            call = dataclasses.replace(call, keys=call.keys + key)
            if len(call.keys) >= step.max_keys:
                self._finish(call, step)
            else:
                call = self._next_turn(call)
                self._schedule.add(
                    Job.KEYS_DONE, call_lane(call), step.next_key_seconds, **self._job_payload(call)
                )

    async def _keys_done(self, payload: Payload) -> None:
        call = self._current(payload)
        step = step_of(call) if call else None
        if call is None or not isinstance(step, Listen):
            return
        with self._storage.transaction():
            self._finish(call, step)

    def _finish(self, call: SandboxCall, step: Listen) -> None:
        if not call.keys:
            self._no_input(call, step)
            return
        keys, call = call.keys, next_step(call)
        if not step.action:
            self._resume(call, 0)
            return
        extra = {"Digits": keys, "InputType": "dtmf"}
        url = absolute_url(call, step.action)
        self._request_document(
            call, DocumentRequest(Purpose.ACTION, url, step.method, extra, step.follow)
        )

    def _no_input(self, call: SandboxCall, step: Listen) -> None:
        if call.tries + 1 < step.tries:
            again = dataclasses.replace(call, tries=call.tries + 1, prompt=0, loops=0, keys="")
            self._resume(again, 0)
        else:
            self._resume(next_step(call), 0)

    def press_waiting(self, number: str) -> None:
        """Auto-answer was turned on: press the key in calls that already wait for one."""
        for call in self._calls.open_calls():
            if call.to_number == number and call.waits_for_key:
                self._press_soon(call)

    def _press_soon(self, call: SandboxCall) -> None:
        auto = self._handsets.auto_answer(call.to_number)
        if auto.on and auto.press:
            self._schedule.add(
                Job.PRESS,
                f"press:{call.call_uuid}",
                AUTO_PRESS_AFTER,
                call_uuid=call.call_uuid,
                key=auto.press,
                step=call.step,
            )

    async def _press_job(self, payload: Payload) -> None:
        call = self._calls.find(payload["call_uuid"])
        if call is None or not call.waits_for_key or call.step != payload["step"] or call.keys:
            return  # a key has been pressed already, by a person or by this job before a crash
        self.press(call, payload["key"])

    # --- turns

    def _resume(self, call: SandboxCall, after: float) -> None:
        call = self._next_turn(call)
        self._schedule.add(Job.STEP, call_lane(call), after, **self._job_payload(call))
        self._handsets.notify(call.to_number)

    def _next_turn(self, call: SandboxCall) -> SandboxCall:
        call = dataclasses.replace(call, turn=call.turn + 1)
        self._calls.save(call)
        return call

    def _job_payload(self, call: SandboxCall) -> Payload:
        return {"call_uuid": call.call_uuid, "turn": call.turn}

    def _current(self, payload: Payload) -> SandboxCall | None:
        """The call of a job; None if it has ended or is at a later turn."""
        call = self._calls.find(payload["call_uuid"])
        if call is None or call.ended_at is not None or call.turn != payload["turn"]:
            return None
        return call

    def _report(self, call: SandboxCall, problem: str) -> None:
        """Log what could not be played, and add it to the transcript; the callback log shows it."""
        self._record(call, PROBLEM, problem)
        log.warning("not played", extra={"reference": call.call_uuid, "problem": problem})

    def _record(self, call: SandboxCall, kind: str, text: str) -> None:
        self._calls.add_to_transcript(call, self._clock.now(), kind, text)

"""The simulated handset of each number: what it shows, and whether it answers by itself."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from core.sandbox.calls.log import CallLog, SandboxCall
from core.sandbox.clock import SandboxClock
from core.sandbox.facts.hangups import HANGUP_CAUSES
from core.sandbox.facts.moments import iso_utc
from core.sandbox.messages.log import MessageLog
from core.sandbox.storage import Storage

SHOWN = 50
#: In the place of a number: every handset was cleared at that moment.
ALL = ""
#: The tables of what has happened and of what will; a job under way finds nothing and ends.
FORGOTTEN = ("messages", "calls", "transcript", "schedule", "callbacks", "callback_attempts")


@dataclass(frozen=True, slots=True)
class AutoAnswer:
    """Whether calls are taken at once; `press` is the key pressed when a call waits for one."""

    on: bool = False
    press: str = "1"


class Handsets:
    """All handsets; a number has one without anybody asking for it."""

    def __init__(self, storage: Storage, clock: SandboxClock) -> None:
        self._storage = storage
        self._clock = clock
        self._messages = MessageLog(storage)
        self._calls = CallLog(storage)
        self._watchers: dict[str, set[asyncio.Event]] = defaultdict(set)

    def view(self, number: str) -> dict[str, Any]:
        """The handset as JSON: newest first, 50 messages and 50 calls at most."""
        since = self._storage.rows(
            "SELECT MAX(cleared_at) AS since FROM handsets WHERE number IN (:number, :all)",
            number=number,
            all=ALL,
        )[0]["since"]
        auto = self.auto_answer(number)
        return {
            "number": number,
            "messages": [
                {
                    "message_uuid": message.message_uuid,
                    "from": message.from_number,
                    "text": message.text,
                    "received_at": iso_utc(message.received_at),
                }
                for message in self._messages.received(number, since or 0.0, SHOWN)
            ],
            "calls": [self._call(call) for call in self._calls.rung(number, since or 0.0, SHOWN)],
            "auto_answer": {"on": auto.on, "press": auto.press},
        }

    def _call(self, call: SandboxCall) -> dict[str, Any]:
        cause = HANGUP_CAUSES.get(call.hangup_code or -1)
        return {
            "call_uuid": call.call_uuid,
            "from": call.from_number,
            "status": call.status,
            "started_at": iso_utc(call.rang_at),
            "answered_at": iso_utc(call.answered_at),
            "ended_at": iso_utc(call.ended_at),
            "hangup_cause_code": cause.code if cause else None,
            "hangup_cause_name": cause.name if cause else None,
            "waits_for_key": call.waits_for_key,
            "transcript": [
                {"at": iso_utc(row["at"]), "kind": row["kind"], "text": row["text"]}
                for row in self._calls.transcript(call.call_uuid)
            ],
        }

    def auto_answer(self, number: str) -> AutoAnswer:
        row = self._storage.row("SELECT * FROM handsets WHERE number = :number", number=number)
        return AutoAnswer(bool(row["auto_answer"]), row["press"]) if row else AutoAnswer()

    def set_auto_answer(self, number: str, auto: AutoAnswer) -> None:
        self._storage.run(
            "INSERT INTO handsets (number, auto_answer, press) VALUES (:number, :on, :press)"
            " ON CONFLICT (number) DO UPDATE SET auto_answer = :on, press = :press",
            number=number,
            on=auto.on,
            press=auto.press,
        )
        self.changed(number)

    def clear(self, number: str) -> None:
        """Forget what is shown; Plivo's logs and the auto-answer setting stay."""
        self._storage.run(
            "INSERT INTO handsets (number, cleared_at) VALUES (:number, :now)"
            " ON CONFLICT (number) DO UPDATE SET cleared_at = :now",
            number=number,
            now=self._clock.now(),
        )
        self.changed(number)

    def clear_all(self) -> None:
        """`clear` for every number, and no handset answers by itself any more."""
        with self._storage.together():
            self._storage.run("DELETE FROM handsets")
            self.clear(ALL)
        self.wake_all()

    def forget(self) -> None:
        """Forget every message and call, Plivo's logs of them, and what was still to be done."""
        with self._storage.together():
            for table in FORGOTTEN:
                self._storage.run(f"DELETE FROM {table}")  # noqa: S608
        self.wake_all()

    def changed(self, number: str) -> None:
        """Wake whoever watches this handset."""
        for watcher in self._watchers.get(number, ()):
            watcher.set()

    def wake_all(self) -> None:
        """Wake every watcher: every handset has changed, or the sandbox stops."""
        for number in list(self._watchers):
            self.changed(number)

    @contextmanager
    def watching(self, number: str) -> Iterator[asyncio.Event]:
        """An event that is set at each change; the watcher clears it."""
        watcher = asyncio.Event()
        self._watchers[number].add(watcher)
        try:
            yield watcher
        finally:
            self._watchers[number].discard(watcher)
            if not self._watchers[number]:
                del self._watchers[number]

"""State of the simulated handsets: auto-answer, clearing, and notification of watchers."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from core.sandbox.clock import SandboxClock
from core.sandbox.storage import Storage

#: In place of a number: all handsets. It is stored with the moment at which all were cleared.
ALL_NUMBERS = ""
#: All messages and calls and their jobs. A running job finds no record and ends.
LOGGED_TABLES = (
    *("messages", "calls", "plans", "transcript", "arrivals", "inbox"),
    *("schedule", "callbacks", "callback_attempts"),
)


@dataclass(frozen=True, slots=True)
class AutoAnswer:
    """`on`: calls are answered automatically. `press`: the key pressed when a call waits for it."""

    on: bool = False
    press: str = "1"


class Handsets:
    """All handsets. Every number has one."""

    def __init__(self, storage: Storage, clock: SandboxClock) -> None:
        self._storage = storage
        self._clock = clock
        self._watchers: dict[str, set[asyncio.Event]] = defaultdict(set)

    def auto_answer(self, number: str) -> AutoAnswer:
        row = self._storage.row("SELECT * FROM handsets WHERE number = :number", number=number)
        return AutoAnswer(bool(row["auto_answer"]), row["press"]) if row else AutoAnswer()

    def cleared_at(self, number: str) -> float:
        """When the handset was last cleared, as Unix seconds; 0 if never."""
        row = self._storage.rows(
            "SELECT MAX(cleared_at) AS cleared_at FROM handsets WHERE number IN (:number, :all)",
            number=number,
            all=ALL_NUMBERS,
        )[0]
        return float(row["cleared_at"] or 0)

    def set_auto_answer(self, number: str, auto: AutoAnswer) -> None:
        self._storage.run(
            "INSERT INTO handsets (number, auto_answer, press) VALUES (:number, :on, :press)"
            " ON CONFLICT (number) DO UPDATE SET auto_answer = :on, press = :press",
            number=number,
            on=auto.on,
            press=auto.press,
        )
        self.notify(number)

    def clear(self, number: str) -> None:
        """Empty the handset. Plivo's logs and the auto-answer setting stay."""
        with self._storage.transaction():
            self._storage.run(
                "INSERT INTO handsets (number, cleared_at) VALUES (:number, :now)"
                " ON CONFLICT (number) DO UPDATE SET cleared_at = :now",
                number=number,
                now=self._clock.now(),
            )
            self._storage.run("DELETE FROM inbox WHERE number = :number", number=number)
        self.notify(number)

    def hand_over(self, number: str) -> None:
        """`clear` the handset and turn auto-answer off, for another user of the number."""
        self._storage.run("DELETE FROM handsets WHERE number = :number", number=number)
        self.clear(number)

    def clear_all(self) -> None:
        """`clear` every handset and turn auto-answer off."""
        with self._storage.transaction():
            self._storage.run("DELETE FROM handsets")
            self._storage.run("DELETE FROM inbox")
            self.clear(ALL_NUMBERS)
        self.wake_all()

    def delete_logs(self) -> None:
        """Delete all messages and calls with their logs, callbacks and scheduled jobs."""
        with self._storage.transaction():
            for table in LOGGED_TABLES:
                self._storage.run(f"DELETE FROM {table}")  # noqa: S608
        self.wake_all()

    def notify(self, number: str) -> None:
        """Set the event of every watcher of this handset, and of all handsets."""
        for watched in {number, ALL_NUMBERS}:
            for watcher in self._watchers.get(watched, ()):
                watcher.set()

    def wake_all(self) -> None:
        """Wake all watchers: every handset has changed, or the sandbox stops."""
        for number in list(self._watchers):
            self.notify(number)

    @contextmanager
    def watch(self, number: str) -> Iterator[asyncio.Event]:
        """Yield an event that is set at each change of a handset, or of any (`ALL_NUMBERS`); the
        caller clears it."""
        watcher = asyncio.Event()
        self._watchers[number].add(watcher)
        try:
            yield watcher
        finally:
            self._watchers[number].discard(watcher)
            if not self._watchers[number]:
                del self._watchers[number]

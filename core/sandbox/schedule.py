"""What the carrier will do, and when: a table, and the loop that works it off.

Invariant: a row is deleted only after its job is done, so a crash may repeat a job and never
loses one. Every job must therefore look at the state before it changes it.
"""

import asyncio
import json
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any

from core.sandbox.clock import SandboxClock
from core.sandbox.errors import StorageFailed
from core.sandbox.storage import Storage

log = logging.getLogger(__name__)

MAX_RUNNING = 50
STORAGE_PAUSE = 1.0  # seconds until a state file that failed is tried again
MAX_PAUSE = 5.0  # seconds without a look: a request may have found the state file failing
RETRY_AFTER = 10.0  # simulated seconds until a job that raised is tried again

Payload = dict[str, Any]
Handler = Callable[[Payload], Awaitable[None]]


class Job(StrEnum):
    """What a row asks for."""

    SEND = "message.send"
    SETTLE = "message.settle"
    RING = "call.ring"
    ANSWER = "call.answer"
    END = "call.end"
    FETCH = "call.fetch"
    STEP = "call.step"
    KEYS_DONE = "call.keys_done"
    PRESS = "call.press"
    CALLBACK = "callback"


class Schedule:
    """Jobs in the order in which they are due; jobs of one lane never overlap."""

    def __init__(self, storage: Storage, clock: SandboxClock) -> None:
        self._storage = storage
        self._clock = clock
        self._handlers: dict[Job, Handler] = {}
        self._wake = asyncio.Event()
        self._lanes: dict[str, asyncio.Task[None]] = {}

    def register(self, job: Job, handler: Handler) -> None:
        """`handler` gets the payload; it must bear being called twice for one row."""
        self._handlers[job] = handler

    def add(self, job: Job, lane: str, after: float, **payload: Any) -> None:
        """Do `job` in `after` simulated seconds, once the lane is free."""
        self._storage.run(
            "INSERT INTO schedule (due, job, lane, payload) VALUES (:due, :job, :lane, :payload)",
            due=self._clock.after(after),
            job=job.value,
            lane=lane,
            payload=json.dumps(payload),
        )
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled; jobs under way are cancelled too and stay in the table."""
        self._wake = asyncio.Event()  # an event belongs to the loop that first waited for it
        try:
            while True:
                self._wake.clear()
                try:
                    if self._storage.is_failing:
                        # Before any job: its callback would go out again with each try.
                        await asyncio.sleep(STORAGE_PAUSE)
                        self._storage.probe()
                    pause = self._start_due_jobs()
                except StorageFailed:
                    continue
                try:
                    await asyncio.wait_for(self._wake.wait(), pause)
                except TimeoutError:
                    continue
        finally:
            under_way = list(self._lanes.values())
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    def _start_due_jobs(self) -> float:
        """Start what is due; return the seconds until the next row, at most MAX_PAUSE."""
        now = self._clock.now()
        for row in self._storage.rows("SELECT * FROM schedule ORDER BY due, id LIMIT 200"):
            if row["due"] > now:
                return min(float(row["due"]) - now, MAX_PAUSE)
            if row["lane"] in self._lanes:
                continue
            if len(self._lanes) >= MAX_RUNNING:
                return MAX_PAUSE
            self._lanes[row["lane"]] = asyncio.create_task(self._do(row))
        return MAX_PAUSE

    async def _do(self, row: sqlite3.Row) -> None:
        try:
            await self._work(row)
        except StorageFailed:
            # Logged by the storage. The row stays due, and `run` waits until there is room.
            return
        finally:
            del self._lanes[row["lane"]]
            self._wake.set()

    async def _work(self, row: sqlite3.Row) -> None:
        try:
            await self._handlers[Job(row["job"])](json.loads(row["payload"]))
        except StorageFailed:
            raise
        except Exception:
            # The row stays, or the message it belongs to would hang for ever.
            log.exception("sandbox job failed", extra={"job": row["job"]})
            due = self._clock.after(RETRY_AFTER)
            self._storage.run(
                "UPDATE schedule SET due = :due WHERE id = :id", due=due, id=row["id"]
            )
        else:
            self._storage.run("DELETE FROM schedule WHERE id = :id", id=row["id"])

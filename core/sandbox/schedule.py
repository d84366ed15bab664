"""Runs the sandbox's jobs when they are due: a table of jobs and the loop that executes them.

Invariant: a row is deleted only after its job is done, so a crash may repeat a job but never loses
one. Every job must therefore check the state before it changes it.
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
STORAGE_PAUSE = 1.0  # seconds between two probes of a state file that failed
MAX_PAUSE = 5.0  # seconds; a request may have set `storage.is_failing` without waking the loop
RETRY_AFTER = 10.0  # simulated seconds until a job that raised runs again

Payload = dict[str, Any]
Handler = Callable[[Payload], Awaitable[None]]


class Job(StrEnum):
    """The kind of a job."""

    SEND = "message.send"
    SETTLE = "message.settle"
    REPORT = "message.report"
    RING = "call.ring"
    ANSWER = "call.answer"
    END = "call.end"
    FETCH = "call.fetch"
    STEP = "call.step"
    KEYS_DONE = "call.keys_done"
    PRESS = "call.press"
    CALLBACK = "callback"


class Schedule:
    """Runs jobs in the order in which they are due. Jobs of the same lane never overlap."""

    def __init__(self, storage: Storage, clock: SandboxClock) -> None:
        self._storage = storage
        self._clock = clock
        self._handlers: dict[Job, Handler] = {}
        self._wake = asyncio.Event()
        self._lanes: dict[str, asyncio.Task[None]] = {}

    def register(self, job: Job, handler: Handler) -> None:
        """Run `handler` with the payload of each `job`. It must be safe to run twice for a row."""
        self._handlers[job] = handler

    def add(self, job: Job, lane: str, after: float, **payload: Any) -> None:
        """Run `job` after `after` simulated seconds, once its lane is free."""
        self._storage.run(
            "INSERT INTO schedule (due, job, lane, payload) VALUES (:due, :job, :lane, :payload)",
            due=self._clock.after(after),
            job=job.value,
            lane=lane,
            payload=json.dumps(payload),
        )
        self._wake.set()

    async def run(self) -> None:
        """Run jobs until cancelled. Running jobs are cancelled too; their rows stay."""
        self._wake = (
            asyncio.Event()
        )  # an asyncio event is bound to the loop that first waits for it
        try:
            while True:
                self._wake.clear()
                try:
                    if self._storage.is_failing:
                        # Probe before any job runs: a job that cannot record its callback
                        # would send it again at each try.
                        await asyncio.sleep(STORAGE_PAUSE)
                        self._storage.probe()
                    pause = self._start_due_jobs()
                except StorageFailed:
                    continue
                try:
                    # `wait_for` of Python 3.11 loses a cancel that comes with the event.
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            running = list(self._lanes.values())
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _start_due_jobs(self) -> float:
        """Start all due jobs; return the seconds until the next one, at most MAX_PAUSE."""
        now = self._clock.now()
        for row in self._storage.rows("SELECT * FROM schedule ORDER BY due, id LIMIT 200"):
            if row["due"] > now:
                return min(float(row["due"]) - now, MAX_PAUSE)
            if row["lane"] in self._lanes:
                continue
            if len(self._lanes) >= MAX_RUNNING:
                return MAX_PAUSE
            self._lanes[row["lane"]] = asyncio.create_task(self._run_row(row))
        return MAX_PAUSE

    async def _run_row(self, row: sqlite3.Row) -> None:
        try:
            await self._run_handler(row)
        except StorageFailed:
            # The storage has logged it. The row stays due, and `run` waits until a probe succeeds.
            return
        finally:
            del self._lanes[row["lane"]]
            self._wake.set()

    async def _run_handler(self, row: sqlite3.Row) -> None:
        try:
            await self._handlers[Job(row["job"])](json.loads(row["payload"]))
        except StorageFailed:
            raise
        except Exception:
            # The row stays: without it, its message or call would never end.
            log.exception("sandbox job failed", extra={"job": row["job"]})
            due = self._clock.after(RETRY_AFTER)
            self._storage.run(
                "UPDATE schedule SET due = :due WHERE id = :id", due=due, id=row["id"]
            )
        else:
            self._storage.run("DELETE FROM schedule WHERE id = :id", id=row["id"])

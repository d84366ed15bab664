"""Starts, stops and removes sample traffic, and reads how far it is.

The status is in Redis, so every process and every visitor sees the same, and a process that is
killed leaves the work to the next one. `Sample` does the work. Light to import: no numpy.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Event

from core.model.clock import Clock, duration_ms
from core.model.errors import SampleRefused
from core.sample.plan import Plan, SampleState, SampleStatus
from core.store.client import Client
from core.store.keys import Keys
from core.store.scripts import Scripts

log = logging.getLogger(__name__)

#: As long as the figures of a day.
KEEP_MS = duration_ms(timedelta(days=400))
#: How long a page waits for the first day before it is drawn again, and how often it looks. A day
#: takes about a tenth of a second.
_FIRST_DAY, _LOOK = timedelta(seconds=1), timedelta(milliseconds=20)


class SampleControl:
    """`wake` is called when there may be work for this process. Every method raises
    StoreUnavailable; those that change something raise SampleRefused in every environment except
    the sandbox."""

    def __init__(
        self,
        client: Client,
        scripts: Scripts,
        keys: Keys,
        clock: Clock,
        wake: Callable[[], None],
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._keys = keys
        self._clock = clock
        self._wake = wake

    def state(self) -> SampleState:
        with self._client.pipeline(transaction=False) as pipe:
            pipe.hgetall(self._keys.sample)
            pipe.hlen(self._keys.sample_days)
            values, days = pipe.execute()
        try:
            plan = Plan.parse(values["plan"])
            status = SampleStatus(values["status"])
            attempts, has_records = int(values.get("attempts", 0)), "recorded" in values
            return SampleState(status, plan, days, attempts, has_records)
        except (KeyError, ValueError, SampleRefused):
            if values:
                log.exception("the state of sample traffic cannot be read")
            return SampleState()

    def load(self, days: int, per_day: int, seed: int) -> Plan:
        """Start the loading, or go on with one that was stopped; the plan of what is already there
        stays. Raises SampleRefused where that has another size, or is being removed."""
        plan = Plan(days, per_day, seed, self._clock.now())
        there = self.state()
        if there.plan is None or there.plan.has_size_of(plan):
            status, text = self._change("load", plan=str(plan))
            there = SampleState(status, Plan.parse(text))
        if there.status is SampleStatus.REMOVING:
            raise SampleRefused(
                "The sample traffic is being removed.", "Load it once it is gone, in some seconds."
            )
        if there.plan is None or not there.plan.has_size_of(plan):
            raise SampleRefused(
                "There is sample traffic of another size, or with another seed.",
                "Remove it first: python -m core reset --what sample",
            )
        return there.plan

    def wait_for_first_day(self) -> None:
        """Return once a day is in the figures, or after `_FIRST_DAY`."""
        ends = time.monotonic() + _FIRST_DAY.total_seconds()
        while not self.state().days and time.monotonic() < ends:
            Event().wait(_LOOK.total_seconds())

    def go_on(self) -> None:
        """Go on with a loading that was stopped."""
        self._change("load", plan="")

    def stop(self) -> None:
        """Stop the loading after the current day. What is loaded stays."""
        self._change("stop")

    def remove(self) -> None:
        """Begin to remove all of it, also what is still being loaded."""
        self._change("remove")

    def finish(self, plan: Plan, change: str) -> None:
        """Note that the records of a plan are written ("recorded"), or that all of it is "loaded"
        or "removed", if it is."""
        self._change(change, plan=str(plan), days=plan.days)

    def _change(self, change: str, **more: str | int) -> tuple[SampleStatus, str]:
        if self._keys.environment != "sandbox":
            raise SampleRefused(
                "Sample traffic belongs to the sandbox, and this is the live environment.",
                "Set PLIVO_MODE=sandbox, or read the real figures.",
            )
        arguments = {"change": change, "plan": "", "days": 0, "keep_ms": KEEP_MS, **more}
        keys = [self._keys.sample, self._keys.sample_days]
        status, plan = self._scripts.run("sample_status", keys, arguments)
        if SampleStatus(status).has_work:
            self._wake()
        return SampleStatus(status), plan

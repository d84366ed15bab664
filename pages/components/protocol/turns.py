"""Schedules script runs fairly between visitors.

Scripts share one interpreter lock: many at once do not finish sooner, and every other visitor waits
for all of them. Here at most AT_ONCE run, and the next turn goes to the visitor with the least
recent use: a visitor who floods waits behind all others, a new visitor only for running scripts.
"""

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

AT_ONCE = 2
#: Seconds after which a visitor's use counts half.
_HALF_LIFE = 10.0
#: Seconds between two inspections of a turn. A script that waits for Plivo or Redis needs no turn.
_INSPECT_AFTER = 0.25
_LONGEST = 3.0


class Visitor:
    """The owner of a share of the turns: a client address, or a socket without a known address."""

    def __init__(self) -> None:
        self._used = 0.0
        self._at = 0.0

    def used(self, now: float) -> float:
        """Seconds of script runs, weighted by age."""
        return float(self._used * 0.5 ** ((now - self._at) / _HALF_LIFE))

    def use(self, seconds: float, now: float) -> None:
        self._used, self._at = self.used(now) + seconds, now


@dataclass(eq=False)
class Runner:
    """One session, which runs one script at a time."""

    visitor: Visitor
    #: When its turn started; None without a turn.
    since: float | None = None
    #: Processor seconds of the process at the last inspection of its turn.
    processor: float = 0.0
    waiting: asyncio.Future[None] | None = field(default=None, repr=False)
    order: int = 0


class Turns:
    """Use it on a single event loop only."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        processor: Callable[[], float] = time.process_time,
    ) -> None:
        self._clock = clock
        self._processor = processor
        self._running: set[Runner] = set()
        self._waiting: set[Runner] = set()
        self._order = itertools.count()

    async def take(self, runner: Runner) -> None:
        """Return when the runner may start a script. A run that replaces the runner's current one
        starts at once, unless others wait."""
        if runner.since is not None and not self._waiting:
            return
        runner.order = next(self._order)
        runner.waiting = asyncio.get_running_loop().create_future()
        self._waiting.add(runner)
        self._hand_out()
        try:
            await runner.waiting
        finally:
            self._waiting.discard(runner)
            runner.waiting = None

    def end(self, runner: Runner) -> None:
        """The runner's script has ended. Does nothing if it has no turn."""
        if runner.since is None:
            return
        now = self._clock()
        runner.visitor.use(now - runner.since, now)
        runner.since = None
        self._running.discard(runner)
        self._hand_out()

    def leave(self, runner: Runner) -> None:
        """The runner's socket has closed: its turn ends, and so does its wait for one."""
        if runner.waiting is not None and not runner.waiting.done():
            runner.waiting.set_result(None)
        self._waiting.discard(runner)
        self.end(runner)

    def _hand_out(self) -> None:
        while len(self._running) < AT_ONCE:
            now = self._clock()
            ready = [runner for runner in self._waiting if runner.since is None]
            if not ready:
                return
            runner = min(ready, key=lambda waiting: (waiting.visitor.used(now), waiting.order))
            self._waiting.discard(runner)
            self._running.add(runner)
            runner.since, runner.processor = now, self._processor()
            self._inspect_later(runner, now)
            assert runner.waiting is not None  # noqa: S101  take() set it before it added the runner
            if not runner.waiting.done():
                runner.waiting.set_result(None)

    def _inspect_later(self, runner: Runner, since: float) -> None:
        asyncio.get_running_loop().call_later(_INSPECT_AFTER, self._inspect, runner, since)

    def _inspect(self, runner: Runner, since: float) -> None:
        if runner.since != since:
            return
        processor = self._processor()
        is_busy = processor - runner.processor > _INSPECT_AFTER / 2
        runner.processor = processor
        if is_busy and self._clock() - since < _LONGEST:
            self._inspect_later(runner, since)
        else:
            self.end(runner)

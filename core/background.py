"""Runs a function again and again in a background thread."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from core.model.errors import ProductError

log = logging.getLogger(__name__)

PAUSE = timedelta(seconds=2)
PATIENCE = timedelta(seconds=1)


class Periodic:
    """Calls `run` in a daemon thread: first after `first` (by default `every`), then each time
    `every` after the end of the last run. `name` is the thread's name and begins its log lines.

    A run that raises does not end the thread: it goes on after a further `pause`. The error is
    logged once for each kind, and again only after a run that succeeded. A kind is the cause of a
    ProductError, or the type of another exception, which is a bug and has its traceback logged.

    `stop` waits up to `patience` for the current run. A run that takes longer ends with the
    process, which is logged. A long run checks `stopping`, which `stop` sets.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[], object],
        every: timedelta,
        *,
        first: timedelta | None = None,
        pause: timedelta = PAUSE,
        patience: timedelta = PATIENCE,
    ) -> None:
        self.name = name
        self.stopping = threading.Event()
        self._run = run
        self._every = every
        self._first = every if first is None else first
        self._pause = pause
        self._patience = patience
        self._due = threading.Event()
        self._is_running = False
        self._logged: set[str] = set()
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Run at once, or again at once if a run is under way."""
        self._due.set()

    def request_stop(self) -> None:
        """Let the thread end, without waiting for it."""
        self.stopping.set()
        self._due.set()

    def stop(self) -> None:
        """End the thread, and wait for it up to `patience`. Does nothing before `start`."""
        self.request_stop()
        if self._thread.ident is None:
            return
        self._thread.join(self._patience.total_seconds())
        # A thread that waits between two runs has nothing to be cut off.
        if self._thread.is_alive() and self._is_running:
            log.warning("%s still running at stop", self.name)

    def _loop(self) -> None:
        wait = self._first
        while True:
            self._due.wait(wait.total_seconds())
            if self.stopping.is_set():
                return
            self._due.clear()
            self._is_running = True
            succeeded = self._run_once()
            self._is_running = False
            if not succeeded:
                self.stopping.wait(self._pause.total_seconds())
            wait = self._every

    def _run_once(self) -> bool:
        """Run it, and return whether it succeeded."""
        try:
            self._run()
        except ProductError as error:
            if self._is_new(error.cause):
                log.warning("%s paused", self.name, extra={"cause": error.cause})
        except Exception as error:
            # A bug in one run must not end the thread.
            if self._is_new(type(error).__name__):
                log.exception("%s failed", self.name)
        else:
            self._logged.clear()
            return True
        return False

    def _is_new(self, kind: str) -> bool:
        is_new = kind not in self._logged
        self._logged.add(kind)
        return is_new

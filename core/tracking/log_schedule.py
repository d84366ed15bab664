"""Reads the logs now and then, in a thread."""

import logging
import threading
from datetime import timedelta

from core.model.errors import ProductError
from core.tracking.log_sync import LogSync

log = logging.getLogger(__name__)

AFTER_START = timedelta(minutes=1)


class LogSchedule:
    """`start` reads `first` later and then every `every`, in one of all processes at a time."""

    def __init__(self, logs: LogSync, every: timedelta, *, first: timedelta = AFTER_START) -> None:
        self._logs = logs
        self._every = every
        self._first = first
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="log schedule", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread. A reading under way ends with the process: it is resumed, not lost."""
        self._stopping.set()

    def _run(self) -> None:
        wait = self._first
        while not self._stopping.wait(wait.total_seconds()):
            wait = self._every
            try:
                self._logs.run()
            except ProductError as error:
                log.warning("logs not read", extra={"cause": error.cause})
            except Exception:
                # A bug in one reading must not end the schedule; the log has the traceback.
                log.exception("reading the logs failed")

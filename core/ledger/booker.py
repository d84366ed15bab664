"""Keeps the figures up to date in the background: books what people did with their codes, and lets
go of attempts that are too many."""

import logging
import threading
from datetime import timedelta

from core.ledger.ledger import Ledger
from core.model.errors import ProductError

log = logging.getLogger(__name__)

#: How far the figures may be behind a check.
TICK = timedelta(milliseconds=500)
_TRIM_EVERY = 120
_PAUSE_SECONDS = 2.0


class Booker:
    """`start` runs it in a thread. Any number of processes may do so at once: an event that two of
    them book counts once."""

    def __init__(self, ledger: Ledger, *, most: int) -> None:
        self._ledger = ledger
        self._most = most
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Keep the figures up to date until `stop`."""
        self._thread = threading.Thread(target=self._run, name="booker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the background thread and wait for it."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def book(self) -> None:
        """Book all that is waiting, now. Raises StoreUnavailable."""
        while self._ledger.book_checks():
            pass

    def _run(self) -> None:
        rounds = 0
        while not self._stopping.wait(TICK.total_seconds()):
            try:
                self.book()
                if rounds % _TRIM_EVERY == 0:
                    self._ledger.trim(self._most)
                rounds += 1
            except ProductError as error:
                # Redis is away. What waits in its list is booked once it is back.
                log.warning("booking paused", extra={"cause": error.cause})
                self._stopping.wait(_PAUSE_SECONDS)
            except Exception:
                # A bug in one round must not end the thread for good; the log has the traceback.
                log.exception("booking failed")
                self._stopping.wait(_PAUSE_SECONDS)

"""Keeps the figures up to date: books checks, and trims the list of attempts."""

from datetime import timedelta

from core.ledger.ledger import Ledger

#: How far the figures may be behind a check.
TICK = timedelta(milliseconds=500)
_TRIM_EVERY = 120


class Booker:
    """Any number of processes may book at once: an event that two of them book counts once."""

    def __init__(self, ledger: Ledger, *, most: int) -> None:
        self._ledger = ledger
        self._most = most
        self._rounds = 0

    def book(self) -> None:
        """Book all that is waiting, now. Raises StoreUnavailable."""
        while self._ledger.book_checks():
            pass

    def run(self) -> None:
        """Book, and now and then trim. Raises StoreUnavailable."""
        self.book()
        if self._rounds % _TRIM_EVERY == 0:
            self._ledger.trim(self._most)
        self._rounds += 1

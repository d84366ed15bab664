"""Applies the waiting checks in the background, and trims the list of attempts."""

from datetime import timedelta

from core.ledger.ledger import Ledger

#: Between two runs: the figures may lag this far behind a check.
TICK = timedelta(milliseconds=500)
_TRIM_EVERY = 120


class Booker:
    """Keeps at most `most` attempts. Several processes may run one: each event counts once."""

    def __init__(self, ledger: Ledger, *, most: int) -> None:
        self._ledger = ledger
        self._most = most
        self._runs = 0

    def book(self) -> None:
        """Apply all waiting checks now. Raises StoreUnavailable."""
        while self._ledger.book_checks():
            pass

    def run(self) -> None:
        """Apply the waiting checks; every _TRIM_EVERY runs, also trim. Raises StoreUnavailable."""
        self.book()
        if self._runs % _TRIM_EVERY == 0:
            self._ledger.trim(self._most)
        self._runs += 1

"""Runs the check of alerts in the background: soon after each minute, and at once on demand."""

import threading
from collections.abc import Callable
from datetime import timedelta

from core.background import Periodic

#: How soon after the end of a minute.
TICK = timedelta(seconds=5)


class AlertWatch:
    """Calls `check(at_once)` again and again; `background` is its thread."""

    def __init__(self, check: Callable[[bool], object]) -> None:
        self._check = check
        self._is_urgent = threading.Event()
        self.background = Periodic("alerts", self._run, TICK)

    def wake(self) -> None:
        """Evaluate now: a send is unclear. Returns at once."""
        self._is_urgent.set()
        self.background.wake()

    def _run(self) -> None:
        is_urgent = self._is_urgent.is_set()
        self._is_urgent.clear()
        self._check(is_urgent)

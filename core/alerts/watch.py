"""Runs the check of alerts in the background: soon after each minute, and at once on demand."""

import threading
from collections.abc import Callable
from datetime import timedelta

from core.background import Periodic

#: How soon after the end of a minute.
TICK = timedelta(seconds=5)


class AlertWatch:
    """Calls `check(at_once)` again and again; `background` is its thread.

    A check at once is refused if any process has made one in the same five seconds, and that may
    not have seen the newest sends. So each one is followed by another with the next tick.
    """

    def __init__(self, check: Callable[[bool], object]) -> None:
        self._check = check
        self._is_woken = threading.Event()
        self._is_followed = False
        self.background = Periodic("alerts", self.run, TICK)

    def wake(self) -> None:
        """Evaluate now: a send is unclear. Returns at once."""
        self._is_woken.set()
        self.background.wake()

    def run(self) -> None:
        """One tick."""
        is_woken = self._is_woken.is_set()
        self._is_woken.clear()
        is_urgent = is_woken or self._is_followed
        # Should the check fail, the next tick tries again.
        self._is_followed = is_urgent
        self._check(is_urgent)
        self._is_followed = is_woken

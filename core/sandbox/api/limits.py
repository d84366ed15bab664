"""Plivo's request limits: so many in so many seconds."""

import time
from collections import deque


class RateLimit:
    """A sliding window over real time. Nothing of it outlives a restart."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._moments: deque[float] = deque()

    def acquire(self) -> bool:
        """Count one request; False, and uncounted, if the window is full."""
        now = time.monotonic()
        while self._moments and self._moments[0] <= now - self._seconds:
            self._moments.popleft()
        if len(self._moments) >= self._most:
            return False
        self._moments.append(now)
        return True

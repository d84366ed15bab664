"""A rate limit: a maximum number of requests in a sliding window."""

import time
from collections import deque


class RateLimit:
    """At most `maximum` requests in `seconds` (real time). A restart clears the window."""

    def __init__(self, maximum: int, seconds: float) -> None:
        self._maximum = maximum
        self._seconds = seconds
        self._moments: deque[float] = deque()

    def acquire(self) -> bool:
        """Count one request. Returns False, and does not count it, if the window is full."""
        now = time.monotonic()
        while self._moments and self._moments[0] <= now - self._seconds:
            self._moments.popleft()
        if len(self._moments) >= self._maximum:
            return False
        self._moments.append(now)
        return True

"""A token bucket: `rate` tokens a second on average, `burst` at once."""

import time
from collections.abc import Callable


class Bucket:
    """A bucket that is full at the start."""

    def __init__(
        self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._left = burst
        self._at = clock()

    def take(self) -> float:
        """Take a token; return the seconds until it is available, 0.0 if it is available now."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate) - 1
        self._at = now
        return max(0.0, -self._left / self._rate)

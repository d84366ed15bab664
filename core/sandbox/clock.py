"""The sandbox's clock: real moments, and durations divided by a speed."""

import time


class SandboxClock:
    """Moments are Unix seconds of the machine's clock, so they stay valid after a restart.

    Durations are simulated seconds: at speed 60, a simulated minute takes one real second.
    """

    def __init__(self, speed: float) -> None:
        if speed <= 0:
            raise ValueError("speed must be above 0")
        self.speed = speed

    def now(self) -> float:
        # Rounded to the microseconds that records and filters write: a filter on a record's own
        # time must match it.
        return round(time.time(), 6)

    def after(self, seconds: float) -> float:
        """The moment `seconds` simulated seconds from now."""
        return self.now() + seconds / self.speed

    def simulated(self, start: float, end: float) -> float:
        """Simulated seconds between two moments; never negative."""
        return max(0.0, end - start) * self.speed

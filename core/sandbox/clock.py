"""The sandbox's time: real moments, and spans that can be shortened."""

import time


class SandboxClock:
    """Moments are Unix seconds of the machine's clock, so they mean the same after a restart.

    Spans are seconds of the simulated world: at speed 60 a minute there takes a second here.
    """

    def __init__(self, speed: float) -> None:
        if speed <= 0:
            raise ValueError("speed must be above 0")
        self.speed = speed

    def now(self) -> float:
        # To the microsecond, as records and filters write it: a record must fit its own time.
        return round(time.time(), 6)

    def after(self, seconds: float) -> float:
        """The moment that lies `seconds` of the simulated world ahead."""
        return self.now() + seconds / self.speed

    def simulated(self, start: float, end: float) -> float:
        """How many seconds of the simulated world lie between two moments; never negative."""
        return max(0.0, end - start) * self.speed

"""Unclear sends lead to a check at once, in the real services."""

from datetime import timedelta

from core.alerts.measures import Measure
from core.alerts.records import Transition
from core.model.verification import SendOutcome
from tests.world import World, until

BURST = 6


def at_hour(at: World, hour: int) -> None:
    """Move the clock on to this hour of the day."""
    now = at.clock.now()
    at.clock.advance(now.replace(hour=hour) + timedelta(days=now.hour >= hour) - now)


def test_a_burst_of_5xx_fires_in_its_own_minute(at: World) -> None:
    # The hour in which sample traffic has unclear sends, two days before: an incident is not usual.
    at_hour(at, 14)
    at.services.sample.load(days=3, per_day=100)
    # The start of a minute that is checked already: without a check at once, nothing more would
    # happen before the next one.
    seconds = at.clock.now().second
    at.clock.advance(60 - seconds + 1)
    minute = at.clock.now().replace(second=0, microsecond=0)
    until(lambda: at.services.alerts.checked() == minute)
    for _ in range(BURST):
        assert at.start(at.number("0503")).outcome is SendOutcome.UNKNOWN

    def fired() -> list[Transition]:
        return [
            change
            for change in at.services.alerts.history()
            if change.measure is Measure.UNCLEAR and change.after.is_alert
        ]

    changes = until(fired)
    assert {change.at.replace(second=0, microsecond=0) for change in changes} == {minute}

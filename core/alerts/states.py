"""The states of an alert, and their transitions.

    no_data     no attempts in the last day, or no baseline
    ok
    pending     there is evidence of a change, but not enough: no notification
    firing      there is enough evidence
    recovering  was firing, and the newest attempts are good, but too few

Hysteresis: an alert ends by evidence of its own, a sequential test of the baseline against what the
alert saw (Wald's SPRT: a wrong end has a probability of one in a thousand). Evidence from before
the end never raises an alert again. One that fires again soon after its end must stay good for some
time before it ends the next time, twice as long after each relapse: so a carrier that comes and
goes is a few alerts, and then one long one.
"""

import math
from datetime import timedelta
from enum import StrEnum

#: The evidence that ends an alert.
RECOVERED = math.log(1000)
#: The part of the evidence for an alert from which it is pending, and for its end recovering.
PENDING, RECOVERING = 0.7, 0.5

#: An alert that fires so soon after its end has relapsed.
RELAPSE = timedelta(hours=2)
#: How long an alert must stay good after its first relapse, and at most.
_FIRST_HOLD, _LONGEST_HOLD = timedelta(minutes=15), timedelta(hours=2)


class AlertState(StrEnum):
    """The state of an alert."""

    NO_DATA = "no_data"
    OK = "ok"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"

    @property
    def is_alert(self) -> bool:
        """Whether it needs attention: it fires, or has just stopped."""
        return self in {AlertState.FIRING, AlertState.RECOVERING}

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to report."""
        return self in {AlertState.NO_DATA, AlertState.OK}


def next_state(
    before: AlertState, *, is_silent: bool, evidence: float, recovery: float, is_held: bool
) -> AlertState:
    """The state after an evaluation. `evidence` of a change and of `recovery`, both as parts of
    what is needed. `is_held`: it has to stay good for longer before it ends."""
    if is_silent:
        return AlertState.NO_DATA
    if before.is_alert:
        if recovery >= 1 and not is_held:
            return AlertState.OK
        return AlertState.RECOVERING if recovery >= RECOVERING else AlertState.FIRING
    if evidence >= 1:
        return AlertState.FIRING
    return AlertState.PENDING if evidence >= PENDING else AlertState.OK


def hold(relapses: int) -> timedelta:
    """How long an alert stays good before it ends, after so many relapses."""
    # More doublings would exceed the longest.
    return min(_FIRST_HOLD * 2 ** min(relapses - 1, 8), _LONGEST_HOLD) if relapses else timedelta()

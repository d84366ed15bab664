"""When a finding becomes an alert and when an alert is over.

    no_data   nothing to compare, or to compare with
    ok
    pending   bad once
    firing    bad in two checks in a row
    recovering  was firing, and was good once; good twice in a row is ok

Hysteresis: between bad and good there is a middle, and in it nothing changes but that a pending
alert is dropped. Silence neither confirms nor ends an alert for two hours; then there is no data.
"""

from dataclasses import dataclass
from enum import StrEnum


class AlertState(StrEnum):
    """Where an alert stands."""

    NO_DATA = "no_data"
    OK = "ok"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"

    @property
    def is_alert(self) -> bool:
        """Whether somebody should look: it fires, or has hardly stopped."""
        return self in {AlertState.FIRING, AlertState.RECOVERING}

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to tell."""
        return self in {AlertState.NO_DATA, AlertState.OK}


class Finding(StrEnum):
    """What one check found."""

    SILENT = "silent"  # nothing to judge
    GOOD = "good"
    MIDDLE = "middle"  # neither: not good enough to end an alert, not bad enough to raise one
    BAD = "bad"


#: Checks in a row that raise an alert, and that end it.
CONSECUTIVE = 2
#: Silent checks in a row after which an alert says no more than that there is no data: two hours.
MOST_SILENT = 8


@dataclass(frozen=True, slots=True)
class Standing:
    """A state, for how many checks in a row it has been supported, and how many were silent."""

    state: AlertState = AlertState.NO_DATA
    streak: int = 0
    silent: int = 0


def step(before: Standing, found: Finding) -> Standing:
    """The standing after one more check."""
    match found:
        case Finding.SILENT:
            silent = before.silent + 1
            if before.state.is_alert and silent < MOST_SILENT:
                return Standing(before.state, before.streak, silent)
            return Standing(AlertState.NO_DATA, silent=silent)
        case Finding.BAD:
            if before.state.is_alert:
                return Standing(AlertState.FIRING, CONSECUTIVE)
            streak = before.streak + 1 if before.state is AlertState.PENDING else 1
            state = AlertState.FIRING if streak >= CONSECUTIVE else AlertState.PENDING
            return Standing(state, streak)
        case Finding.MIDDLE:
            if before.state is AlertState.RECOVERING:
                # Good twice must be twice in a row.
                return Standing(AlertState.RECOVERING)
            return before if before.state.is_alert else Standing(AlertState.OK)
        case Finding.GOOD:
            if not before.state.is_alert:
                return Standing(AlertState.OK)
            streak = before.streak + 1 if before.state is AlertState.RECOVERING else 1
            done = streak >= CONSECUTIVE
            return Standing(AlertState.OK) if done else Standing(AlertState.RECOVERING, streak)


def after_a_gap(standing: Standing) -> Standing:
    """The standing when checks were missed: what must be in a row begins again."""
    if standing.state is AlertState.PENDING:
        return Standing(AlertState.OK)
    return Standing(standing.state)

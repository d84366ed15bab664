"""The states of an alert, and their transitions.

    no_data   no attempts, or no baseline
    ok
    pending   bad once
    firing    bad in two checks in a row
    recovering  was firing, and was good once; good twice in a row is ok

Hysteresis: between bad and good there is a middle, in which only a pending alert is dropped. Silent
checks neither confirm nor end an alert for two hours; then its state is no_data.
"""

from dataclasses import dataclass
from enum import StrEnum


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


class Finding(StrEnum):
    """The result of a check."""

    SILENT = "silent"  # nothing to judge
    GOOD = "good"
    MIDDLE = "middle"  # neither: not good enough to end an alert, not bad enough to raise one
    BAD = "bad"


#: Checks in a row that raise an alert, and that end it.
CONSECUTIVE = 2
#: Silent checks in a row after which an alert becomes no_data: two hours.
MOST_SILENT = 8


@dataclass(frozen=True, slots=True)
class Standing:
    """A state, how many checks in a row support it, and how many in a row were silent."""

    state: AlertState = AlertState.NO_DATA
    streak: int = 0
    silent: int = 0


def step(before: Standing, finding: Finding) -> Standing:
    """The standing after another check."""
    match finding:
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
                # The two good checks must be in a row.
                return Standing(AlertState.RECOVERING)
            return before if before.state.is_alert else Standing(AlertState.OK)
        case Finding.GOOD:
            if not before.state.is_alert:
                return Standing(AlertState.OK)
            streak = before.streak + 1 if before.state is AlertState.RECOVERING else 1
            done = streak >= CONSECUTIVE
            return Standing(AlertState.OK) if done else Standing(AlertState.RECOVERING, streak)


def after_missed_checks(standing: Standing) -> Standing:
    """The standing after missed checks: the count in a row begins again."""
    if standing.state is AlertState.PENDING:
        return Standing(AlertState.OK)
    return Standing(standing.state)

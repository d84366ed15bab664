"""The sign of each state: the same wherever a state is shown, so that colour never speaks alone."""

from core.model.attempt import State

#: Not decided yet: any state that is not among MARKS.
PENDING = "◌"
VERIFIED = "✔"
MARKS = {
    State.DELIVERED: "●",
    State.UNDELIVERED: "▲",
    State.FAILED: "✕",
    State.REJECTED: "■",
    State.UNKNOWN: "◇",
}


def mark(state: State) -> str:
    """The sign alone."""
    return MARKS.get(state, PENDING)


def marked(state: State) -> str:
    """ "● delivered": the sign, and the word."""
    return f"{mark(state)} {state}"

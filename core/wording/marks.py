"""The sign of each state, the same on every page: a state is never shown by colour alone."""

from core.model.attempt import State

#: States that are not in MARKS: not final yet.
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

"""Defines how each state is shown: sign, word, colour and shape, the same on every page and chart.

A colour never stands without the sign or the word.
"""

from dataclasses import dataclass

from core.model.attempt import State


@dataclass(frozen=True, slots=True)
class StateMark:
    """`colour` is a field of `charts.palette.Palette`; `shape` is the sign as ECharts draws it."""

    word: str
    sign: str
    colour: str
    shape: str


#: By the column of query results that counts the state, in the order of a stacked bar, from below.
#: Two states of one colour differ in sign and shape. "pending" stands for all states without a
#: mark of their own.
STATE_MARKS = {
    "delivered": StateMark("delivered", "●", "green", "circle"),
    "pending": StateMark(
        "pending", "◌", "grey", "path://M10 0A10 10 0 1 1 9.9 0ZM10 5A5 5 0 1 0 10.1 5Z"
    ),
    "unclear": StateMark("unclear", "◇", "purple", "diamond"),
    "unreported": StateMark("unknown", "▽", "purple", "path://M0 0L12 0L6 10Z"),
    "undelivered": StateMark("undelivered", "▲", "vermilion", "triangle"),
    "failed": StateMark(
        "failed",
        "✕",
        "vermilion",
        "path://M2 0L6 4L10 0L12 2L8 6L12 10L10 12L6 8L2 12L0 10L4 6L0 2Z",
    ),
    "rejected": StateMark("rejected", "■", "ochre", "rect"),
}
VERIFIED = "✔"
VERIFIED_COLOUR = "blue"

_SIGNS = {state_mark.word: state_mark.sign for state_mark in STATE_MARKS.values()}


def mark(state: State) -> str:
    """The sign alone."""
    return _SIGNS.get(state, _SIGNS["pending"])


def marked(state: State) -> str:
    """ "● delivered": the sign and the word."""
    return f"{mark(state)} {state}"

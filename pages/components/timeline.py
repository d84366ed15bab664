"""What happened to a verification, as dots on a line with the gaps between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from pages.components.assets import script, style

StepState = Literal["done", "verified", "now", "waiting", "bad", "unknown"]

_TIMELINE = st.components.v2.component("timeline", js=script("timeline"), css=style("timeline"))


@dataclass(frozen=True, slots=True)
class Step:
    """One dot. `at_ms` is Unix milliseconds, `gap_ms` the time since the step before; both are None
    while it has not happened. `note` is a few quiet words below the label."""

    label: str
    at_ms: int | None
    state: StepState
    note: str = ""
    gap_ms: int | None = None


def timeline(steps: Sequence[Step], *, key: str) -> None:
    """Draw the steps from left to right, from top to bottom where there is no room for that.

    For a screen reader it is an ordered list; a step that is new or changed is announced. The row
    keeps its place when steps fill in; let the steps still to come be there as `waiting`.
    """
    _TIMELINE(
        data=[
            {
                "label": step.label,
                "at_ms": step.at_ms,
                "state": step.state,
                "note": step.note,
                "gap": "" if step.gap_ms is None else gap_words(step.gap_ms),
            }
            for step in steps
        ],
        key=key,
    )


def gap_words(milliseconds: int) -> str:
    """A gap as people read it: `<0.1 s`, `0.3 s`, `12 s`, `1 min 5 s`. Negative counts as none.

    Two clocks may disagree about two steps, and then the later one seems to come first.
    """
    if milliseconds < 50:
        return "<0.1 s"
    if milliseconds < 9_950:
        return f"{milliseconds / 1000:.1f} s"
    seconds = (milliseconds + 500) // 1000
    if seconds < 60:
        return f"{seconds} s"
    return f"{seconds // 60} min {seconds % 60} s"

"""The timeline of a verification: a dot for each step, with the time between steps."""

from collections.abc import Sequence

import streamlit as st

from core.model.clock import to_ms
from core.verification.timeline import TimelineStep
from core.wording.formats import duration
from pages.components.assets import script, style

_TIMELINE = st.components.v2.component("timeline", js=script("timeline"), css=style("timeline"))


def timeline(steps: Sequence[TimelineStep], *, key: str) -> None:
    """Draw the steps from left to right, or from top to bottom in a narrow column.

    For a screen reader it is an ordered list; a step that is new or changed is announced. Pass
    future steps as `waiting`, so that the row keeps its size.
    """
    _TIMELINE(
        data=[
            {
                "label": step.label,
                "at_ms": to_ms(step.at) if step.at else None,
                "state": step.state.value,
                "note": step.note,
                "gap": "" if step.gap is None else duration(step.gap),
            }
            for step in steps
        ],
        key=key,
    )

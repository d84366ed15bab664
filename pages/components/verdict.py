"""The headline of a verification: its current state, and at the end the verdict."""

import streamlit as st

from core.panels.verdict import VerdictFacts
from core.wording.verification import Words
from pages.components.assets import script, style

_VERDICT = st.components.v2.component("verdict", js=script("verdict"), css=style("verdict"))


def verdict(
    words: Words, facts: VerdictFacts, *, simulated: bool, is_final: bool, key: str
) -> None:
    """Draw the headline with its facts and its detail. The height is the same for one line of
    detail and for two. `simulated`: the cost is the sandbox's.

    When it becomes final, it scrolls into view and takes the focus: on a phone the button that
    ended the verification is far below, and the field that had the focus is removed.
    """
    way_and_cost = " · ".join(filter(None, (facts.way, facts.cost)))
    _VERDICT(
        data={
            "mark": words.mark,
            "headline": words.headline,
            "detail": words.detail,
            "tone": words.tone.value,
            "time": facts.time,
            "facts": way_and_cost,
            "simulated": simulated and bool(facts.cost),
            "is_final": is_final,
        },
        key=key,
    )

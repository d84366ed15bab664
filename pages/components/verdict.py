"""What a verification is doing, and at its end the verdict: the largest words of the page."""

import streamlit as st

from core.wording.verification import Words
from pages.components.assets import script, style

_VERDICT = st.components.v2.component("verdict", js=script("verdict"), css=style("verdict"))


def verdict(said: Words, *, is_final: bool, key: str) -> None:
    """Draw the headline and its line; the height is the same for one line of detail and for two.

    When it becomes final, it scrolls into view and takes the focus: on a phone the button that
    ended the verification is far below, and with a keyboard the field that had the focus is gone.
    """
    _VERDICT(
        data={
            "mark": said.mark,
            "headline": said.headline,
            "detail": said.detail,
            "tone": said.tone.value,
            "is_final": is_final,
        },
        key=key,
    )

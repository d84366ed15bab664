"""A button that copies a text to the clipboard."""

import streamlit as st

from pages.components.assets import script, style

_COPY_BUTTON = st.components.v2.component(
    "copy_button", js=script("copy_button"), css=style("copy_button")
)


def copy_button(label: str, text: str, *, key: str) -> None:
    _COPY_BUTTON(data={"label": label, "text": text}, key=key)

"""The two things that the theme cannot say: the space above a page, and the text on a button."""

import streamlit as st

_ROOM = ".stMainBlockContainer {padding-top: 3.5rem}"
# Streamlit writes white on the primary colour: 1.9:1 on the dark theme's mint. This is 9.7:1.
_DARK_ON_MINT = '[data-testid="stBaseButton-primary"]:not(:disabled) {color: #0E1419}'


def apply_look() -> None:
    """Once a run, before the page is drawn."""
    dark = st.context.theme.type == "dark"
    st.html(f"<style>{_ROOM}{_DARK_ON_MINT if dark else ''}</style>")

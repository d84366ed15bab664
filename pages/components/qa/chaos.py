"""The view \"Chaos\" of the QA page."""

import streamlit as st


def draw_chaos() -> None:
    """Draw the view."""
    st.info("Nothing here yet.")

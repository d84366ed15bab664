"""The view \"Sessions\" of the QA page."""

import streamlit as st


def draw_sessions() -> None:
    """Draw the view."""
    st.info("Nothing here yet.")

"""The view \"Numbers\" of the QA page."""

import streamlit as st


def draw_numbers() -> None:
    """Draw the view."""
    st.info("Nothing here yet.")

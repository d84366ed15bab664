"""The view \"Inbox\" of the QA page."""

import streamlit as st


def draw_inbox() -> None:
    """Draw the view."""
    st.info("Nothing here yet.")

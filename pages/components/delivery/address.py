"""Reads the page's address where it is spelled as in the REST API."""

import streamlit as st

from core.figures.queries import SeenDimensions
from core.panels.query_state import read_address


def restore_address(dimensions: SeenDimensions, viewer: str | None) -> None:
    """Call before the controls are drawn. Streamlit knows only their labels ("30 days"), drops
    other spellings ("30d") from the address, and then takes the values of the session."""
    values = read_address(st.query_params.to_dict(), dimensions, viewer)
    for name, value in values.items():
        if name not in st.session_state:
            st.session_state[name] = value
    for name in ("start", "end"):
        if name in st.query_params:
            del st.query_params[name]

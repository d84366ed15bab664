"""Reads the page's address where it is spelled as in the REST API."""

import streamlit as st

from core.figures.filters import SeenDimensions
from core.panels.query_state import page_address


def restore_address(dimensions: SeenDimensions, viewer: str | None) -> None:
    """Call before the controls are drawn: they know only their labels ("30 days"), and drop other
    spellings ("30d") from the address."""
    if "range" in st.session_state:
        # They are drawn already, and write the address themselves.
        return
    parameters = st.query_params.to_dict()
    address = page_address(parameters, dimensions, viewer)
    if address != parameters:
        st.query_params.from_dict(address)
        st.rerun()

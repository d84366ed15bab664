"""The Attempts page's query parameters: `attempt`, a search, or a page's cursor.

A phone number appears only as its digest.
"""

import streamlit as st

_NAMES = ("attempt", "number", "find", "before")


def go(**parameters: str) -> None:
    """Replace the view by this one; call it in a callback, or before a rerun."""
    forget()
    st.query_params.update(parameters)


def forget() -> None:
    """Go to the first page of the list. Filters stay."""
    for name in _NAMES:
        st.query_params.pop(name, None)


def back() -> None:
    """Return from an attempt to the view before it."""
    st.query_params.pop("attempt", None)

"""What the Attempts page shows, in its address: `attempt`, what was looked for, or a page's cursor.

A number is there as its digest alone.
"""

import streamlit as st

_NAMES = ("attempt", "number", "find", "before")


def go(**where: str) -> None:
    """Show this and nothing else; a callback, or before a rerun."""
    forget()
    st.query_params.update(where)


def forget() -> None:
    """Show the list from its beginning. Filters stay."""
    for name in _NAMES:
        st.query_params.pop(name, None)


def back() -> None:
    """Show what was shown before the attempt was opened."""
    st.query_params.pop("attempt", None)

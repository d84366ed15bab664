"""The address of the Verify page: the verification that it shows, or the item of a checklist that
the next send is for.

Where another request for a run waits, Streamlit ends a callback at the first line that sends
something to the browser, such as a change of the address, and goes on with that run: what the
callback has not done yet is lost. So callbacks only note the address, and the next run writes it.
"""

import streamlit as st

_VERIFICATION, _ITEM = "verification", "item"
#: The query that is not written yet.
_NEXT = "verify_next_query"

state = st.session_state


def show_verification(verification: str) -> None:
    """Show this verification from the next run on. The next send is for no item."""
    state[_NEXT] = {_VERIFICATION: verification}


def show_form(*, item: str | None = None) -> None:
    """Show the form from the next run on, for this item."""
    state[_NEXT] = {_ITEM: item} if item else {}


def shown_verification() -> str | None:
    """The verification that the address names. Call it first in a run: it writes the address."""
    query = state.get(_NEXT)
    if query is not None:
        st.query_params.from_dict(query)
        # Only now: the line before may end this run, and the next one then repeats it.
        del state[_NEXT]
    return st.query_params.get(_VERIFICATION)


def named_item() -> str | None:
    """The item that the address names."""
    return st.query_params.get(_ITEM)

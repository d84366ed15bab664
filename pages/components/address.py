"""Keeps a page in step with the browser's address."""

import time
from urllib.parse import urlencode

import streamlit as st

from pages.components.assets import script
from pages.components.events import ignore

_ADDRESS = st.components.v2.component("address", js=script("address"))


def follow_address(path: str, *, key: str) -> None:
    """Rerun the page where it, or the fragment around this, was drawn for a query that the browser
    does not have. `path` is the page's own. Call it where the query is written no more.

    The browser sends its address with every request for a run. A click that it sends before it has
    the answer to an earlier one therefore comes with the address of before; Streamlit takes that
    for the address, though the answer has changed it.
    """
    with st.container(key=f"invisible_{key}"):
        _report(path, key)


# A fragment: the guard drops its report where another page has been asked for meanwhile.
@st.fragment
def _report(path: str, key: str) -> None:
    query = st.query_params
    pairs = [(name, value) for name in query for value in query.get_all(name)]
    # The component is called at every run: the address may have changed where the query has not.
    data = {"path": path, "query": urlencode(pairs), "run": time.monotonic_ns()}
    if _ADDRESS(data=data, key=key, on_changed_change=ignore).changed is not None:
        st.rerun()

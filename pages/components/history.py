"""The browser's history: an entry for each action of a person, none for those of a page."""

import streamlit as st

from pages.components.assets import script

_HISTORY = st.components.v2.component("history", js=script("history"))


def tidy_history() -> None:
    """Call once a run, on every page.

    Streamlit adds an entry whenever a page writes its query, also when it only restores its filters
    after a change of page; then Back stays on the page. Here, a query that is written before the
    first click or key on the page replaces the entry.
    """
    with st.container(key="invisible_history"):
        _HISTORY(key="history")

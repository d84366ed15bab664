"""The browser's history: an entry for what a person did, none for what a page did to itself."""

import streamlit as st

from pages.components.assets import script

_STYLE = '[data-testid="stLayoutWrapper"]:has(> .st-key-history_place) {position: absolute}'
_HISTORY = st.components.v2.component("history", js=script("history"))


def tidy_history() -> None:
    """Once a run, on every page.

    Streamlit adds an entry whenever a page writes its query, also when it only restores its filters
    after a change of pages; then Back stays on the page. A query that is written before anything
    was clicked or typed on the page replaces the entry.
    """
    # Out of the page's flow also before its script has loaded: nothing below it moves then.
    with st.container(key="history_place"):
        st.html(f"<style>{_STYLE}</style>")
        _HISTORY(key="history")

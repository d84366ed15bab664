"""The viewer's theme, for what the server draws in its colours, such as charts."""

import streamlit as st

from pages.components.assets import script
from pages.components.events import ignore

_STYLE = '[data-testid="stLayoutWrapper"]:has(> .st-key-theme_place) {position: absolute}'
_THEME = st.components.v2.component("theme", js=script("theme"))


def is_dark() -> bool:
    return st.context.theme.type == "dark"


def follow_theme(*, key: str) -> None:
    """Rerun the page when the viewer's theme changes, such as in the evening. Call it outside of
    fragments."""
    drawn = "dark" if is_dark() else "light"
    # Out of the page's flow before its script has loaded, too, so that nothing below it moves.
    with st.container(key="theme_place"):
        st.html(f"<style>{_STYLE}</style>")
        _THEME(data={"drawn": drawn}, key=key, on_changed_change=ignore)

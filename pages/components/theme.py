"""The viewer's theme, for what the server draws in its colours, such as charts."""

import streamlit as st

from pages.components.assets import script
from pages.components.events import ignore

_THEME = st.components.v2.component("theme", js=script("theme"))


def is_dark() -> bool:
    return st.context.theme.type == "dark"


def follow_theme(*, key: str) -> None:
    """Rerun the page when the viewer's theme changes, such as in the evening. Call it outside of
    fragments."""
    drawn = "dark" if is_dark() else "light"
    with st.container(key=f"invisible_{key}"):
        _THEME(data={"drawn": drawn}, key=key, on_changed_change=ignore)

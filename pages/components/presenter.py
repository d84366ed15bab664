"""Presenter mode of the Verify page: larger, without menus, and with keys for the next step."""

from collections.abc import Callable

import streamlit as st

from pages.components.assets import script, style

_PRESENTER = st.components.v2.component("presenter", js=script("presenter"), css=style("presenter"))


def presenter(on_reset: Callable[[], None], *, key: str) -> None:
    """Draw the button that starts the mode, and in the mode a line with its keys.

    The mode is kept in the window's session storage. It is an attribute of the document,
    `data-presenter`, which selects the styles in verify/layout.css. The next step is the first
    button that is visible and marked `data-next` in a component, else the primary button of the
    page (`verify_next`). `on_reset` is called without a question.
    """
    _PRESENTER(data={}, key=key, on_reset_change=on_reset)

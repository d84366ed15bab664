"""Opens popovers for people who use only the keyboard, and in the colours of the theme."""

import streamlit as st

from pages.components.assets import script

_POPOVERS = st.components.v2.component("popovers", js=script("popovers"))


def follow_popovers() -> None:
    """Move the focus to each popover that a key opens, and back to its button when it closes.
    Call once a run, on every page. Popovers also get the colour scheme of the page.

    Streamlit puts what a popover shows at the end of the document: the Tab key would reach it only
    after the whole page (WCAG 2.2, 2.4.3 Focus Order).
    """
    with st.container(key="invisible_popovers"):
        _POPOVERS(key="popovers")

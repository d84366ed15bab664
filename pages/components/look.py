"""Styles of all pages that the theme cannot express: contrast, figures, sizes of controls."""

import streamlit as st

from pages.components.assets import page_style

_STYLE = page_style("look")


def apply_look() -> None:
    """Call once a run, before the page is drawn."""
    st.html(f"<style>{_STYLE}</style>")

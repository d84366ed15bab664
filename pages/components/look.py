"""Styles of all pages that the theme cannot express: contrast, figures, sizes of controls."""

from pathlib import Path

import streamlit as st

_STYLE = (Path(__file__).parent / "look.css").read_text("utf-8")


def apply_look() -> None:
    """Call once a run, before the page is drawn."""
    st.html(f"<style>{_STYLE}</style>")

"""The places of the Verify page, and the style that fits them to the window (layout.css)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components.shared import title

_STYLE = (Path(__file__).parent / "layout.css").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Places:
    """Where the parts of the form and of a verification are drawn."""

    #: The number, the code and the verdict. Its height is fixed on a wide page.
    stage: DeltaGenerator
    #: The handset: at the right, or under the stage.
    side: DeltaGenerator
    #: The timeline, and below it what is closed by default.
    rest: DeltaGenerator


@contextmanager
def page_places() -> Iterator[None]:
    """The whole page; its first part is the heading, then come the `columns`."""
    st.html(f"<style>{_STYLE}</style>")
    with st.container(key="verify_page"):
        yield


def heading() -> DeltaGenerator:
    """Draw the title; return the place of the tools beside it."""
    with st.container(
        key="verify_head",
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
    ):
        title("Verify a phone number", width="content")
        return st.container(
            key="verify_tools", horizontal=True, horizontal_alignment="right", width="content"
        )


def columns() -> Places:
    """Call once a run, inside `page_places`; a fragment may call it."""
    with st.container(key="verify_columns"):
        return Places(
            stage=st.container(key="verify_stage"),
            side=st.container(key="verify_side"),
            rest=st.container(key="verify_rest"),
        )

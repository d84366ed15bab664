"""The two lines above the form and above the verdict: what this is about, and a warning.

Their height is reserved, so that a warning or an outage moves nothing below.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from pages.components.shared import plain


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence; of an error it may contain Markdown."""

    text: str
    is_error: bool = False


def draw_lines(about: str, lines: Sequence[Line] = (), *, retry: bool = False) -> None:
    """Draw `about`, and below it the lines. `retry`: with a button that runs the page again."""
    with st.container(key="verify_lines"):
        st.caption(about)
        with st.container(key="verify_warnings", horizontal=True, vertical_alignment="center"):
            for line in lines:
                if line.is_error:
                    st.markdown(f":material/cloud_off: {line.text}")
                else:
                    st.markdown(f":orange[■] {plain(line.text)}")
            if retry:
                # Any click reruns the page, which tries again.
                st.button(
                    "Try again", icon=":material/refresh:", type="tertiary", key="verify_retry"
                )

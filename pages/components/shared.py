"""What every page uses: the process's services, the title, and the error for an outage."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import streamlit as st

from core.model.errors import StoreUnavailable
from core.once import Once
from core.services import Services, build
from core.settings.reading import read_settings

PROJECT = Path(__file__).parents[2]


def _build() -> Services:
    return build(read_settings(PROJECT))


#: The services of this process: the same object in every page, route and session.
services = Once(_build)


def plain(text: str) -> str:
    """Text from outside, such as Plivo's, with its Markdown escaped."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-!|~$:])", r"\\\1", text)


def widget_state(key: str) -> Any:
    """The state of the widget with this key; in a callback, empty if the widget has left the page.

    A browser may send an event after a run has removed the widget: a second press of a key, a
    click on a slow connection. Streamlit then still calls the callback, but has no state for it.
    """
    return st.session_state.get(key) or {}


def title(text: str, *, simulated: bool) -> None:
    """A page's title, with a mark beside it if the page shows sample traffic."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(text, anchor=False, width="content")
        if simulated:
            st.badge("Simulated traffic", icon=":material/science:", color="violet")


@contextmanager
def outage_shown(*, key: str) -> Iterator[None]:
    """If Redis is unavailable in this block: an error with cause and remedy, and a retry button
    with this key."""
    try:
        yield
    except StoreUnavailable as error:
        st.error(f"**{error.cause}** {error.remedy}", icon=":material/cloud_off:")
        # Any click reruns the page, which tries again.
        st.button("Try again", icon=":material/refresh:", key=key)

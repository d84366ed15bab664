"""What every page shares: the process's services, and how an outage is shown."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    """Text that came from outside, such as Plivo's own words, with its Markdown made harmless."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-!|~$:])", r"\\\1", text)


def title(words: str, *, simulated: bool) -> None:
    """A page's title; beside it, wherever sample traffic is among what it shows, a mark of that."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(words, anchor=False, width="content")
        if simulated:
            st.badge("Simulated traffic", icon=":material/science:", color="violet")


@contextmanager
def outage_shown(*, key: str) -> Iterator[None]:
    """In place of what needs Redis: a banner with the cause, the remedy and a retry, whose button
    has this key."""
    try:
        yield
    except StoreUnavailable as error:
        st.error(f"**{error.cause}** {error.remedy}", icon=":material/cloud_off:")
        # Any click is a rerun, and a rerun tries again.
        st.button("Try again", icon=":material/refresh:", key=key)

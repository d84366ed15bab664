"""The empty states of the Delivery page."""

from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import streamlit as st

from core.model.clock import Clock
from core.model.errors import StoreUnavailable
from core.once import Once
from core.panels.empty import Empty, LastGood, unreachable
from pages.components.delivery.header import clear_filters

#: States in which the page has little or no content, so its main action is to load sample traffic.
_FILLABLE = {Empty.NOT_CONFIGURED, Empty.NO_TRAFFIC, Empty.TOO_FEW}


#: One for all sessions of this process.
last_good = Once(LastGood)


@contextmanager
def figures_shown(clock: Clock, zone: ZoneInfo, *, key: str) -> Iterator[None]:
    """If Redis is unavailable in this block: an error with the last moment at which the figures
    were read, the cause and a retry button."""
    try:
        yield
    except StoreUnavailable as error:
        text = unreachable(error, last_good().moment, clock.now(), zone)
        st.error(text, icon=":material/cloud_off:")
        # Any click reruns the page, which tries again.
        st.button("Try again", icon=":material/refresh:", key=key)
    else:
        last_good().note(clock.now())


def draw_empty(kind: Empty, words: str) -> None:
    """An empty state, with a button that clears the filters where they are the reason."""
    late = kind is Empty.QUIET
    st.info(words, icon=":material/schedule:" if late else ":material/inbox:")
    if kind is Empty.FILTERED:
        st.button("Clear the filters", on_click=clear_filters, icon=":material/filter_alt_off:",
                  type="primary", key="clear_empty")  # fmt: skip


def is_fillable(kind: Empty) -> bool:
    """Whether sample traffic is the way out of this empty state."""
    return kind in _FILLABLE

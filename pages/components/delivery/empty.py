"""What is said where there is nothing to see, and sample traffic to fill it with."""

from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import streamlit as st

from core.model.errors import ProductError, StoreUnavailable
from core.once import Once
from core.panels.empty import SAMPLE_WORDS, Empty, LastGood, unreachable
from core.services import Services
from pages.components.delivery.header import clear_filters

#: Where nothing but sample traffic would fill the page, its button is the page's first action.
_FILLABLE = {Empty.NOT_CONFIGURED, Empty.NO_TRAFFIC}


#: Of this process, for all its sessions.
last_good = Once(LastGood)


@contextmanager
def figures_shown(app: Services, zone: ZoneInfo, *, key: str) -> Iterator[None]:
    """In place of what needs Redis: since when the figures are not to be had, why, and a retry."""
    try:
        yield
    except StoreUnavailable as error:
        said = unreachable(error, last_good().moment, app.clock.now(), zone)
        st.error(said, icon=":material/cloud_off:")
        # Any click is a rerun, and a rerun tries again.
        st.button("Try again", icon=":material/refresh:", key=key)
    else:
        last_good().note(app.clock.now())


def empty(app: Services, kind: Empty, words: str, *, simulated: bool) -> None:
    """One of the empty states, with the way out of it."""
    late = kind is Empty.DELAYED
    st.info(words, icon=":material/schedule:" if late else ":material/inbox:")
    if kind is Empty.FILTERED:
        st.button("Clear the filters", on_click=clear_filters, icon=":material/filter_alt_off:",
                  type="primary", key="clear_empty")  # fmt: skip
    if kind in _FILLABLE and not simulated:
        sample(app, first=True)


def sample(app: Services, *, first: bool = False) -> None:
    """In the sandbox: a button that fills it with sample traffic. `first`: there is nothing else to
    look at, so it is the page's main action."""
    if not app.settings.is_sandbox:
        return
    if first:
        st.caption(SAMPLE_WORDS)
    asked = st.button(
        "Load sample traffic", icon=":material/science:", key="sample",
        type="primary" if first else "tertiary", help=None if first else SAMPLE_WORDS,
    )  # fmt: skip
    if asked:
        _load(app)


def _load(app: Services) -> None:
    bar = st.progress(0.0, "Starting")

    def shown(done: float, said: str) -> None:
        bar.progress(done, said)

    try:
        app.sample.load(progress=shown)
    except ProductError as error:
        st.error(f"**{error.cause}** {error.remedy}")
        return
    app.queries.forget()
    st.rerun()

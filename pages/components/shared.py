"""What every page uses: the process's services, the title, and the error for an outage."""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any, Literal, NoReturn, ParamSpec

import streamlit as st
from streamlit.logger import get_logger
from streamlit.runtime.scriptrunner_utils import script_run_context

from core.model.errors import StoreUnavailable
from core.once import Once
from core.services import Services
from core.settings.reading import read_settings
from core.wiring import build

PROJECT = Path(__file__).parents[2]

P = ParamSpec("P")


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


#: A browser's message that crosses a change of the server arrives within this time, also where the
#: browser or the server is busy.
_CROSSING_SECONDS = 10.0


def set_value(key: str, value: object) -> None:
    """Set a widget's value, before it is drawn, to what the server holds.

    A widget that is new on the page gets it as its argument `value`, and is not set here. A browser
    takes a set value only after it has drawn the widget, and never if the next run comes before
    that: it would report the least value as if a person had chosen it.
    """
    if key not in st.session_state:
        return
    before = st.session_state[key]
    if before != value:
        st.session_state[f"{key}_before"] = (before, monotonic())
        st.session_state[key] = value


def is_outdated(key: str) -> bool:
    """Whether the value that a widget reports is the one that `set_value` has just replaced.

    Each message of a browser has the values of all widgets, also that of a fragment which reruns by
    itself: one that was sent before the new value arrived looks like a choice of the old one.
    """
    before, at = st.session_state.get(f"{key}_before", (None, -_CROSSING_SECONDS))
    return bool(st.session_state.get(key) == before and monotonic() - at < _CROSSING_SECONDS)


#: A click that follows another one on the same button so soon, in seconds, is the second one of a
#: double click, or comes from a key that is held.
_DOUBLE_CLICK_SECONDS = 0.7


def once(name: str, action: Callable[P, object]) -> Callable[P, None]:
    """`action` for the clicks on a button that stays on the page and would do more at each click,
    such as add something again: the second click of a double click does nothing. Where the action
    returns False it was refused, and may be repeated at once."""
    key = f"{name}_clicked_at"

    def click(*args: P.args, **kwargs: P.kwargs) -> None:
        is_refused = False
        try:
            # The time since the end of the last action: the second click waits for that.
            since = monotonic() - st.session_state.get(key, -_DOUBLE_CLICK_SECONDS)
            if since >= _DOUBLE_CLICK_SECONDS:
                is_refused = action(*args, **kwargs) is False
        finally:
            # Also where Streamlit has ended the action, because the second click waits.
            if not is_refused:
                st.session_state[key] = monotonic()

    return click


def rerun_fragment() -> NoReturn:
    """Run the fragment around the caller again. Where the event came together with one that runs
    the whole page, Streamlit can run only the page."""
    context = script_run_context.get_script_run_ctx()
    is_fragment_run = context is not None and context.fragment_ids_this_run
    st.rerun(scope="fragment" if is_fragment_run else "app")


def browser_text(value: object) -> str | None:
    """The value of a component's event if it is a text; else None.

    It comes from a browser, so it may be any JSON: also a list, which no set can be searched for,
    or a text with half of a surrogate pair, which cannot be encoded.
    """
    if not isinstance(value, str):
        return None
    try:
        value.encode()
    except UnicodeEncodeError:
        return None
    return value


def title(text: str, *, width: Literal["stretch", "content"] = "stretch") -> None:
    """A page's title, the first of its elements."""
    st.title(text, anchor=False, width=width)


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


@contextmanager
def without_session() -> Iterator[None]:
    """Use Streamlit outside of a visitor's session, without its warning that there is none."""
    logger = get_logger(script_run_context.__name__)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)

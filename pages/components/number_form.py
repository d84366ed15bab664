"""Additions to the number form: initial focus, sending by Enter, and the verification that is
running in this window."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.components.assets import script
from pages.components.events import ignore
from pages.components.shared import browser_text, widget_state

_FORM = st.components.v2.component("number_form", js=script("number_form"))


def number_form(
    label: str,
    *,
    request: str,
    is_first: bool,
    on_enter: Callable[[str, str], None],
    on_kept_request: Callable[[str], None],
    key: str,
) -> str | None:
    """Focus the text input with this label, and call `on_enter` with its text and with `request`
    when Enter is pressed there; pressing Enter twice passes the same `request`.

    The window keeps the request until it shows a verification. If it has kept another one from
    before a reload or a restart of the server, and `is_first` (this session has answered no form
    yet), `on_kept_request` is called with it, as that form may have been sent.

    Returns the verification that was last open in this browser window while it was pending; it
    may have ended since. It is in the window's session storage (live.js), so it survives a
    reload and a change of page; the first run does not have it yet.
    """

    def entered() -> None:
        value: Any = widget_state(key).get("entered")
        if not isinstance(value, dict):
            return
        typed, key_of_click = browser_text(value.get("typed")), browser_text(value.get("request"))
        if typed is not None and key_of_click is not None:
            on_enter(typed, key_of_click)

    def reported() -> None:
        kept = browser_text(widget_state(key).get("request"))
        if kept:
            on_kept_request(kept)

    result = _FORM(
        data={"label": label, "request": request, "is_first": is_first},
        key=key,
        on_entered_change=entered,
        on_running_change=ignore,
        on_request_change=reported,
    )
    return browser_text(result.running)

"""What the form for a number lacks in Streamlit: the focus at its start, a key that sends, and the
verification that this window left running."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.components.assets import script

_FORM = st.components.v2.component("number_form", js=script("number_form"))


def number_form(
    label: str, *, request: str, on_enter: Callable[[str, str], None], key: str
) -> str | None:
    """Put the focus into the text input with this label, and call `on_enter` with what is in it
    and with `request` when Enter is pressed there; an Enter pressed twice brings one `request`.

    Returns the verification that was last open in this browser window while it was pending; it
    may have ended since. The window's session storage has it (live.js), so it outlasts a reload
    and another page; the first run does not know it yet.
    """

    def entered() -> None:
        value: Any = st.session_state[key].get("entered")
        if isinstance(value, dict) and isinstance(value.get("typed"), str):
            on_enter(value["typed"], str(value.get("request")))

    result = _FORM(
        data={"label": label, "request": request},
        key=key,
        on_entered_change=entered,
        on_running_change=_heard,
    )
    return result.running if isinstance(result.running, str) else None


def _heard() -> None:
    """Streamlit lists a state in the result only where it has a callback."""

"""The phone beside the task: a drawing of the simulated handset that can be used like one."""

import streamlit as st

from pages.components.assets import script, style

_HANDSET = st.components.v2.component(
    "handset", js=script("codes", "sandbox_phone", "handset"), css=style("handset")
)


def handset(
    shown: str | None,
    *,
    phone: str | None,
    sandbox: bool,
    since_ms: int | None = None,
    offers: bool = True,
    key: str,
) -> None:
    """Draw the phone of a number, `shown` as people may read it (None before one is known), 320 by
    640 pixels.

    In the sandbox it shows the messages and calls at the path `phone`, and its buttons answer,
    decline, press keys and hang up there. Live it fetches nothing and says that the real phone
    rings. What came before `since_ms` (Unix milliseconds) lies above, out of the way.

    A code that it receives is offered as a button while `offers` holds (there is a field for it);
    the button tells the page's code panel by a window
    event, `verification-code`. Nothing comes back to Python, so nothing is rerun.
    """
    _HANDSET(
        data={
            "sandbox": sandbox,
            "phone": phone if sandbox else None,
            "shown": shown,
            "since_ms": since_ms,
            "offers": offers,
        },
        key=key,
    )

"""The phone beside the task: a drawing of the simulated handset that can be used like one."""

from collections.abc import Sequence

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
    length: int,
    brand: str,
    references: Sequence[str] = (),
    since_ms: int | None = None,
    key: str,
) -> None:
    """Draw the phone of a number, `shown` as people may read it (None before one is known), 320 by
    640 pixels.

    In the sandbox it shows the messages and calls at the path `phone`, and its buttons answer,
    decline, press keys and hang up there. Live it fetches nothing and says that the real phone
    rings. What came before `since_ms` (Unix milliseconds) lies above, out of the way.

    `references` are Plivo's uuids of the attempts whose code the page has a field for: a code of
    `length` digits that such a message or call brings is offered as a button. Other messages to
    the same number are only shown: another verification's code is no use here. The button tells
    the page's code panel by a window event, `verification-code`. Nothing comes back to Python, so
    nothing is rerun. `brand` is the sender's name: its digits are never the code.
    """
    _HANDSET(
        data={
            "sandbox": sandbox,
            "phone": phone if sandbox else None,
            "shown": shown,
            "since_ms": since_ms,
            "references": list(references),
            "length": length,
            "brand": brand,
        },
        key=key,
    )

"""The simulated handset: a drawing of a phone that can be used."""

from collections.abc import Sequence

import streamlit as st

from pages.components.assets import script, style

_HANDSET = st.components.v2.component(
    "handset", js=script("codes", "sandbox_phone", "handset"), css=style("handset")
)


def handset(
    label: str | None,
    *,
    phone: str | None,
    sandbox: bool,
    length: int,
    brand: str,
    references: Sequence[str] = (),
    since_ms: int | None = None,
    key: str,
) -> None:
    """Draw the phone of the number that is displayed as `label` (None: no number yet), 320 by 640
    pixels.

    In the sandbox it shows the messages and calls at the path `phone`, and its buttons answer,
    decline, press keys and hang up there. Live it fetches nothing and says that the real phone
    rings. Items before `since_ms` (Unix milliseconds) are above, out of view.

    `references` are Plivo's uuids of this verification's attempts: a code of `length` digits in
    their messages and calls is offered as a button. Other messages to the same number are only
    displayed, as their code belongs to another verification. The button passes the code to the
    page's code panel by a window event, `verification-code`: no rerun is needed. `brand` is the
    sender's name: its digits are never the code.
    """
    _HANDSET(
        data={
            "sandbox": sandbox,
            "phone": phone if sandbox else None,
            "label": label,
            "since_ms": since_ms,
            # Not a list: Streamlit loads pandas to see whether a list holds a frame.
            "references": tuple(references),
            "length": length,
            "brand": brand,
        },
        key=key,
    )

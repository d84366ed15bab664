"""The phone beside the task: a drawing of the simulated handset that can be used like one."""

import phonenumbers
import streamlit as st
from phonenumbers import PhoneNumberFormat

from pages.components.assets import script, style

_HANDSET = st.components.v2.component(
    "handset", js=script("codes", "sandbox_phone", "handset"), css=style("handset")
)


def handset(
    number: str | None, *, sandbox: bool, since_ms: int | None = None, offers: bool = True, key: str
) -> None:
    """Draw the phone of `number` (E.164; None before one is known), 320 by 640 pixels.

    In the sandbox it shows the messages and calls of `/sandbox/handset/{digits}`, and its buttons
    answer, decline, press keys and hang up there. Live it fetches nothing and says that the real
    phone rings. What came before `since_ms` (Unix milliseconds) lies above, out of the way.

    A code that it receives is offered as a button while `offers` holds (there is a field for it);
    the button tells the page's code panel by a window
    event, `verification-code`. Nothing comes back to Python, so nothing is rerun.
    """
    _HANDSET(
        data={
            "sandbox": sandbox,
            "digits": number.removeprefix("+") if number else None,
            "shown": _international(number) if number else None,
            "since_ms": since_ms,
            "offers": offers,
        },
        key=key,
    )


def _international(number: str) -> str:
    return phonenumbers.format_number(phonenumbers.parse(number), PhoneNumberFormat.INTERNATIONAL)

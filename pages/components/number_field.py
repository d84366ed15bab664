"""What the fields for a phone number share: the region of the browser, and the choice to make where
typed digits are more than one number."""

from collections.abc import Callable, Sequence

import streamlit as st

from core.services import Services
from core.verification.number.parse import PhoneNumber, region_of_browser


def region_here(app: Services) -> str | None:
    """The region of national numbers: DEFAULT_REGION, else the browser's."""
    return app.settings.default_region or region_of_browser(st.context.timezone, st.context.locale)


def candidate_buttons(
    candidates: Sequence[PhoneNumber], choose: Callable[[str], None], *, key: str
) -> None:
    """A button for each number; `choose` gets the E.164 of the one that is clicked."""
    with st.container(key=key):
        for place, number in enumerate(candidates):
            st.button(
                f"{number.international} · {number.country} · {number.kind.words}",
                key=f"{key}_{place}",
                icon=":material/call:",
                on_click=choose,
                args=(number.e164,),
                width="stretch",
            )

"""Helpers of the number fields: the viewer's region, and buttons for ambiguous input."""

from collections.abc import Callable, Sequence

import streamlit as st

from core.model.phone_number import ParsedNumber
from core.model.regions import region_of_browser
from core.settings.settings import Settings


def viewer_region(settings: Settings) -> str | None:
    """The region of national numbers: DEFAULT_REGION, else the browser's."""
    return settings.default_region or region_of_browser(st.context.timezone, st.context.locale)


def candidate_buttons(
    candidates: Sequence[ParsedNumber], choose: Callable[[str], None], *, key: str
) -> None:
    """A button for each number; a click calls `choose` with its E.164 form."""
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

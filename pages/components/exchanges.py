"""Behind the scenes: the exchanges with Plivo in both directions, masked, as a log."""

from collections.abc import Sequence
from dataclasses import asdict

import streamlit as st

from core.panels.exchanges import ExchangeLine
from pages.components.assets import script, style

_EXCHANGES = st.components.v2.component(
    "exchanges", js=script("links", "exchanges"), css=style("exchanges")
)


def draw_exchanges(lines: Sequence[ExchangeLine], *, key: str) -> None:
    """Draw a closed list with a line for each exchange; a click on a line opens its parts.

    A line is linked with its step of the timeline on the same page, in both directions.
    """
    _EXCHANGES(data=[asdict(line) for line in lines], key=key)

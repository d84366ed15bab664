"""The endings on the Verify page: a click fills the form in, a second one sends."""

from uuid import uuid4

import streamlit as st

from core.lab.endings import SandboxEnding, SandboxEndings, way_to
from core.lab.sessions.collector import Collector
from core.model.errors import SandboxUnavailable
from core.settings.settings import Settings
from core.verification.service import Verifications
from pages.components.endings import endings_drawer
from pages.components.number_field import viewer_region
from pages.components.shared import plain
from pages.components.verify.address import named_item, show_form
from pages.components.verify.form import send_code
from pages.components.verify.way import selected_way

state = st.session_state


def draw_endings(
    endings: SandboxEndings,
    verifications: Verifications,
    settings: Settings,
    collector: Collector,
) -> None:
    region = viewer_region(settings)
    try:
        table, numbers = endings.table(), endings.numbers(region)
    except SandboxUnavailable as error:
        st.caption(f"{plain(error.cause)} {plain(error.remedy)}")
        return
    by_suffix = {ending.suffix: ending for ending in table.endings}

    def fill(suffix: str) -> None:
        if numbers.get(suffix):
            _fill(by_suffix[suffix], numbers[suffix])

    def send(suffix: str) -> None:
        if numbers.get(suffix):
            _fill(by_suffix[suffix], numbers[suffix])
            state.setdefault("request", uuid4().hex)
            send_code(numbers[suffix], region, state.request, verifications, collector)

    endings_drawer(table, numbers, on_fill=fill, on_send=send, key="verify_endings")


def _fill(ending: SandboxEnding, number: str) -> None:
    """Show the form with this number, and a way that the ending affects."""
    way = way_to(ending, selected_way())
    state.verify_typed = number
    state.verify_channel = way.channel
    state.verify_mode = way.mode
    show_form(item=named_item())

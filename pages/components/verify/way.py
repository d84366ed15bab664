"""How the code is sent: the controls, and their values in the session state."""

import streamlit as st

from core.model.way import Channel, Mode, Way
from core.wording.formats import channel_name

MODES = {Mode.SMS: "as SMS", Mode.CALL: "as call"}

state = st.session_state


def way_controls() -> Way:
    """Draw the controls; return the selected way."""
    # Not as defaults: an item of a test session may set them before the controls are drawn.
    state.setdefault("verify_channel", Channel.SMS)
    state.setdefault("verify_mode", Mode.SMS)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        channel = st.segmented_control(
            "Send the code by",
            list(Channel),
            format_func=channel_name,
            required=True,
            key="verify_channel",
            persist_state="session",
        )
        st.segmented_control(
            "The PHLO sends it",
            list(MODES),
            format_func=MODES.__getitem__,
            required=True,
            key="verify_mode",
            disabled=channel is not Channel.PHLO,
            persist_state="session",
        )
    return selected_way()


def selected_way() -> Way:
    return Way.of(state.get("verify_channel") or Channel.SMS, state.get("verify_mode") or Mode.SMS)


def clear_form() -> None:
    """The form as a visitor finds it first."""
    state.verify_typed = ""
    state.verify_channel, state.verify_mode = Channel.SMS, Mode.SMS

"""How the code is sent: the controls, and their values in the session state."""

import streamlit as st

from core.model.attempt import Channel, Mode

CHANNELS = {Channel.SMS: "SMS", Channel.VOICE: "Call", Channel.PHLO: "PHLO"}
MODES = {Mode.SMS: "as SMS", Mode.CALL: "as call"}

state = st.session_state


def way_controls() -> Channel:
    """Draw the controls; return the selected channel."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        channel = st.segmented_control(
            "Send the code by",
            list(CHANNELS),
            format_func=CHANNELS.__getitem__,
            default=Channel.SMS,
            required=True,
            key="verify_channel",
            persist_state="session",
        )
        st.segmented_control(
            "The PHLO sends it",
            list(MODES),
            format_func=MODES.__getitem__,
            default=Mode.SMS,
            required=True,
            key="verify_mode",
            disabled=channel is not Channel.PHLO,
            persist_state="session",
        )
    return Channel(channel)


def selected_channel() -> Channel:
    return Channel(state.get("verify_channel") or Channel.SMS)


def selected_mode() -> Mode:
    channel = selected_channel()
    if channel is Channel.PHLO:
        return Mode(state.get("verify_mode") or Mode.SMS)
    return Mode.CALL if channel is Channel.VOICE else Mode.SMS

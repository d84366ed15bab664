"""The sandbox's popovers on the Verify page: numbers to try, and the reset."""

import streamlit as st

from core.access.admission import BrowserAccess
from core.reset.reset import SandboxReset
from core.settings.settings import Settings
from core.verification.service import Verifications
from pages.components.number_field import viewer_region
from pages.components.verify.reset import reset_choices

#: Endings of sandbox numbers worth trying first; the README has all of them.
TRIALS = {
    "0030": "the carrier refuses the message as spam",
    "0080": "the phone is switched off",
    "0450": "the country is barred",
    "0705": "the message is 5 seconds late",
    "0700": "no delivery report ever comes",
    "0402": "the account has no credit",
    "0408": "Plivo's answer never comes",
    "3010": "the line is busy",
    "9100": "a machine takes the call",
    "0600": "a budget refuses the send",
}


def draw_sandbox_tools(
    visitor: BrowserAccess, verifications: Verifications, settings: Settings, reset: SandboxReset
) -> None:
    """Draw the popovers that this visitor may use; none without admission."""
    if visitor.grant.refusal:
        return
    with st.popover("Sandbox numbers", icon=":material/science:"):
        _trials(verifications, settings)
    if visitor.may_reset_sandbox:
        with st.popover("Reset", icon=":material/restart_alt:"):
            reset_choices(reset)


def _trials(verifications: Verifications, settings: Settings) -> None:
    st.markdown("No message leaves this machine. The last four digits decide the outcome:")
    st.markdown("\n".join(f"- **{ending}**: {outcome}" for ending, outcome in TRIALS.items()))
    example = verifications.numbers.example(viewer_region(settings), ending="0030")
    st.caption(
        f"{f'For example {example}. ' if example else ''}"
        "Any other ending is delivered in about a second."
    )

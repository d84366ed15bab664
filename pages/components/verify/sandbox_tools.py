"""The sandbox's tools on the Verify page: the phone in hand, the endings, and the reset."""

import streamlit as st

from core.access.admission import BrowserAccess
from core.access.phone_links import PhoneLinks
from core.lab.endings import SandboxEndings
from core.lab.sessions.collector import Collector
from core.reset.reset import SandboxReset
from core.settings.settings import Settings
from core.verification.service import Verifications
from pages.components.verify.endings import draw_endings
from pages.components.verify.phone_link import phone_in_hand
from pages.components.verify.reset import reset_choices


def draw_sandbox_tools(
    visitor: BrowserAccess,
    verifications: Verifications,
    settings: Settings,
    reset: SandboxReset,
    endings: SandboxEndings,
    links: PhoneLinks,
    collector: Collector,
) -> None:
    """Draw the tools that this visitor may use; none without admission."""
    if visitor.grant.refusal:
        return
    if settings.sandbox_url is None:
        phone_in_hand(verifications, links)
    draw_endings(endings, verifications, settings, collector)
    if visitor.may_reset_sandbox:
        with st.popover("Reset", icon=":material/restart_alt:"):
            reset_choices(reset)

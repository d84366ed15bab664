"""What the Verify page shows to a visitor who may not send: the reason, and how to get access."""

import streamlit as st

from core.access.admission import BrowserAccess
from core.access.password import AccessState
from pages.components.access import invite_refusal, sign_in
from pages.components.badge import badge_for


def draw_no_access(visitor: BrowserAccess) -> None:
    badge_for(None)
    if visitor.grant.refusal and not invite_refusal():
        cause, remedy = visitor.grant.refusal
        st.info(f"**{cause}** {remedy}", icon=":material/lock:")
    if visitor.gate is not AccessState.UNSET:
        st.header("Sign in as the operator", anchor=False)
    sign_in(visitor.gate, "/")

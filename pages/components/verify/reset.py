"""The reset of the sandbox: a button for each kind of data, with what it removes."""

import streamlit as st

from core.model.errors import ResetRefused
from core.reset.kinds import WITHOUT_NAME, ResetKind
from core.reset.reset import SandboxReset
from core.settings.settings import Settings
from core.verification.service import Verifications
from pages.components.access import current_visitor
from pages.components.session_value import session_value
from pages.components.shared import outage_shown, plain
from pages.components.verify.address import show_form
from pages.components.verify.running import forget_shown, shown_verifications
from pages.components.verify.way import clear_form

#: What the last reset has removed, or why it was refused, until a run shows it.
_LAST_RESET = "reset_last"


def reset_choices(reset: SandboxReset) -> None:
    """For a popover: opening it is the confirmation, so the buttons act at once."""
    for kind in (kind for kind in ResetKind if kind in WITHOUT_NAME):
        st.button(
            f"Reset {kind.label.lower()}", key=f"reset_{kind}", width="stretch",
            on_click=_reset, args=(reset, frozenset({kind})),
        )  # fmt: skip
        st.caption(kind.removes)
    st.button(
        "Reset everything", key="reset_all", width="stretch", icon=":material/restart_alt:",
        on_click=_reset, args=(reset, WITHOUT_NAME),
    )  # fmt: skip
    st.caption("All of the above. API tokens and test sessions stay.")
    last = session_value(_LAST_RESET)
    if isinstance(last.value, ResetRefused):
        st.error(f"**{plain(last.value.cause)}** {plain(last.value.remedy)}")
    elif last.value:
        st.toast(last.value, icon=":material/check:")
    last.value = None


def clean_page(reset: SandboxReset, verifications: Verifications, settings: Settings) -> None:
    """An empty form; in the sandbox, with empty handsets and budgets of the numbers of this window.
    Other windows, attempts and figures stay."""
    last, verified = session_value(_LAST_RESET), shown_verifications()
    # Before what may be slow: Streamlit may end a callback after it (see SessionValue).
    forget_shown()
    clear_form()
    show_form()
    if settings.is_sandbox:
        with outage_shown(key="reset_try_again"):
            visitor = current_visitor()
            if visitor.may_reset_sandbox:
                views = verifications.look_all(verified, visitor.grant)
                try:
                    reset.run_for(view.verification for view in views)
                except ResetRefused as error:
                    last.value = error


def _reset(reset: SandboxReset, kinds: frozenset[ResetKind]) -> None:
    last = session_value(_LAST_RESET)
    with outage_shown(key="reset_try_again"):
        # Checked again: the session may have ended since the button was drawn.
        if not current_visitor().may_reset_sandbox:
            return
        try:
            reset.run(kinds)
        except ResetRefused as error:
            last.value = error
            return
        labels = ", ".join(kind.label.lower() for kind in ResetKind if kind in kinds)
        last.value = f"Reset: {labels}"
        if ResetKind.ATTEMPTS in kinds:
            # The verification in the address no longer exists.
            show_form()

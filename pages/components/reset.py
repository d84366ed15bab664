"""In the sandbox: what can be reset, what that removes, and a button for each."""

import streamlit as st

from core.model.errors import ResetRefused
from core.reset.kinds import ResetKind
from core.services import Services
from pages.components.shared import outage_shown, plain

_REFUSED, _DONE = "reset_refused", "reset_done"


def reset_choices(app: Services) -> None:
    """For a popover, which is the question before the click that removes."""
    for kind in ResetKind:
        st.button(
            f"Reset {kind.label.lower()}", key=f"reset_{kind}", width="stretch",
            on_click=_reset, args=(app, frozenset({kind})),
        )  # fmt: skip
        st.caption(kind.removes)
    st.button(
        "Reset everything", key="reset_all", width="stretch", icon=":material/restart_alt:",
        on_click=_reset, args=(app, frozenset(ResetKind)),
    )  # fmt: skip
    st.caption("All of the above. API tokens stay.")
    refused = st.session_state.pop(_REFUSED, None)
    if refused is not None:
        st.error(f"**{plain(refused.cause)}** {plain(refused.remedy)}")
    if done := st.session_state.pop(_DONE, ""):
        st.toast(done, icon=":material/check:")


def _reset(app: Services, kinds: frozenset[ResetKind]) -> None:
    with outage_shown(key="reset_try_again"):
        try:
            app.reset.run(kinds)
        except ResetRefused as error:
            st.session_state[_REFUSED] = error
            return
        labels = ", ".join(kind.label.lower() for kind in ResetKind if kind in kinds)
        st.session_state[_DONE] = f"Reset: {labels}"
        if ResetKind.ATTEMPTS in kinds:
            # The verification that the address names has gone.
            st.query_params.clear()

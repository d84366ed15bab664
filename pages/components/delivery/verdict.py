"""The verdict: whether codes arrive, and at most three causes; a click on one filters the page."""

from datetime import datetime

import streamlit as st

from core.findings.causes import Cause, CauseKind, Outcome
from core.panels.findings import cause_values
from core.panels.query_state import QueryState
from core.wording.findings import (
    MOST_CAUSES,
    calm_words,
    cause_sentence,
    headline,
    more_words,
)
from pages.components.delivery.context import PanelContext
from pages.components.shared import plain

_ICONS = {
    CauseKind.UNCLEAR: ":material/cloud_alert:",
    CauseKind.LOSES: ":material/trending_down:",
    CauseKind.PUMPING: ":material/policy:",
    CauseKind.SLOW: ":material/hourglass_bottom:",
    CauseKind.PRICE: ":material/payments:",
    CauseKind.TRAFFIC_GONE: ":material/do_not_disturb_on:",
}
_RECEIPTS = ":material/mark_email_unread:"


def draw_verdict(context: PanelContext) -> None:
    """One sentence, and a button for each cause. The place has the same height with and without
    causes, so that nothing below it moves."""
    state = context.state
    verdict = context.findings.verdict(state.range, state.filters)
    if verdict.outcome is Outcome.NO_TRAFFIC:
        # The empty state says why.
        return
    with st.container(key="verdict", gap="xxsmall"):
        st.markdown(f"**{plain(headline(verdict))}** {plain(more_words(verdict))}")
        for number, cause in enumerate(verdict.causes[:MOST_CAUSES]):
            _draw_cause(cause, number, state, context.now)
        if words := calm_words(verdict):
            st.caption(plain(words))


def _draw_cause(cause: Cause, number: int, state: QueryState, now: datetime) -> None:
    st.button(
        plain(cause_sentence(cause, state.zone, now)), key=f"cause_{number}", type="tertiary",
        icon=_ICONS.get(cause.kind, _RECEIPTS), on_click=_show, args=(cause, state, now),
    )  # fmt: skip


def _show(cause: Cause, state: QueryState, now: datetime) -> None:
    for name, value in cause_values(cause, state, now).items():
        st.session_state[name] = value

"""The verdict: whether codes arrive, and at most three causes; a click on one filters the page."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import streamlit as st

from core.alerts.measures import Measure
from core.alerts.records import AlertStatus
from core.findings.causes import Cause, CauseKind
from core.model.errors import StoreUnavailable
from core.panels.findings import cause_values
from core.panels.query_state import EVERY, QueryState
from core.wording.alerts import alert_sentence
from core.wording.findings import (
    MOST_CAUSES,
    calm_words,
    cause_sentence,
    headline,
    lines_left,
    more_words,
)
from pages.components.delivery.context import PanelContext
from pages.components.shared import plain, services

_ICONS = {
    CauseKind.UNCLEAR: ":material/cloud_alert:",
    CauseKind.LOSES: ":material/trending_down:",
    CauseKind.PUMPING: ":material/policy:",
    CauseKind.SLOW: ":material/hourglass_bottom:",
    CauseKind.PRICE: ":material/payments:",
    CauseKind.TRAFFIC_GONE: ":material/do_not_disturb_on:",
}
_RECEIPTS = ":material/mark_email_unread:"
_REFUSED, _ALERT = ":material/block:", ":material/notifications_active:"


def draw_verdict(context: PanelContext, *, has_headline: bool) -> None:
    """One sentence, and a button for each cause. The place has the same height with and without
    causes, so that nothing below it moves. `has_headline`: without one, the page has an empty state
    that says the same."""
    state = context.state
    verdict = context.findings.verdict(state.range, state.filters)
    alerts = _unnamed(verdict.causes, state)
    if not (has_headline or verdict.causes or alerts or calm_words(verdict)):
        return
    with st.container(key="verdict", gap="xxsmall"):
        if has_headline:
            st.markdown(f"**{plain(headline(verdict))}** {plain(more_words(verdict))}")
        for number, cause in enumerate(verdict.causes[:MOST_CAUSES]):
            _draw_cause(cause, number, state, context.now)
        for alert in alerts[: lines_left(verdict)]:
            _draw_alert(alert, state, context.now)
        if not alerts and (words := calm_words(verdict)):
            st.caption(plain(words))


def _unnamed(causes: Sequence[Cause], state: QueryState) -> list[AlertStatus]:
    try:
        return services().alerts.unnamed(causes, state.range, state.filters)
    except StoreUnavailable:
        # The line of the alerts below shows the outage. Figures do not depend on them.
        return []


def _draw_alert(alert: AlertStatus, state: QueryState, now: datetime) -> None:
    series = alert.series
    filters = {"channel": series.channel, "country": series.country, "carrier": series.last}
    st.button(
        plain(alert_sentence(alert, state.zone, now)), key=f"cause_{series}_{alert.measure}",
        type="tertiary", icon=_REFUSED if alert.measure is Measure.REFUSED else _ALERT,
        on_click=_filter, args=({name: value or EVERY for name, value in filters.items()},),
    )  # fmt: skip


def _draw_cause(cause: Cause, number: int, state: QueryState, now: datetime) -> None:
    st.button(
        plain(cause_sentence(cause, state.zone, now)), key=f"cause_{number}", type="tertiary",
        icon=_ICONS.get(cause.kind, _RECEIPTS), on_click=_show, args=(cause, state, now),
    )  # fmt: skip


def _show(cause: Cause, state: QueryState, now: datetime) -> None:
    _filter(cause_values(cause, state, now))


def _filter(values: Mapping[str, str]) -> None:
    for name, value in values.items():
        st.session_state[name] = value

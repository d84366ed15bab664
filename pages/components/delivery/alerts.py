"""Alerts: the firing ones, and the state of all measures."""

import streamlit as st

from core.panels.alerts import alert_table
from core.wording.alerts import ALERT_STATES, advice_words, alert_words, certainty_words
from core.wording.formats import clock, counted, day_and_time, series_name
from pages.components.delivery.context import PanelContext
from pages.components.delivery.notifications import draw_notifications, draw_snooze
from pages.components.panel import csv, frame_height, grid, text

_RULES = (
    "Once a minute the last day of each channel, country and carrier is compared with the four "
    "weeks before, at the same age of the attempts, by a sequential test (CUSUM): it finds when a "
    "change began, within minutes on a busy place and within hours on a small one. The more "
    "places, the more evidence an alert needs."
)


def draw_alerts(context: PanelContext) -> None:
    """A warning for each alert that no other alert explains, then the state of all measures."""
    alerts, zone = context.alerts, context.state.zone
    statuses = alerts.current()
    for status in statuses:
        if status.state.is_alert and not status.under:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.warning(
                    f"**{series_name(status.series)}** is {ALERT_STATES[status.state]}: "
                    f"{alert_words(status)} Since {day_and_time(status.since, zone)}. "
                    f"{certainty_words(status)} {advice_words(status)}",
                    icon=":material/notifications_active:",
                )
                draw_snooze(context, status)
    st.caption(_RULES)
    checked = alerts.checked()
    if checked is not None:
        st.caption(
            f"Last check: {clock(checked, zone)}, {counted(len(statuses), 'measure')} watched."
        )
    if statuses:
        frame = alert_table(statuses, zone)
        columns = {
            "series": text("Series", pinned=True), "measure": text("Measure"),
            "state": text("State"), "since": text("Since"), "saw": text("Seen"),
            "shows": text("Can be seen"),
            "under": text("Explained by"),
        }  # fmt: skip
        grid(frame, "alerts", columns, height=frame_height(len(frame), 6))
        csv(frame, "alerts", **context.files)
    draw_notifications(context)

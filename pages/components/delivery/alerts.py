"""Alerts: the firing ones, the state of all measures, and a dry run of the rules."""

import streamlit as st

from core.panels.alerts import alert_table, dry_run_table
from core.wording.alerts import ALERT_STATES, alert_words
from core.wording.formats import clock, counted, series_name, times
from pages.components.delivery.context import PanelContext
from pages.components.delivery.notifications import draw_notifications, draw_snooze
from pages.components.panel import csv, frame_height, grid, text

_RULES = (
    "Every 15 minutes the last hour of each channel and country is compared with the same hour of "
    "the four weeks before, by a fixed rule from 100 attempts on and by an exact binomial test for "
    "any number. Bad once is pending, bad twice in a row fires, good twice in a row is ok again."
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
                    f"{alert_words(status)}",
                    icon=":material/notifications_active:",
                )
                draw_snooze(context, status)
    st.caption(_RULES)
    checked = alerts.checked()
    if checked is not None:
        st.caption(
            f"Last check: the hour until {clock(checked, zone)}, "
            f"{counted(len(statuses), 'measure')} watched."
        )
    if statuses:
        frame = alert_table(statuses, zone)
        columns = {
            "series": text("Series", pinned=True), "measure": text("Measure"),
            "state": text("State"), "since": text("Since"), "saw": text("The last hour"),
            "under": text("Explained by"),
        }  # fmt: skip
        grid(frame, "alerts", columns, height=frame_height(len(frame), 6))
        csv(frame, "alerts", **context.files)
    draw_notifications(context)
    _dry_run(context)


def _dry_run(context: PanelContext) -> None:
    if not st.button("Try the rules on this range", key="dry_run"):
        return
    state = context.state
    dry_run = context.alerts.dry_run(state.range, state.filters)
    st.markdown(
        f"They would have fired **{times(dry_run.fired)}** in {counted(dry_run.checks, 'check')}."
    )
    frame = dry_run_table(dry_run, state.zone)
    if len(frame):
        columns = {
            "from": text("From"), "until": text("Until"), "series": text("Series"),
            "measure": text("Measure"),
        }  # fmt: skip
        grid(frame, "tried", columns, height=frame_height(len(frame), 6))
        csv(frame, "dry_run", **context.files)

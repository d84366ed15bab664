"""Alerts: what fires now, how everything else stands, and what the rules would have said."""

import streamlit as st

from core.panels.tables import alert_counts, alert_table, dry_run_table
from core.wording.formats import ALERT_STATES, alert_words, clock, counted, series_name, times
from pages.components.delivery.context import Shown
from pages.components.panel import csv, frame_height, grid, text

_RULES = (
    "Every 15 minutes the last hour of each channel and country is compared with the same hour of "
    "the four weeks before, by a fixed rule from 100 attempts on and by an exact binomial test for "
    "any number. Bad once is pending, bad twice in a row fires, good twice in a row is ok again."
)


def alerts(shown: Shown) -> None:
    """A warning for each alert that no other one explains; the rest behind one line."""
    app, zone = shown.app, shown.choice.zone
    statuses = app.alerts.current()
    for one in (one for one in statuses if one.state.is_alert and not one.under):
        st.warning(
            f"**{series_name(one.series)}** is {ALERT_STATES[one.state]}: {alert_words(one)}",
            icon=":material/notifications_active:",
        )
    counts = alert_counts(statuses)
    said = " · ".join(f"{n:,} {ALERT_STATES[state]}" for state, n in counts.items())
    checked = app.alerts.checked()
    if checked is None:
        said = "not checked yet"
    with st.expander(f"Alerts: {said}", icon=":material/notifications:"):
        st.caption(_RULES)
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
            csv(frame, "alerts", simulated=shown.simulated)
        _dry_run(shown)


def _dry_run(shown: Shown) -> None:
    if not st.button("Try the rules on this range", key="dry_run"):
        return
    tried = shown.app.alerts.dry_run(shown.choice.range, shown.choice.filters)
    st.markdown(
        f"They would have fired **{times(tried.fired)}** in {counted(tried.checks, 'check')}."
    )
    frame = dry_run_table(tried, shown.choice.zone)
    if len(frame):
        columns = {
            "from": text("From"), "until": text("Until"), "series": text("Series"),
            "measure": text("Measure"),
        }  # fmt: skip
        grid(frame, "tried", columns, height=frame_height(len(frame), 6))
        csv(frame, "dry_run", simulated=shown.simulated)

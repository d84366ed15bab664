"""Notifications of alerts: who receives them, a test, snoozes, and the history of the alerts."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import streamlit as st

from core.alerts.records import Place
from core.model.errors import ProductError
from core.panels.alerts import history_table
from core.wording.formats import counted
from pages.components.delivery.context import PanelContext
from pages.components.panel import csv, frame_height, grid, text
from pages.components.session_value import session_value
from pages.components.shared import services

_LENGTHS = {
    "1 hour": timedelta(hours=1), "4 hours": timedelta(hours=4), "1 day": timedelta(days=1),
    "1 week": timedelta(weeks=1),
}  # fmt: skip
#: The result of the last click, and whether it was a success.
_NOTE = "alerts_note"


def draw_snooze(context: PanelContext, place: Place, *, is_snoozed: bool) -> None:
    """A menu that snoozes an alert, or a button that ends its snooze."""
    alerts = context.alerts
    key = f"snooze_{place[0]}_{place[1]}"
    if is_snoozed:
        end = partial(_change, partial(alerts.snoozes.end, place), "The snooze has ended.")
        st.button("End the snooze", key=f"{key}_end", type="tertiary", on_click=end)
        return
    st.menu_button(
        "Snooze", list(_LENGTHS), key=key, icon=":material/snooze:",
        help="No notification of this alert for as long.",
        on_click=_snooze, args=(context, place, key),
    )  # fmt: skip


def _snooze(context: PanelContext, place: Place, key: str) -> None:
    words = st.session_state.get(key) or ""
    if length := _LENGTHS.get(words):
        _change(partial(context.alerts.snoozes.snooze, place, length), f"Snoozed for {words}.")


def draw_notifications(context: PanelContext) -> None:
    """Who is notified, with a button that sends a test; then the history."""
    alerts = context.alerts
    receivers = alerts.receiver_count
    with st.container(horizontal=True, vertical_alignment="center"):
        if receivers:
            st.caption(
                f"{counted(receivers, 'receiver')} of notifications: when an alert fires, and when "
                "it has ended.",
                width="content",
            )
            st.button("Send a test", icon=":material/notification_important:", key="alerts_test",
                      type="tertiary", on_click=_send_test)  # fmt: skip
        else:
            st.caption(
                "Notifications have no receiver: set WEBHOOK_URL or ALERT_URLS, and start again."
            )
    note = session_value(_NOTE)
    if note.value:
        words, is_done = note.value
        if is_done:
            st.caption(f":material/check: {words}")
        else:
            st.warning(words, icon=":material/info:")
        note.value = None
    frame = history_table(alerts.history(), context.state.zone)
    if len(frame):
        st.markdown("**History**")
        columns = {
            "at": text("At"), "series": text("Series", pinned=True), "measure": text("Measure"),
            "before": text("Before"), "after": text("After"),
        }  # fmt: skip
        grid(frame, "alerts_history", columns, height=frame_height(len(frame), 6))
        csv(frame, "alerts_history", **context.files)


def _send_test() -> None:
    # Not through the context: that keeps and repeats answers.
    _change(
        services().alerts.send_test,
        "The test is on its way. The API page lists what cannot be delivered.",
    )


def _change(change: Callable[[], object], words: str) -> None:
    note = session_value(_NOTE)
    try:
        change()
    except ProductError as error:
        note.value = (f"Nothing was changed. {error.cause} {error.remedy}", False)
    else:
        note.value = (words, True)

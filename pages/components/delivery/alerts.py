"""Alerts: the firing ones, those that have ended, and the state of all measures."""

import streamlit as st

from core.charts.alert_course import alert_course
from core.panels.alert_cards import (
    AlertCard,
    blind_words,
    calm_words,
    ended_cards,
    firing_card,
    shown_until,
)
from core.panels.alert_course import points
from core.panels.alerts import alert_table
from core.panels.query_state import EVERY
from core.wording.formats import clock, counted
from pages.components.delivery.context import PanelContext
from pages.components.delivery.notifications import draw_notifications, draw_snooze
from pages.components.panel import chart, csv, frame_height, grid, text
from pages.components.shared import plain

_RULES = (
    "Once a minute the last day of each channel, country and carrier is compared with the four "
    "weeks before, at the same age of the attempts, by a sequential test (CUSUM): it finds when a "
    "change began, within minutes on a busy place and within hours on a small one. The more "
    "places, the more evidence an alert needs."
)
#: More alerts are in the table only.
_MOST_CARDS = 6


def draw_alerts(context: PanelContext) -> None:
    """A card for each alert that no other alert explains, then the state of all measures."""
    alerts, zone = context.alerts, context.state.zone
    statuses, checked, snoozed = alerts.current(), alerts.checked(), alerts.snoozed()
    firing = alerts.firing()
    for entry in firing[:_MOST_CARDS]:
        until = snoozed.get(entry.place)
        receivers = alerts.receiver_count
        card = firing_card(entry, until, receivers, context.now, zone)
        _draw_card(context, card, is_snoozed=until is not None)
    if len(firing) > _MOST_CARDS:
        st.caption(f"{len(firing) - _MOST_CARDS:,} more are in the table.")
    if not firing:
        st.markdown(calm_words(statuses, checked))
    places = [entry.place for entry in firing]
    for card in ended_cards(alerts.history(1000), places, context.now, zone):
        _draw_card(context, card, is_snoozed=False)
    if words := blind_words(statuses):
        st.caption(words)
    if checked is not None:
        st.caption(
            f"Last check: {clock(checked, zone)}, {counted(len(statuses), 'measure')} watched.",
            help=_RULES,
        )
    if statuses:
        st.markdown("**All measures**")
        frame = alert_table(statuses, zone)
        columns = {
            "series": text("Series", pinned=True, width="medium"), "measure": text("Measure"),
            "state": text("State"), "since": text("Since"), "seen": text("Seen"),
            "can_be_seen": text("Can be seen"),
            "explained_by": text("Explained by"),
        }  # fmt: skip
        grid(frame, "alerts", columns, height=frame_height(len(frame), 6))
        csv(frame, "alerts", **context.files)
    draw_notifications(context)


def _draw_card(context: PanelContext, card: AlertCard, *, is_snoozed: bool) -> None:
    series, measure = card.place
    name = f"alert_{'ended' if card.ended else 'firing'}_{series}_{measure}"
    icon = "check_circle" if card.ended else "notifications_active"
    with st.container(border=True, key=name, gap="small"):
        st.markdown(f":material/{icon}: **{plain(card.headline)}**")
        st.markdown(plain(card.saw))
        if card.baseline is not None:
            course = context.alerts.course(card.place)
            drawn_points = points(
                course, measure, card.baseline, card.since, shown_until(card, context.now)
            )
            moments = (card.since, card.fired, card.ended)
            drawn = alert_course(drawn_points, moments, context.state.zone, context.palette)
            chart(drawn, name, 170)
        st.caption(plain(" · ".join(card.done)))
        if card.advice:
            st.markdown(f"**What to do:** {plain(card.advice)}")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Show this traffic", key=f"show_{name}", type="tertiary", on_click=_show,
                args=(series.channel, series.country, series.last), icon=":material/filter_alt:",
            )  # fmt: skip
            if not card.ended:
                draw_snooze(context, card.place, is_snoozed=is_snoozed)


def _show(channel: str, country: str, carrier: str) -> None:
    values = {"channel": channel, "country": country, "carrier": carrier}
    for name, value in values.items():
        st.session_state[name] = value or EVERY

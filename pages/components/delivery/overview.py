"""Are codes arriving? The main figures, and the confirmed rate over the range."""

import streamlit as st

from core.charts.cards import cards
from core.panels.figures import ShownRange, figures, table
from pages.components.delivery.context import PanelContext
from pages.components.panel import csv, parquet


def draw_overview(context: PanelContext) -> None:
    """The confirmed rate with its chart, the largest element of the page; the other figures beside
    it."""
    queries, state = context.queries, context.state
    now = ShownRange(
        queries.totals(state.range, state.filters), queries.histogram(state.range, state.filters)
    )
    before = None
    if state.before:
        before = ShownRange(
            queries.totals(state.before, state.filters),
            queries.histogram(state.before, state.filters),
        )
    steps = queries.over_time(state.range, state.filters, state.zone)
    heat = queries.heatmap(state.range, state.filters, zone=state.zone).to_numpy()
    all_figures = figures(now, before, steps, heat, context.targets)
    st.html(cards(all_figures, steps.index, state.zone, context.palette))
    with st.container(horizontal=True, vertical_alignment="center"):
        has_changes = any(figure.change for figure in all_figures)
        if text := state.comparison_text(has_changes=has_changes):
            st.caption(text, width="content")
        with st.popover("Download", icon=":material/download:", type="tertiary"):
            simulated = context.simulated
            csv(table(all_figures), "figures", "Figures as CSV", simulated=simulated)
            csv(steps, "over_time", "Every step as CSV", simulated=simulated)
            parquet(steps, "delivery", "Every step as Parquet", simulated=simulated)

"""Are codes arriving? The main figures, and the confirmed rate over the range."""

import streamlit as st

from core.charts.cards import cards
from core.panels.figure_inputs import read_inputs
from core.panels.figures import figures, table
from pages.components.delivery.context import PanelContext
from pages.components.panel import csv, parquet


def draw_overview(context: PanelContext) -> None:
    """The confirmed rate with its chart, the largest element of the page; the other figures beside
    it."""
    queries, state = context.queries, context.state
    inputs = read_inputs(queries, state.range, state.comparison, state.filters, state.zone)
    all_figures = figures(inputs, context.targets)
    st.html(cards(all_figures, inputs.steps.index, state.zone, context.palette))
    with st.container(horizontal=True, vertical_alignment="center"):
        compared = queries.compared(state.range, state.comparison, state.zone)
        if text := state.comparison_text(compared, queries.history_begins()):
            st.caption(text, width="content")
        with st.popover("Download", icon=":material/download:", type="tertiary"):
            csv(table(all_figures), "figures", "Figures as CSV", **context.files)
            csv(inputs.steps, "over_time", "Every step as CSV", **context.files)
            parquet(inputs.steps, "delivery", "Every step as Parquet", **context.files)

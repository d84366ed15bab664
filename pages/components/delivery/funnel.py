"""Where do they get lost? The funnel by channel, and the effect of a second way."""

import streamlit as st

from core.charts.bars import funnel
from core.panels.tables import fallback, funnel_table, rescue_table, widening_words
from pages.components.delivery.context import PanelContext
from pages.components.panel import chart, downloads, grid, number, text


def draw_funnel(context: PanelContext) -> None:
    state = context.state
    ripe = context.queries.ripe(state.range)
    by_channel = context.queries.by_channel(ripe, state.filters)
    table, rescued = funnel_table(by_channel), rescue_table(by_channel)
    chart(funnel(table, context.palette), "funnel", 40 + 96 * max(1, len(table)))
    if words := widening_words(table):
        st.caption(words)
    st.caption(fallback(context.queries.totals(ripe, state.filters)).words)
    grid(
        rescued,
        "rescue",
        {
            "channel": text("Channel", pinned=True),
            "resends": number("Sent again", "localized"),
            "fallbacks": number("In place of another", "localized"),
            "rescued": number("Verified this way", "localized"),
            "rate": number("Rescue rate", "%.1f %%"),
            "low": number("95 % from", "%.1f %%"),
            "high": number("to", "%.1f %%"),
        },
    )
    downloads(**context.files, funnel=table, rescue=rescued)

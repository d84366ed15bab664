"""Where do they get lost? The funnel by channel, and what a second way brought."""

import streamlit as st

from core.charts.bars import funnel
from core.panels.tables import fallback, funnel_table, rescue_table
from pages.components.delivery.context import Shown
from pages.components.panel import chart, grid, number, question, text


def lost(shown: Shown) -> None:
    asked = shown.choice
    by_channel = shown.app.queries.by_channel(asked.range, asked.filters)
    table, rescued = funnel_table(by_channel), rescue_table(by_channel)
    question("Where do they get lost?", simulated=shown.simulated, funnel=table, rescue=rescued)
    chart(funnel(table, shown.colours), "funnel", 40 + 96 * max(1, len(table)))
    st.caption(fallback(shown.app.queries.totals(asked.range, asked.filters)).words)
    grid(
        rescued,
        "rescue",
        {
            "channel": text("Channel", pinned=True),
            "resends": number("Sent again", "localized"),
            "fallbacks": number("In place of another", "localized"),
            "rescued": number("Verified so", "localized"),
            "rate": number("Rescue rate", "%.1f %%"),
            "low": number("at least", "%.1f %%"),
            "high": number("at most", "%.1f %%"),
        },
    )

"""What does it cost? Spend and waste by channel."""

import streamlit as st

from core.panels.tables import PRICES_SETTLE, cost_table
from core.wording.formats import duration
from pages.components.delivery.context import PanelContext
from pages.components.panel import downloads, grid, number, text


def draw_cost(context: PanelContext) -> None:
    state = context.state
    table = cost_table(context.queries.by_channel(state.range, state.filters))
    grid(
        table,
        "cost",
        {
            "channel": text("Channel", pinned=True),
            "spent": number("Spent", "dollar"),
            "wasted": number("Wasted", "dollar"),
            "share": number("Wasted share", "%.0f %%"),
            "per_verified": number("Per verified attempt", "$%.4f"),
            "priced": number("Priced", "%.0f %%", help="Attempts whose price Plivo has reported."),
        },
    )
    st.caption(
        "Wasted: the cost of attempts that brought no code that was entered. Prices of the last "
        f"{duration(PRICES_SETTLE)} are provisional."
    )
    downloads(simulated=context.simulated, cost=table)

"""What does it cost? Spend and waste by channel."""

import streamlit as st

from core.panels.tables import PRICES_SETTLE, cost_table
from core.wording.formats import duration
from pages.components.delivery.context import Shown
from pages.components.panel import grid, number, question, text


def cost(shown: Shown) -> None:
    asked = shown.choice
    table = cost_table(shown.app.queries.by_channel(asked.range, asked.filters))
    question("What does it cost?", simulated=shown.simulated, cost=table)
    grid(
        table,
        "cost",
        {
            "channel": text("Channel", pinned=True),
            "spent": number("Spent", "dollar"),
            "wasted": number("Wasted", "dollar"),
            "share": number("Of it", "%.0f %%"),
            "per_verified": number("Per verified attempt", "$%.4f"),
            "priced": number("Priced", "%.0f %%", help="Attempts whose price Plivo has told."),
        },
    )
    st.caption(
        "Wasted is what codes cost that nobody entered. Prices of the last "
        f"{duration(PRICES_SETTLE)} are provisional."
    )

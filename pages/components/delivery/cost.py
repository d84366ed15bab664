"""What does it cost? Spend and waste by channel."""

import streamlit as st

from core.panels.tables import PRICES_SETTLE, cost_table, cost_words
from core.wording.formats import duration
from pages.components.delivery.context import PanelContext
from pages.components.panel import downloads, grid, number, text


def draw_cost(context: PanelContext) -> None:
    state = context.state
    queries = context.queries
    expired = queries.by_channel(queries.ripe(state.range), state.filters)
    table = cost_table(queries.by_channel(state.range, state.filters), expired)
    grid(
        cost_words(table),
        "cost",
        {
            "channel": text("Channel", pinned=True),
            "spent": number("Spent"),
            "wasted": number("Wasted"),
            "share": number("Wasted share"),
            "per_verified": number("Per verified attempt"),
            "priced": number("Priced", help="Attempts whose price is known, of all."),
        },
    )
    st.caption(
        "Wasted: the cost of attempts that brought no code that was entered while it was valid. "
        "Costs are of the attempts whose price is known; prices of the last "
        f"{duration(PRICES_SETTLE)} are provisional."
    )
    downloads(**context.files, cost=table)

"""What should I do first? The countries and carriers that lose the most verifications."""

import streamlit as st

from core.figures.rates import Rate
from core.panels.countries import issues
from core.wording.formats import percent
from pages.components.delivery.context import PanelContext
from pages.components.panel import grid, number, question, text


def draw_top_issues(context: PanelContext) -> None:
    queries, state = context.queries, context.state
    ripe = queries.ripe(state.range, "converted")
    totals = queries.totals(ripe, state.filters)
    baseline = Rate(int(totals["converted"]), int(totals["started"]))
    table = issues(queries.by_country(ripe, state.filters), baseline)
    question("What should I do first?", simulated=context.simulated, issues=table)
    if table.empty:
        st.caption("No country or carrier loses more verifications than chance explains.")
        return
    grid(
        table,
        "issues",
        {
            "place": text("Country, carrier", pinned=True),
            "lost": number("Lost verifications", "localized"),
            "conversion": number("Conversion", "%.1f %%"),
            "n": number("Started", "localized"),
        },
    )
    st.caption(
        f"Lost: how many more would have succeeded at {percent(baseline.value)}, the rate of all."
    )

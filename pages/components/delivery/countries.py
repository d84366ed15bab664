"""Who is affected? Countries and their carriers; a click on one filters the page."""

import pandas as pd
import streamlit as st

from core.panels.tables import country_table
from pages.components.delivery.context import Shown
from pages.components.delivery.header import filter_by
from pages.components.panel import grid, number, question, text


def affected(shown: Shown) -> None:
    asked = shown.choice
    table = country_table(shown.app.queries.by_country(asked.range, asked.filters))
    question("Who is affected?", simulated=shown.simulated, countries=table)
    # Named for the filters: once they have changed, it is another table, with no cell chosen.
    key = f"countries {asked.filters.country} {asked.filters.carrier}"
    grid(
        table,
        key,
        {
            "place": text("Country, carrier", pinned=True),
            "n": number("n", "localized"),
            "confirmed": number("Confirmed", "%.1f %%"),
            "bounds": text("95 % interval", alignment="right"),
            "receipts": text("Receipts"),
            "p95_s": number("p95", "%.1f s"),
            "conversion": number("Conversion", "%.1f %%"),
            "cost": number("Per verified", "$%.4f"),
            "spark": st.column_config.LineChartColumn("Over time", y_min=0, y_max=100),
        },
        on_select=lambda: _filter(table, key),
        selection_mode="single-cell",
    )
    st.caption(
        "The worst come first, by the lower end of the interval. Click a row to filter the page. "
        "Receipts: whether delivery reports can be trusted there."
    )
    if st.session_state.pop("filtered", False):
        # The filters are above this part of the page, which alone was run.
        st.rerun()


def _filter(table: pd.DataFrame, key: str) -> None:
    cells = st.session_state[key].selection.cells
    if cells:
        row = table.iloc[cells[0][0]]
        filter_by(row["country"], row["carrier"])
        st.session_state["filtered"] = True

"""Who is affected? Countries and their carriers; a click on a row filters the page."""

import pandas as pd
import streamlit as st

from core.panels.countries import country_table
from core.panels.places import first_places
from pages.components.delivery.context import PanelContext
from pages.components.delivery.header import FIGURES, filter_by
from pages.components.panel import downloads, grid, number, text
from pages.components.shared import widget_state


def draw_countries(context: PanelContext) -> None:
    state = context.state
    by_country = context.queries.by_country(context.queries.ripe(state.range), state.filters)
    table = country_table(first_places(by_country), state.zone)
    # The key contains the filters: after they change, the table is another one without a selection.
    key = f"countries {state.filters.country} {state.filters.carrier}"
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
            "cost": number("Per verified", "$%.3g"),
            "priced": number("Priced", "%.0f %%", help="Attempts whose price is known, of all."),
            "spark": st.column_config.LineChartColumn("Over time", y_min=0, y_max=100),
        },
        on_select=lambda: _filter(table, key),
        selection_mode="single-cell",
    )
    st.caption(
        "The lowest lower bound of the interval comes first. Click a row to filter the page. "
        "Receipts: whether delivery reports come, in time, and for all codes that are entered. "
        "Attempts whose code may still be entered are not counted yet."
    )
    if len(by_country) > len(table):
        st.caption(f"The first {len(table) - 1} of {len(by_country):,} places; the CSV has all.")
    downloads(**context.files, countries=lambda: country_table(by_country, state.zone))


def _filter(table: pd.DataFrame, key: str) -> None:
    if cells := widget_state(key).get("selection", {}).get("cells"):
        row = table.iloc[cells[0][0]]
        if not row["country"]:
            return
        filter_by(row["country"], row["carrier"])
        # In place of this question: all that is filtered, in one run.
        st.rerun(FIGURES)

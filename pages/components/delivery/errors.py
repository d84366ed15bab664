"""Why? The errors by count, with their meaning and the remedy."""

import pandas as pd
import streamlit as st

from core.charts.bars import MOST_ERRORS, errors
from core.panels.query_state import wider_scope
from core.panels.tables import error_table, no_errors, top_errors
from pages.components.delivery.context import PanelContext
from pages.components.panel import chart, downloads
from pages.components.shared import plain


def draw_errors(context: PanelContext) -> None:
    state = context.state
    queries = context.queries
    compared = queries.compared(state.range, state.comparison, state.zone)
    before = compared.before if compared and compared.is_of(state.range) else None
    table = error_table(queries.errors(state.range, state.filters, before))
    if scope := wider_scope(state.filters):
        st.caption(f"Errors of {scope}: they are not kept by carrier.")
    if table.empty:
        st.caption(no_errors(queries.totals(state.range, state.filters.of_all_carriers)))
        return
    chart(errors(table, context.palette), "errors", 40 + 28 * min(MOST_ERRORS, len(table)))
    top = top_errors(table, MOST_ERRORS)
    # Not a grid: its cells do not wrap, and these sentences must be readable on a phone.
    rows = pd.DataFrame(
        {
            "Error": [
                f"**{plain(name)}** ({plain(label)})"
                for name, label in zip(top["name"], top["label"], strict=True)
            ],
            "Attempts": top["count"],
            **({"Before": top["previous"]} if before else {}),
            "What it means, and what to do": [
                f"{plain(meaning)} {plain(advice)}"
                for meaning, advice in zip(top["meaning"], top["advice"], strict=True)
            ],
        }
    )
    with st.container(key="errors_table"):
        st.table(
            rows.style.format("{:,}", subset=["Attempts", "Before"] if before else ["Attempts"]),
            border="horizontal",
            hide_index=True,
        )
    downloads(**context.files_of_all_carriers, errors=table)

"""Why? The errors by count, what each means, and what to do."""

import pandas as pd
import streamlit as st

from core.charts.bars import MOST_ERRORS, errors
from core.panels.tables import error_table
from pages.components.delivery.context import Shown
from pages.components.panel import chart, question
from pages.components.shared import plain


def causes(shown: Shown) -> None:
    asked = shown.choice
    table = error_table(shown.app.queries.errors(asked.range, asked.filters, asked.before))
    question("Why?", simulated=shown.simulated, errors=table)
    if table.empty:
        st.caption("No errors in this range.")
        return
    chart(errors(table, shown.colours), "errors", 40 + 26 * min(MOST_ERRORS, len(table)))
    top = table.head(MOST_ERRORS)
    # Not a grid: sentences are to be read whole, also on a phone, so they must wrap.
    told = pd.DataFrame(
        {
            "Error": top["label"].map(plain),
            "Attempts": top["count"],
            "Before": top["previous"],
            "What it means, and what to do": [
                f"{plain(meaning)} **{plain(advice)}**"
                for meaning, advice in zip(top["meaning"], top["advice"], strict=True)
            ],
        }
    )
    st.table(
        told.style.format("{:,}", subset=["Attempts", "Before"]),
        border="horizontal",
        hide_index=True,
    )
    if len(table) > MOST_ERRORS:
        st.caption(f"The {MOST_ERRORS} most frequent of {len(table)}; the CSV has all.")

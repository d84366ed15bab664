"""Is the service being abused? Growth with falling conversion, and what the budgets refused."""

import streamlit as st

from core.panels.abuse import refused_table, suspects
from core.verification.reservations import WITHOUT_ADDRESS
from core.wording.formats import counted
from pages.components.delivery.context import PanelContext
from pages.components.panel import downloads, grid, number, text


def draw_abuse(context: PanelContext) -> None:
    queries, state = context.queries, context.state
    compared = queries.compared(state.range, state.comparison, state.zone, "converted")
    now, before = state.range, None
    if compared:
        now, before = compared.now, queries.by_country(compared.before, state.filters)
    table = suspects(queries.by_country(now, state.filters), before)
    counters = context.ledger.counters()
    refused = refused_table(counters)
    if compared is None:
        reason = state.comparison_text(None, queries.history_begins())
        st.caption(reason or "Choose a comparison to see where traffic grows and conversion falls.")
    elif table.empty:
        st.caption("In no place has traffic grown while conversion fell.")
    else:
        st.warning(
            f"In {counted(len(table), 'place')} traffic has grown while fewer people enter their "
            "code. This pattern suggests pumping: remove the country from COUNTRIES, or lower "
            "SENDS_PER_PREFIX_PER_HOUR.",
            icon=":material/policy:",
        )
        grid(
            table,
            "suspects",
            {
                "place": text("Country, carrier", pinned=True),
                "n": number("Started", "localized"),
                "before": number("Before", "localized"),
                "conversion": number("Conversion", "%.1f %%"),
                "conversion_before": number("Before ", "%.1f %%"),
            },
        )
    if unknown := counters.get(WITHOUT_ADDRESS):
        st.warning(
            f"Today (UTC) {counted(unknown, 'send')} came without a client address; they share one "
            "budget. Set X-Forwarded-For in the proxy, and client_address in API requests.",
            icon=":material/lan:",
        )
    if refused.empty:
        st.caption("Today (UTC) no budget has refused a send.")
    else:
        st.caption("Sends that the budgets refused today (UTC):")
        columns = {"budget": text("Budget"), "refused": number("Sends refused", "localized")}
        grid(refused, "refused", columns)
    downloads(**context.files, suspects=table)

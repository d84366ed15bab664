"""Is somebody abusing us? Places that grow while conversion falls, and what the budgets refused."""

import streamlit as st

from core.panels.abuse import refused_table, suspects
from core.verification.reservations import WITHOUT_ADDRESS
from core.wording.formats import counted
from pages.components.delivery.context import Shown
from pages.components.panel import grid, number, question, text


def abused(shown: Shown) -> None:
    app, asked = shown.app, shown.choice
    before = app.queries.by_country(asked.before, asked.filters) if asked.before else None
    table = suspects(app.queries.by_country(asked.range, asked.filters), before)
    counters = app.ledger.counters()
    refused = refused_table(counters)
    question("Is somebody abusing us?", simulated=shown.simulated, suspects=table)
    if asked.before is None:
        st.caption("Compare with another period to see where traffic grows and conversion falls.")
    elif table.empty:
        st.caption("Nowhere has traffic grown while fewer people enter their code.")
    else:
        st.warning(
            f"In {counted(len(table), 'place')} traffic has grown while fewer people enter their "
            "code. That is how pumping looks: take the country out of COUNTRIES, or lower "
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
        st.caption("What the budgets refused today (UTC):")
        columns = {"budget": text("Budget"), "refused": number("Sends refused", "localized")}
        grid(refused, "refused", columns)

"""Attempts: find one person's message or call, and see all that was heard of it."""

from zoneinfo import ZoneInfo

import streamlit as st

from core.panels.query_state import zone_of
from pages.components.access import require_admin
from pages.components.attempts.listing import listing
from pages.components.attempts.single import single
from pages.components.shared import outage_shown, services, title

require_admin("/attempts")
app = services()


def main() -> None:
    """One attempt, or the list of them."""
    zone = ZoneInfo(zone_of(None, st.context.timezone))
    with outage_shown(key="attempts_try_again"):
        simulated = app.settings.is_sandbox and app.queries.is_simulated()
        title("Attempts", simulated=simulated)
        if chosen := st.query_params.get("attempt"):
            single(app, chosen, zone)
        else:
            listing(app, zone, simulated=simulated)


main()

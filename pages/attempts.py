"""The Attempts page: search and list attempts, and show one with all its events."""

from zoneinfo import ZoneInfo

import streamlit as st

from core.panels.zones import zone_of
from pages.components.access import require_admin
from pages.components.attempts.listing import AttemptSearch, draw_list
from pages.components.attempts.single import draw_attempt
from pages.components.shared import outage_shown, services, title

require_admin("/attempts")
app = services()


def main() -> None:
    """One attempt, or the list."""
    zone = ZoneInfo(zone_of(None, st.context.timezone))
    with outage_shown(key="attempts_try_again"):
        title("Attempts")
        if attempt_id := st.query_params.get("attempt"):
            draw_attempt(
                attempt_id,
                app.ledger,
                app.verifications,
                app.poller,
                app.exchanges,
                app.settings,
                app.chaos,
                zone,
            )
        else:
            draw_list(
                AttemptSearch(app.explorer, app.verifications, app.queries, app.settings, zone)
            )


main()

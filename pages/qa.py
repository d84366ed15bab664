"""The QA page: manual test sessions, the inbox, chaos and numbers for tests."""

import streamlit as st

from pages.components.access import require_admin
from pages.components.qa.chaos import draw_chaos
from pages.components.qa.inbox import draw_inbox
from pages.components.qa.numbers import draw_numbers, leave_for_verify
from pages.components.qa.own_phones import draw_own_phones
from pages.components.qa.sessions import draw_sessions
from pages.components.qa.tools import SessionTools
from pages.components.shared import outage_shown, services, title

require_admin("/qa")
app = services()

#: As they are named in the address. Streamlit writes labels there, so look.css capitalizes them.
VIEWS = ("sessions", "inbox", "chaos", "numbers")


def main() -> None:
    """The view that the address names; the inbox and chaos exist in the sandbox only."""
    with outage_shown(key="qa_try_again"):
        title("QA")
        names = VIEWS if app.settings.is_sandbox else ("sessions", "numbers")
        view = st.segmented_control(
            "View", names, default=names[0], required=True,
            key="qa_view", bind="query-params", label_visibility="collapsed",
        )  # fmt: skip
        leave_for_verify()
        if view == "inbox":
            draw_inbox(app.sandbox, app.ledger, app.settings)
        elif view == "chaos":
            draw_chaos(app.sandbox)
        elif view == "numbers":
            draw_numbers(app.sandbox, app.endings, app.settings)
            draw_own_phones(app.verifications.numbers, app.provider, app.prices, app.settings)
        else:
            draw_sessions(_session_tools())


def _session_tools() -> SessionTools:
    return SessionTools(
        app.test_sessions,
        app.recordings,
        app.verifications,
        app.exchanges,
        app.endings,
        app.chaos,
        app.provider,
        app.prices,
        app.settings,
        app.clock,
    )


main()

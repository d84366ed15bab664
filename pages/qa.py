"""The QA page: manual test sessions, the inbox, chaos and numbers for tests."""

import streamlit as st

from pages.components.access import require_admin
from pages.components.qa.chaos import draw_chaos
from pages.components.qa.inbox import draw_inbox
from pages.components.qa.numbers import draw_numbers
from pages.components.qa.sessions import draw_sessions
from pages.components.shared import outage_shown, services, title

require_admin("/qa")
app = services()

#: By name in the address: the label of a view.
VIEWS = {"sessions": "Sessions", "inbox": "Inbox", "chaos": "Chaos", "numbers": "Numbers"}


def main() -> None:
    """The view that the address names; the inbox and chaos exist in the sandbox only."""
    with outage_shown(key="qa_try_again"):
        title("QA", simulated=False)
        names = list(VIEWS) if app.settings.is_sandbox else ["sessions", "numbers"]
        view = st.segmented_control(
            "View", names, format_func=VIEWS.__getitem__, default=names[0], required=True,
            key="qa_view", bind="query-params", label_visibility="collapsed",
        )  # fmt: skip
        if view == "inbox":
            draw_inbox()
        elif view == "chaos":
            draw_chaos(app.sandbox)
        elif view == "numbers":
            draw_numbers(app.sandbox, app.endings, app.settings)
        else:
            draw_sessions()


main()

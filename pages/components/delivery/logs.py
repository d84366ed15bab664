"""What do Plivo's logs say? When they were read, and a button to read them now."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from core.services import Services
from core.wording.formats import counted, day_and_time, progress_words, unreadable_words
from pages.components.delivery.empty import figures_shown
from pages.components.panel import question
from pages.components.shared import plain

_BACK = timedelta(hours=24)
#: A reading that somebody asked for may take so long to begin.
_BEGINS = timedelta(seconds=10)
_LOOK_SECONDS = 2


def look_seconds(app: Services) -> int | None:
    """How often this part looks again: while the logs are read, or are about to be."""
    return _LOOK_SECONDS if app.logs.status().is_running or _is_asked(app) else None


def logs(app: Services, zone: ZoneInfo) -> None:
    with figures_shown(app, zone, key="try_logs_again"):
        question("What do Plivo's logs say?")
        status = app.logs.status()
        if status.is_running:
            now = status.progress
            done = now.windows_done / now.windows if now.windows else 0.0
            st.progress(done, progress_words(now.rows, now.left, is_last=done == 1))
            if st.button("Stop reading", icon=":material/stop:"):
                app.logs.request_stop()
                st.toast("The reading ends after the part that it is at.")
            return
        read = "never" if status.through is None else day_and_time(status.through, zone)
        counters = app.ledger.counters()
        foreign = counters.get("foreign", 0)
        st.caption(
            f"Read through: {read}. They settle what no callback told, and add prices. Today they "
            f"held {counted(foreign, 'message or call')} that this application did not send."
        )
        if odd := unreadable_words(counters):
            st.caption(odd)
        if status.cause:
            st.warning(plain(status.cause))
        if _is_asked(app):
            st.progress(0.0, "Beginning")
        elif st.button("Read the last 24 hours now", icon=":material/sync:"):
            app.logs.start_in_background(app.clock.now() - _BACK)
            st.session_state["logs_asked"] = app.clock.now()
            # The whole page: only so does this part begin to look again by itself.
            st.rerun()


def _is_asked(app: Services) -> bool:
    """Whether somebody here has just asked, and nothing has been read since."""
    asked: datetime | None = st.session_state.get("logs_asked")
    if asked is None:
        return False
    through = app.logs.status().through
    return app.clock.now() - asked < _BEGINS and (through is None or through < asked)

"""The panel of Plivo's logs: when they were read, and a button to read them now."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from core.ledger.ledger import Ledger
from core.model.clock import Clock
from core.tracking.log_status import LogStatus
from core.tracking.log_sync import LogSync
from core.wording.formats import counted, day_and_time, progress_words, unreadable_words
from pages.components.delivery.empty import figures_shown
from pages.components.panel import answer
from pages.components.shared import plain

_BACK = timedelta(hours=24)
#: How long a run that was requested on this page may take to start.
_START_PATIENCE = timedelta(seconds=10)
_REFRESH_SECONDS = 2


def refresh_seconds(sync: LogSync, clock: Clock) -> int | None:
    """How often this part is redrawn: only while the logs are read, or are about to be."""
    return _REFRESH_SECONDS if sync.status().is_running or _is_starting(sync, clock) else None


def draw_logs(sync: LogSync, ledger: Ledger, clock: Clock, zone: ZoneInfo) -> None:
    """The last question: a line with the time up to which the logs were read."""
    with figures_shown(clock, zone, key="try_logs_again"):
        status = sync.status()
        read_through = "never" if status.through is None else day_and_time(status.through, zone)
        with st.container(key="question_logs", gap="xsmall"):
            line = st.expander("What do Plivo's logs say?", key="logs", bind="query-params")
            answer("Reading" if status.is_running else f"Read through: {read_through}")
            if line.open:
                with line:
                    _draw_status(status, sync, ledger, clock, read_through)


def _draw_status(
    status: LogStatus, sync: LogSync, ledger: Ledger, clock: Clock, read_through: str
) -> None:
    if status.is_running:
        progress = status.progress
        fraction = progress.windows_done / progress.windows if progress.windows else 0.0
        words = progress_words(progress.rows, progress.left, is_last=fraction == 1)
        st.progress(fraction, words)
        if st.button("Stop reading", icon=":material/stop:"):
            sync.request_stop()
            st.toast("The run stops after its current part.")
        return
    counters = ledger.counters()
    foreign = counters.get("foreign", 0)
    st.caption(
        f"Read through: {read_through}. They add prices, and reports that no callback brought. "
        f"Today they held {counted(foreign, 'message or call')} that this application did not send."
    )
    if unreadable := unreadable_words(counters):
        st.caption(unreadable)
    if status.cause:
        st.warning(plain(status.cause))
    if _is_starting(sync, clock):
        st.progress(0.0, "Starting")
    elif st.button("Read the last 24 hours now", icon=":material/sync:"):
        sync.start_in_background(clock.now() - _BACK)
        st.session_state["logs_asked"] = clock.now()
        # The whole page: only a new run of it gives this fragment its refresh.
        st.rerun()


def _is_starting(sync: LogSync, clock: Clock) -> bool:
    """Whether a run was just requested in this session and has not read anything yet."""
    requested_at: datetime | None = st.session_state.get("logs_asked")
    if requested_at is None:
        return False
    through = sync.status().through
    is_recent = clock.now() - requested_at < _START_PATIENCE
    return is_recent and (through is None or through < requested_at)

"""Which test session this browser records into: its token, in this tab and in a cookie."""

import streamlit as st

from core.access.admission import BrowserAccess
from core.lab.sessions.recording import COOKIE, Recording, Recordings
from pages.components.assets import script

_TESTER = st.components.v2.component("tester", js=script("tester"))
_TOKEN = "tester_token"  # noqa: S105  the name of a state


def tester_token() -> str | None:
    """The browser's token: of this tab, else of the cookie at the page load; None without one."""
    return st.session_state.get(_TOKEN) or st.context.cookies.get(COOKIE)


def current_recording(visitor: BrowserAccess, recordings: Recordings) -> Recording | None:
    """What this browser records into. Redis is asked only if the browser has a token,
    and its visitor may open the QA page. Raises StoreUnavailable."""
    token = tester_token()
    if not token or not visitor.sees_operator_pages:
        return None
    return recordings.find(token)


def start_recording(session: str, recordings: Recordings) -> None:
    """Record into this session, in every tab of this browser. Raises StoreUnavailable."""
    st.session_state[_TOKEN] = recordings.start(session, tester_token())


def stop_recording(recordings: Recordings) -> None:
    if token := tester_token():
        recordings.stop(token)


def keep_token(*, key: str) -> None:
    """Draw nothing, and have the browser keep a token that its cookies do not have yet."""
    token = st.session_state.get(_TOKEN)
    is_kept = token is None or token == st.context.cookies.get(COOKIE)
    _TESTER(data={"token": "" if is_kept else token}, key=key)

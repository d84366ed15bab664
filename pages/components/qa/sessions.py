"""The view "Sessions" of the QA page: start a session, list sessions, or work on one."""

import streamlit as st

from core.lab.sessions.model import TestSession
from core.lab.sessions.recording import Recording
from core.wording.formats import day_and_time
from core.wording.qa_session import progress_words
from pages.components.access import current_visitor
from pages.components.qa.tools import SessionTools, act, draw_refusal, forget_refusal
from pages.components.qa.work import draw_work
from pages.components.session_value import session_value
from pages.components.shared import once, plain
from pages.components.tester import current_recording, keep_token, start_recording, stop_recording

#: In the address in place of a session: the list, also while this browser records into one.
LIST = "all"
#: The session that the last click has started, until a run opens it.
_STARTED = "qa_started"
_PAGE = 20
_FIELDS = {"qa_name": "Session", "qa_tester": "Tester", "qa_build": "Build under test"}

state = st.session_state


def draw_sessions(tools: SessionTools) -> None:
    """The session that the address names, else the one that this browser records into, else the
    list."""
    _open_started(tools)
    recording = current_recording(current_visitor(), tools.recordings)
    if recording is not None and recording.is_over:
        # The Verify page has shown it, and the list or the session itself does now.
        stop_recording(tools.recordings)
        recording = None
    keep_token(key="qa_keep_token")
    named = st.query_params.get("session") or (recording.session if recording else LIST)
    session = tools.sessions.find(named) if named != LIST else None
    if session is not None:
        st.query_params["session"] = session.id
        draw_work(session.id, tools)
        return
    draw_refusal()
    forget_refusal()
    if named != LIST:
        st.info("This session does not exist, or is no longer kept. Here are the others.")
    _draw_start(tools)
    _draw_list(tools, recording)


def _draw_start(tools: SessionTools) -> None:
    with st.form("qa_start", border=False):
        st.header("Start a session", anchor=False)
        st.caption(
            "What you verify on the Verify page is then collected, with its timeline and its "
            "exchanges with Plivo. A checklist says what to try."
        )
        for place, (key, label) in zip(st.columns(3), _FIELDS.items(), strict=True):
            with place:
                st.text_input(label, key=key, placeholder=_EXAMPLES[key])
        st.form_submit_button(
            "Start session", type="primary", icon=":material/play_arrow:",
            on_click=once("qa_start", _start), args=(tools,),
        )  # fmt: skip


_EXAMPLES = {"qa_name": "Release 2.4, smoke test", "qa_tester": "Ada", "qa_build": "2.4.0-rc1"}


def _start(tools: SessionTools) -> bool:
    texts = [str(state.get(key) or "") for key in _FIELDS]

    started = session_value(_STARTED)

    def start() -> None:
        started.value = tools.sessions.start(*texts).id

    return act(start)


def _open_started(tools: SessionTools) -> None:
    started = session_value(_STARTED)
    if started.value:
        start_recording(started.value, tools.recordings)
        st.query_params["session"] = started.value
        started.value = None


def _draw_list(tools: SessionTools, recording: Recording | None) -> None:
    st.header("Sessions", anchor=False)
    count = int(state.get("qa_listed") or _PAGE)
    sessions = tools.sessions.newest(count)
    if not sessions:
        st.caption("No session yet. Start one above.")
        return
    with st.container(key="qa_list", gap="small"):
        for session in sessions:
            _draw_line(
                session, tools, is_recording=bool(recording and recording.session == session.id)
            )
    if len(sessions) == count:
        st.button("Show older sessions", on_click=_show_more, args=(count,))
    st.caption(f"Times in {tools.zone.key}.")


def _draw_line(session: TestSession, tools: SessionTools, *, is_recording: bool) -> None:
    status = "open" if session.is_open else "ended"
    parts = [
        status,
        session.tester,
        session.build,
        day_and_time(session.started_at, tools.zone),
        progress_words(session.progress),
    ]
    if is_recording:
        parts.insert(0, "this browser records into it")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            plain(session.name), key=f"qa_open_{session.id}", type="tertiary",
            icon=":material/folder_open:" if session.is_open else ":material/folder:",
            on_click=_open, args=(session.id,),
        )  # fmt: skip
        st.caption(plain(" · ".join(parts)), width="content")


def _open(session: str) -> None:
    st.query_params["session"] = session


def _show_more(count: int) -> None:
    state.qa_listed = count + _PAGE

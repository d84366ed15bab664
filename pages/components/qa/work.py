"""One test session as a workbench: the checklist at the left, what it was seen on at the right."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from core.lab.sessions.model import TestSession
from core.panels.qa_session import ItemLine, SessionLines, SessionReader
from core.wording.formats import day_and_time
from core.wording.qa_session import progress_words
from pages.components.access import current_visitor, guarded
from pages.components.checklist import ItemChange, checklist
from pages.components.live import live
from pages.components.qa.collected import draw_collected
from pages.components.qa.evidence import draw_seen_on
from pages.components.qa.items import draw_add_items
from pages.components.qa.reports import draw_reports
from pages.components.qa.tools import (
    SELECTED,
    SessionTools,
    act,
    draw_refusal,
    forget_refusal,
    perform,
)
from pages.components.qa.unsaved import Unsaved, draw_unsaved, save_changes
from pages.components.session_value import SessionValue, session_value
from pages.components.shared import once, outage_shown, plain
from pages.components.tester import current_recording, start_recording, stop_recording

_STYLE = (Path(__file__).parent / "work.css").read_text("utf-8")
#: The page is pushed changes of at most this many verifications.
_WATCHED = 40

state = st.session_state


def draw_work(session_id: str, tools: SessionTools) -> None:
    """Draw the session as a fragment: a mark, a selection and a change of a verification rerun only
    this part of the page."""

    def qa_session() -> None:
        # Always there, so that what is below stays the same element.
        with st.container(key="qa_unsaved_place"):
            draw_unsaved(tools)
        with outage_shown(key="qa_session_try_again"):
            session = tools.sessions.find(session_id)
            if session is None:
                st.rerun()  # deleted in another tab
            _draw(session, tools)

    forget_refusal()
    st.fragment(guarded(qa_session))()


def _draw(session: TestSession, tools: SessionTools) -> None:
    if item := state.pop("qa_verify", ""):
        st.switch_page("pages/verify.py", query_params={"item": item})
    if state.pop("qa_left", False):
        st.rerun()
    lines = SessionReader(tools.verifications).read(session, current_visitor().grant)
    watched = [session.id, *lines.pending[-_WATCHED:]]
    live(",".join(watched), is_running=False, key="qa_live")
    st.html(f"<style>{_STYLE}</style>")
    _draw_head(session, tools)
    draw_refusal()
    selected = _selected(lines)
    with st.container(key="qa_bench"):
        with st.container(key="qa_left_side"):
            if session.items:
                _draw_checklist(session, lines, selected, tools)
            if session.is_open:
                draw_add_items(session, tools)
            draw_collected(lines, selected, tools)
        with st.container(key="qa_right_side"):
            draw_seen_on(selected, lines, tools)


def _draw_head(session: TestSession, tools: SessionTools) -> None:
    with st.container(key="qa_head", horizontal=True, vertical_alignment="center"):
        with st.container(key="qa_title", width="stretch"):
            st.header(plain(session.name), anchor=False)
            facts = [session.tester, session.build, day_and_time(session.started_at, tools.zone)]
            if session.ended_at:
                facts.append(f"ended {day_and_time(session.ended_at, tools.zone)}")
            st.caption(f"{plain(' · '.join(facts))} ({tools.zone.key})")
        with st.container(
            key="qa_actions", horizontal=True, horizontal_alignment="right", width="content"
        ):
            _draw_actions(session, tools)
    draw_reports(session, tools)


def _draw_actions(session: TestSession, tools: SessionTools) -> None:
    recording = current_recording(current_visitor(), tools.recordings)
    if session.is_open:
        if recording is not None and recording.session == session.id:
            st.button(
                "Stop recording", icon=":material/radio_button_checked:", key="qa_record",
                help="This browser collects what it verifies into this session.",
                on_click=once("qa_record", act),
                args=(lambda: stop_recording(tools.recordings),),
            )  # fmt: skip
        else:
            st.button(
                "Record here", icon=":material/radio_button_unchecked:", key="qa_record",
                help="Collect what this browser verifies into this session.",
                on_click=once("qa_record", act),
                args=(lambda: start_recording(session.id, tools.recordings),),
            )  # fmt: skip
        st.button(
            "End session", icon=":material/stop_circle:", key="qa_end",
            on_click=perform, args=(lambda: tools.sessions.end(session.id),),
        )  # fmt: skip
    else:
        st.button(
            "Reopen session", icon=":material/restart_alt:", key="qa_reopen",
            on_click=perform, args=(lambda: tools.sessions.reopen(session.id),),
        )  # fmt: skip
    with st.popover("Delete", icon=":material/delete:"):
        st.caption("Deletes its checklist, marks and notes for all testers. Attempts stay.")
        st.button(
            "Delete session", key="qa_delete", width="stretch",
            on_click=_delete, args=(session.id, tools),
        )  # fmt: skip
    st.button("All sessions", icon=":material/list:", key="qa_all", on_click=_leave)


def _delete(session: str, tools: SessionTools) -> None:
    if act(lambda: tools.sessions.delete(session)):
        _leave()


def _leave() -> None:
    """Show the list; the address is outside the fragment."""
    st.query_params["session"] = "all"
    state.qa_left = True


def _selected(lines: SessionLines) -> ItemLine | None:
    """The selected item; at first what was verified last, if that is not marked yet, else the first
    item that is not."""
    by_id = {line.item.id: line for line in lines.items}
    selected_id: SessionValue[str] = session_value(SELECTED, "")
    if line := by_id.get(selected_id.value):
        return line
    unmarked = [line for line in lines.items if line.item.marked is None]
    newest = next((each.id for each in reversed(lines.session.verifications)), "")
    last = (line for line in unmarked if newest and line.item.verification == newest)
    first = next(last, next(iter(unmarked or lines.items), None))
    if first is not None:
        # It stays selected when it is marked.
        selected_id.value = first.item.id
    return first


def _draw_checklist(
    session: TestSession, lines: SessionLines, selected: ItemLine | None, tools: SessionTools
) -> None:
    seen = {line.item.id: line.seen for line in lines.items}

    def apply(changes: Sequence[ItemChange]) -> None:
        save_changes(
            [Unsaved(session.id, change, seen.get(change.item, "")) for change in changes],
            tools,
        )

    def select(item: str) -> None:
        session_value(SELECTED).value = item

    def verify(item: str) -> None:
        select(item)
        if act(lambda: start_recording(session.id, tools.recordings)):
            state.qa_verify = item

    checklist(
        session.id,
        lines.items,
        progress=progress_words(session.progress),
        selected=selected.item.id if selected else "",
        is_open=session.is_open,
        zone=tools.zone,
        now=tools.clock.now(),
        on_change=apply,
        on_select=select,
        on_verify=verify,
        on_remove=lambda item: perform(lambda: tools.sessions.remove_item(session.id, item)),
        key="qa_checklist",
    )

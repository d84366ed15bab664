"""The test session that the Verify page records into, and the item that the next send is for."""

from html import escape

import streamlit as st

from core.access.admission import BrowserAccess
from core.lab.endings import SandboxEndings
from core.lab.own_phones import number_of
from core.lab.sessions.collector import Collector
from core.lab.sessions.model import ChecklistItem
from core.lab.sessions.recording import Recording, Recordings, RecordingState
from core.lab.sessions.store import TestSessions
from core.model.clock import Clock
from core.model.errors import SandboxUnavailable
from core.settings.settings import Settings
from core.wording.qa_session import recording_words
from pages.components.number_field import viewer_region
from pages.components.tester import current_recording
from pages.components.verify.address import named_item

_FILLED = "verify_filled_item"

state = st.session_state


def draw_recording(
    visitor: BrowserAccess,
    recordings: Recordings,
    sessions: TestSessions,
    endings: SandboxEndings,
    settings: Settings,
    clock: Clock,
) -> Collector:
    """A quiet link to the session, with its item or with the reason why it no longer collects;
    nothing where this browser does not record. Fills in the form for the item that the address
    names. Raises StoreUnavailable."""
    recording = current_recording(visitor, recordings)
    if recording is None:
        return Collector(sessions, clock, None)
    is_active = recording.state is RecordingState.ACTIVE
    item = _named_item(recording, sessions) if is_active else None
    if item is not None and state.get(_FILLED) != item.id:
        _fill(item, endings, settings)
        state[_FILLED] = item.id
    mark = "◉" if is_active else "■"
    # A link that loads the page, not st.switch_page: a fragment that reports a change while the
    # server changes the page would leave an empty page.
    with st.container(key="verify_recording", width="content"):
        st.html(
            f'<a href="/qa?session={recording.session}" target="_self">'
            f'<span aria-hidden="true" class="{recording.state}">{mark}</span> '
            f"{escape(recording_words(recording, item.title if item else ''))}</a>"
        )
    return Collector(sessions, clock, recording if is_active else None, item.id if item else "")


def forget_item() -> None:
    """After a send: the next one is for no item."""
    state.pop(_FILLED, None)


def _named_item(recording: Recording, sessions: TestSessions) -> ChecklistItem | None:
    item_id = named_item()
    session = sessions.find(recording.session) if item_id else None
    return session.item(item_id) if session and item_id else None


def _fill(item: ChecklistItem, endings: SandboxEndings, settings: Settings) -> None:
    """The way of the item, and a number with its ending or that of its handset. Own lines have
    neither."""
    if item.way is not None:
        state.verify_channel, state.verify_mode = item.way.channel, item.way.mode
    if item.phone:
        # Also where TEST_PHONES has it no longer: the number of another phone must not stay.
        state.verify_typed = number_of(settings.test_phones, item.phone)
        return
    if not item.ending or not settings.is_sandbox:
        return
    try:
        number = endings.numbers(viewer_region(settings)).get(item.ending, "")
    except SandboxUnavailable:
        return  # the drawer of endings reports it
    if number:
        state.verify_typed = number

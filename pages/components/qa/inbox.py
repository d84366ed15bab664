"""The view "Inbox" of the QA page: what arrived on all numbers of the sandbox."""

import time
from datetime import datetime
from zoneinfo import ZoneInfo

import streamlit as st

from core.lab.inbox import InboxItem, SandboxInbox
from core.lab.sandbox_client import Handset, SandboxClient, SandboxError
from core.ledger.ledger import Ledger
from core.model.errors import SandboxUnavailable
from core.panels.zones import zone_of
from core.settings.settings import Settings
from core.wording.formats import clock, duration
from pages.components.access import guarded, may_reach_sandbox
from pages.components.address import follow_address
from pages.components.copy_button import copy_button
from pages.components.handset import handset
from pages.components.inbox import InboxActions, inbox_list
from pages.components.qa.push import PUSH_FIRST
from pages.components.shared import outage_shown, plain, rerun_fragment

state = st.session_state
#: The text of the search and the pages before this one. A search can be a number, so neither is in
#: the address.
_SEARCH, _PAGES = "qa_inbox_search", "qa_inbox_pages"
#: The entry whose handset is shown.
_HANDSET = "qa_inbox_handset"
#: Set by a click that leaves the view: its fragment then reruns the page.
_LEAVES = "qa_inbox_leaves"
_UNDER_WAY = {"queued", "sent", "ringing", "in-progress"}
_STREAM = "/sandbox/inbox/events"

_EMPTY = (
    "Nothing has arrived yet. Send a code on the Verify page or by the API, to any number: the "
    "message or call appears here at once. What a number's ending refuses does not arrive."
)


def draw_inbox(sandbox: SandboxClient, ledger: Ledger, settings: Settings) -> None:
    """Draw the view: the list, and the entry that the address names (`entry`). A fragment: a change
    of the inbox reruns it, and nothing else of the page."""
    inbox = SandboxInbox(sandbox)

    @st.fragment
    @guarded
    def inbox_view() -> None:
        if state.pop(_LEAVES, False):
            st.rerun()
        if not may_reach_sandbox():
            st.info(
                "The sandbox's handsets are open on this machine only. From elsewhere, set "
                "VERIFY_ACCESS and sign in as the operator.",
                icon=":material/lock:",
            )
            return
        try:
            with outage_shown(key="qa_inbox_outage"):
                _view(inbox, sandbox, ledger, settings)
        except SandboxUnavailable as error:
            st.error(f"**{error.cause}** {error.remedy}", icon=":material/cloud_off:")
            st.button("Try again", icon=":material/refresh:", key="qa_inbox_try_again")
        follow_address("/qa", key="qa_inbox_address")

    inbox_view()


def _view(inbox: SandboxInbox, sandbox: SandboxClient, ledger: Ledger, settings: Settings) -> None:
    pages: list[int] = state.setdefault(_PAGES, [])
    search: str = state.setdefault(_SEARCH, "")
    page = inbox.page(search, pages[-1] if pages else None)

    def open_entry(reference: str) -> None:
        st.query_params["entry"] = reference
        state.pop(_HANDSET, None)

    def start_search(text: str) -> None:
        state[_SEARCH], state[_PAGES] = text[:200], []

    def go_to_older() -> None:
        if page.next_before is not None:
            state[_PAGES] = [*pages, page.next_before]

    def go_to_newest() -> None:
        state[_PAGES] = []

    list_place, entry_place = st.columns([2, 3], gap="large")
    opened = st.query_params.get("entry", "")
    with list_place:
        inbox_list(
            page.entries,
            search=search,
            opened=opened,
            page=len(pages),
            has_older=page.next_before is not None,
            empty="No number, text or code matches. Search for something else."
            if search
            else _EMPTY,
            stream=_STREAM if settings.sandbox_url is None else "",
            now_ms=round(time.time() * 1000),
            actions=InboxActions(open_entry, start_search, go_to_older, go_to_newest),
            key="qa_inbox_list",
        )
    with entry_place, st.container(key="qa_inbox_entry"):
        if not opened:
            if page.entries:
                st.caption(
                    "Open an entry to see it whole. Keys: / searches, ↑ and ↓ move, Enter opens."
                )
            return
        entry = next((each for each in page.entries if each.reference == opened), None)
        entry = entry or inbox.item(opened)
        if entry is None:
            st.info("This entry is no longer in the inbox.", icon=":material/inbox:")
        else:
            _draw_entry(entry, sandbox.handset(entry.number), ledger, settings)


def _draw_entry(entry: InboxItem, phone: Handset, ledger: Ledger, settings: Settings) -> None:
    shows_handset = state.get(_HANDSET) == entry.reference
    body, side = st.columns(2) if shows_handset else (st.container(), None)
    with body:
        st.header(entry.number_display, anchor=False)
        kind = "Call" if entry.is_call else "Message"
        st.caption(f"{kind} from {plain(entry.from_display)} · {plain(entry.state_words)}")
        _draw_text(entry)
        _draw_code(entry)
        if entry.is_call and entry.ended_at is None and not shows_handset:
            _call_controls(entry, phone)
        _draw_controls(entry, ledger, settings, shows_handset=shows_handset)
        _draw_times(entry)
    if side is not None:
        with side:
            handset(
                entry.number_display,
                phone=f"/sandbox/handset/{entry.number}",
                sandbox=True,
                length=settings.code_length,
                brand=settings.brand,
                key="qa_inbox_phone",
            )


def _draw_text(entry: InboxItem) -> None:
    with st.container(border=True):
        if entry.transcript is None:
            st.text(entry.text)
        elif not entry.transcript:
            st.caption("Nothing has been spoken." if entry.ended_at else "Nothing spoken yet.")
        for line in entry.transcript or ():
            match line.kind:
                case "spoken":
                    st.text(line.text)
                case "key":
                    st.caption(f"Key {plain(line.text)} was pressed")
                case _:
                    st.caption(f"Key {plain(line.text)} was pressed while no key was asked for")


def _draw_code(entry: InboxItem) -> None:
    if entry.code is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(entry.code, anchor=False, width="content")
        with st.container(width=140):
            copy_button("Copy code", entry.code, key="qa_inbox_copy")


def _call_controls(entry: InboxItem, phone: Handset) -> None:
    """What a person can do with a call under way. It is done by this server, so it works for a
    sandbox that runs elsewhere too."""
    actions = (
        {"Answer": phone.answer, "Decline": phone.decline}
        if entry.state == "ringing"
        else {"Press 1": lambda call: phone.press(call, "1"), "Hang up": phone.hangup}
    )
    with st.container(horizontal=True):
        for label, act in actions.items():
            if st.button(label, key=f"qa_inbox_{label}"):
                try:
                    act(entry.reference)
                except SandboxError as error:
                    st.toast(plain(str(error)))
                rerun_fragment()


def _draw_controls(
    entry: InboxItem, ledger: Ledger, settings: Settings, *, shows_handset: bool
) -> None:
    attempt = ledger.id_by_reference(entry.reference)
    with st.container(horizontal=True):
        # A sandbox that runs elsewhere does not open its handsets to this page's browser.
        if settings.sandbox_url is None:
            label = "Close handset" if shows_handset else "Open handset"
            if st.button(label, icon=":material/smartphone:", key="qa_inbox_open_handset"):
                state[_HANDSET] = "" if shows_handset else entry.reference
                rerun_fragment()
        if st.button(
            "Open attempt",
            icon=":material/list_alt:",
            disabled=attempt is None,
            help=None if attempt else "No attempt of this app is kept for it.",
            key="qa_inbox_open_attempt",
        ):
            st.switch_page("pages/attempts.py", query_params={"attempt": attempt or ""})
        if entry.state in _UNDER_WAY:
            st.button(
                "Push a status", icon=":material/bolt:", key="qa_inbox_push",
                on_click=_open_push, args=(entry.reference,),
            )  # fmt: skip


def _open_push(reference: str) -> None:
    """Show the view "Chaos", which lists this message or call first."""
    state[PUSH_FIRST] = reference
    state.qa_view, state[_LEAVES] = "chaos", True


def _draw_times(entry: InboxItem) -> None:
    zone = ZoneInfo(zone_of(None, st.context.timezone))
    times: dict[str, datetime | None] = {
        "Requested": entry.requested_at,
        "Rang" if entry.is_call else "Arrived": entry.arrived_at,
        "Answered": entry.answered_at,
        "Ended": entry.ended_at,
    }
    texts = [
        f"{what} {clock(moment, zone)}"
        + (f" (after {duration(moment - entry.requested_at)})" if what != "Requested" else "")
        for what, moment in times.items()
        if moment
    ]
    st.caption(plain(" · ".join(texts)) + f" · {zone.key}")

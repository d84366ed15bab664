"""What the selected item was seen on: its attempt, the timeline, the handset and the exchanges."""

from functools import partial

import streamlit as st

from core.model.clock import to_ms
from core.model.verification import View
from core.panels.evidence import EvidenceReader
from core.panels.exchanges import exchange_lines
from core.panels.qa_session import CollectedLine, ItemLine, SessionLines
from core.verification.timeline import timeline as timeline_of
from core.wording.formats import clock
from pages.components.access import current_visitor
from pages.components.exchanges import draw_exchanges
from pages.components.handset import handset
from pages.components.qa.collected import assign
from pages.components.qa.tools import SessionTools, act
from pages.components.shared import plain
from pages.components.timeline import timeline
from pages.components.verify.evidence import draw_evidence

_NOTHING = "nothing"

state = st.session_state


def draw_seen_on(selected: ItemLine | None, lines: SessionLines, tools: SessionTools) -> None:
    if selected is None:
        st.caption("Select or add an item: what it was seen on is shown here.")
        return
    item = selected.item
    st.subheader(plain(item.title), anchor=False)
    facts = [("Expected", item.expected), ("Seen", selected.seen)]
    st.markdown("  \n".join(f"**{name}** {plain(text)}" for name, text in facts if text))
    if words := selected.agreement.words:
        st.caption(f"{words} You decide the mark.")
    if not (item.attempt or item.refusal or selected.seen):
        choice = ", or choose an attempt" if lines.collected else ""
        st.caption(f"Not seen yet. Press Verify at the item{choice}.")
    _draw_choice(selected, lines, tools)
    view = (
        tools.verifications.look(item.verification, current_visitor().grant)
        if item.attempt
        else None
    )
    if view is not None:
        _draw_verification(view, tools)
    elif not selected.is_kept:
        st.caption("Its attempt is no longer kept. What was seen at the mark is above.")


def _draw_choice(selected: ItemLine, lines: SessionLines, tools: SessionTools) -> None:
    """The attempt behind the item: one of those that are collected."""
    item, session = selected.item, lines.session
    if not lines.collected:
        return
    by_id = {line.id: line for line in lines.collected}
    current = item.attempt or item.refusal
    options = [_NOTHING, *by_id]
    current = current if current in by_id else _NOTHING
    # A new widget for each value: other tabs and the Verify page change the item as well, and a
    # rerun that was under way then would bring the old value back as a choice of the tester.
    key = f"qa_seen_on_{item.id}_{current}"

    def choose() -> None:
        # None: the widget has left the page. Its first value: a rerun that was under way when the
        # item was changed elsewhere, not a choice.
        value = state.get(key)
        if value == current:
            return
        if value == _NOTHING:
            act(lambda: tools.sessions.assign(session.id, item.id))
        elif line := by_id.get(value or ""):
            act(partial(assign, session.id, item.id, line, tools))

    st.selectbox(
        "Seen on", options, index=options.index(current), key=key, on_change=choose,
        disabled=not session.is_open,
        format_func=lambda name: _words(by_id.get(name), tools),
    )  # fmt: skip


def _words(line: CollectedLine | None, tools: SessionTools) -> str:
    if line is None:
        return "Nothing yet"
    at = clock(line.at, tools.zone, tools.clock.now() - line.at)
    return f"{at} {line.way} {line.to_masked}: {line.sign} {line.seen}"


def _draw_verification(view: View, tools: SessionTools) -> None:
    verification = view.verification
    rows = timeline_of(view)
    exchanges = tools.exchanges.of(verification.id)
    lines = exchange_lines(
        exchanges, rows, verification.started_at, simulated=tools.settings.is_sandbox
    )
    timeline(rows, key="qa_steps", lines=lines, opens_attempts=True)
    with st.container(horizontal=True):
        if st.button("Open its verification", icon=":material/verified_user:", key="qa_open"):
            query = {"verification": verification.id}
            st.switch_page("pages/verify.py", query_params=query)
        reader = EvidenceReader(tools.verifications, tools.exchanges, tools.settings, tools.chaos)
        draw_evidence(verification.id, reader, key="qa_evidence")
    handset(
        verification.to.masked,
        phone=f"/phone/{verification.id}/handset",
        sandbox=tools.settings.is_sandbox,
        length=verification.digits,
        brand=tools.settings.brand,
        since_ms=to_ms(verification.started_at),
        key="qa_phone",
    )
    draw_exchanges(lines, key="qa_exchanges")

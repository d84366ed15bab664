"""What a session has collected that no item of its checklist was seen on."""

from functools import partial

import streamlit as st

from core.lab.sessions.model import ChecklistItem
from core.panels.qa_session import CollectedLine, ItemLine, SessionLines
from core.wording.formats import clock
from pages.components.qa.tools import SELECTED, SessionTools, act, perform
from pages.components.session_value import session_value
from pages.components.shared import once, plain

_SHOWN = 20


def draw_collected(lines: SessionLines, selected: ItemLine | None, tools: SessionTools) -> None:
    """The newest first, each with a button that makes it an item, and one that assigns it to the
    selected item."""
    session = lines.session
    if not lines.collected:
        if session.is_open:
            st.caption(
                "Nothing is collected yet. Press Verify at an item, or open the Verify page: what "
                "this browser sends there is collected while it records."
            )
        return
    if not lines.in_no_item:
        return
    st.subheader("Collected, in no item", anchor=False)
    for line in lines.in_no_item[:_SHOWN]:
        at = clock(line.at, tools.zone, tools.clock.now() - line.at)
        with st.container(horizontal=True, vertical_alignment="center"):
            words = f"{at} · {line.way} {line.to_masked} · {line.sign} {line.seen}"
            st.caption(plain(words), width="stretch")
            if not session.is_open:
                continue
            key = f"qa_item_{line.id}"
            st.button(
                "Make an item", key=key, type="tertiary",
                on_click=once(key, act), args=(partial(_make_item, session.id, line, tools),),
            )  # fmt: skip
            if selected is not None:
                item = selected.item.id
                st.button(
                    "Assign to the selected item", key=f"qa_assign_{line.id}", type="tertiary",
                    on_click=perform,
                    args=(partial(assign, session.id, item, line, tools),),
                )  # fmt: skip
    if len(lines.in_no_item) > _SHOWN:
        st.caption(f"{len(lines.in_no_item) - _SHOWN} older ones are not shown here.")


def assign(session: str, item: str, line: CollectedLine, tools: SessionTools) -> None:
    """An item was seen on this attempt or refused send."""
    if line.is_refusal:
        tools.sessions.assign(session, item, refusal=line.id)
    else:
        tools.sessions.assign(session, item, attempt=line.id)


def _make_item(session: str, line: CollectedLine, tools: SessionTools) -> None:
    title = f"{line.way} to {line.to_masked}" if line.to_masked else line.way
    selected, item = session_value(SELECTED), ChecklistItem("", title)
    (added,) = tools.sessions.add_items(session, [item])
    assign(session, added.id, line, tools)
    selected.value = added.id

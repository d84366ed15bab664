"""Adds items to a checklist: from the sandbox's table of endings, or lines that are typed."""

from functools import partial

import streamlit as st

from core.lab.sessions.checklist import PRESETS, ChecklistPreset, items_of_endings, items_of_lines
from core.lab.sessions.model import ChecklistItem, TestSession
from core.model.errors import SandboxUnavailable
from core.model.way import Way
from core.wording.formats import counted, way_name
from pages.components.qa.own_phones import draw_phone_items
from pages.components.qa.tools import SELECTED, SessionTools, act
from pages.components.session_value import SessionValue, session_value
from pages.components.shared import once, plain

#: Each name is of a widget with a key that a new value changes.
_TABLE, _LINES = "qa_table", "qa_lines"

state = st.session_state


def draw_add_items(session: TestSession, tools: SessionTools) -> None:
    """Open while the checklist is empty; live there is no table."""
    # Not closed by items of another tester: lines may be half typed.
    is_open = session_value(_open_key(session.id), not session.items)
    with st.expander("Add items", icon=":material/add:", expanded=is_open.value):
        if tools.settings.is_sandbox:
            _draw_table(session, tools)
        draw_phone_items(tools, once("qa_add_phones", partial(_add, session.id, tools=tools)))
        _draw_lines(session, tools)


def _open_key(session: str) -> str:
    return f"qa_add_open_{session}"


def _draw_table(session: TestSession, tools: SessionTools) -> None:
    try:
        table = tools.endings.table()
    except SandboxUnavailable as error:
        st.caption(f"{plain(error.cause)} {plain(error.remedy)}")
        return
    groups = [group.name for group in table.groups]
    key = _key(_TABLE)
    with st.container(horizontal=True):
        for preset in PRESETS:
            st.button(
                preset.name, key=f"qa_preset_{preset.name}", on_click=_select, args=(preset, groups)
            )
    selected = st.pills(
        "From the table of endings", groups, key=f"{key}_groups", selection_mode="multi",
        format_func=lambda name: f"{name[:1].upper()}{name[1:]}",
    )  # fmt: skip
    state.setdefault(f"{key}_ways", [Way.SMS])
    ways = st.pills(
        "By", list(Way), key=f"{key}_ways", selection_mode="multi", format_func=way_name
    )
    items = items_of_endings(table.endings, selected, [way for way in Way if way in ways])
    st.button(
        f"Add {counted(len(items), 'item')}",
        key="qa_add_endings", icon=":material/playlist_add:", disabled=not items,
        on_click=once("qa_add_endings", _add), args=(session.id, items, tools),
    )  # fmt: skip


def _select(preset: ChecklistPreset, groups: list[str]) -> None:
    _version(_TABLE).value += 1
    key = _key(_TABLE)
    state[f"{key}_groups"] = list(preset.groups or groups)
    state[f"{key}_ways"] = list(preset.ways)


def _version(name: str) -> SessionValue[int]:
    """The version of a widget whose value this page sets. A new value gets a new widget: a message
    that the browser sent before it had the answer has the old value, and would set the old widget
    back."""
    return session_value(f"{name}_version", 0)


def _key(name: str) -> str:
    """The present key of such a widget."""
    return f"{name}_{_version(name).value}"


def _draw_lines(session: TestSession, tools: SessionTools) -> None:
    text = st.text_area(
        "Own lines, one for each item; after => comes what you expect",
        key=_key(_LINES), height=100,
        placeholder="A resend brings the same code => same code\nThe invite link sends",
    )  # fmt: skip
    st.button(
        "Add lines", key="qa_add_lines", icon=":material/playlist_add:",
        on_click=once("qa_add_lines", _add_lines), args=(session.id, tools),
        disabled=not (text or "").strip(),
    )  # fmt: skip


def _add_lines(session: str, tools: SessionTools) -> bool:
    lines, version = str(state.get(_key(_LINES)) or ""), _version(_LINES)
    is_added = _add(session, items_of_lines(lines), tools)
    if is_added:
        version.value += 1
    return is_added


def _add(session: str, items: list[ChecklistItem], tools: SessionTools) -> bool:
    selected, is_open = session_value(SELECTED), session_value(_open_key(session))

    def add() -> None:
        added = tools.sessions.add_items(session, items)
        if added:
            selected.value, is_open.value = added[0].id, False

    return act(add)

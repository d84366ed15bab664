"""The checklist of a test session: a line for each item, marked by keys or by mouse."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from core.lab.sessions.model import Mark
from core.panels.qa_session import ItemLine
from core.wording.formats import clock
from pages.components.assets import script, style
from pages.components.events import on_text
from pages.components.shared import browser_text, widget_state

_CHECKLIST = st.components.v2.component("checklist", js=script("checklist"), css=style("checklist"))
_MAX_CHANGES = 1000


@dataclass(frozen=True, slots=True)
class ItemChange:
    """A tester's change of an item: `field` is "mark" (`value` a mark, "" to remove it) or
    "note"."""

    item: str
    field: str
    value: str


def checklist(
    session: str,
    lines: Sequence[ItemLine],
    *,
    progress: str,
    selected: str,
    is_open: bool,
    zone: ZoneInfo,
    now: datetime,
    on_change: Callable[[Sequence[ItemChange]], None],
    on_select: Callable[[str], None],
    on_verify: Callable[[str], None],
    on_remove: Callable[[str], None],
    key: str,
) -> None:
    """Draw the checklist. A mark and a note show at once in the browser; `on_change` gets them
    before the next run, each of them once. `is_open`: it can be changed."""
    applied_key = f"{key}_applied"

    def changed() -> None:
        state = widget_state(key).get("changes")
        fresh, newest = _fresh_changes(state, session, st.session_state.get(applied_key) or {})
        if fresh:
            on_change(fresh)
        if newest:
            st.session_state[applied_key] = newest

    _CHECKLIST(
        data={
            "session": session,
            "is_open": is_open,
            "progress": progress,
            "selected": selected,
            "applied": dict(st.session_state.get(applied_key, {})),
            # A tuple: a list makes Streamlit load pandas, to see whether it is a table.
            "items": tuple(_item(line, zone, now) for line in lines),
        },
        key=key,
        on_changes_change=changed,
        on_selected_change=on_text(key, "selected", on_select),
        on_verify_change=on_text(key, "verify", on_verify),
        on_removed_change=on_text(key, "removed", on_remove),
    )


def _item(line: ItemLine, zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    item = line.item
    marked_at = clock(item.marked.at, zone, now - item.marked.at) if item.marked else ""
    return {
        "id": item.id,
        "title": item.title,
        "way": line.way,
        "expected": item.expected,
        "seen": line.seen,
        "sign": line.sign,
        "agreement": line.agreement.value,
        "mark": item.marked.mark.value if item.marked else "",
        "marked_at": marked_at,
        "note": item.note,
        "href": f".?item={item.id}",
    }


def _fresh_changes(
    state: object, session: str, serials: dict[str, int]
) -> tuple[list[ItemChange], dict[str, int]]:
    """The changes that were not applied yet, with the newest serial of the browser's component. The
    browser sends each change until an answer confirms it, so that none is lost."""
    if not isinstance(state, dict) or state.get("session") != session:
        return [], {}
    client, changes = browser_text(state.get("client")), state.get("changes")
    if not client or len(client) > 40 or not isinstance(changes, list):
        return [], {}
    fresh, newest = [], serials.get(client, 0)
    for change in changes[:_MAX_CHANGES]:
        if not isinstance(change, dict):
            continue
        serial = change.get("serial")
        item, field, value = (browser_text(change.get(name)) for name in ("item", "field", "value"))
        if not isinstance(serial, int) or serial <= newest or not item or value is None:
            continue
        newest = serial
        if field == "note" or (field == "mark" and (not value or value in set(Mark))):
            fresh.append(ItemChange(item, field, value))
    return fresh, {client: newest}

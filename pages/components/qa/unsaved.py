"""Changes of a checklist that Redis has not taken yet: they are kept, and saved when it does."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from core.lab.sessions.model import Mark
from core.model.errors import StoreUnavailable
from core.wording.formats import counted
from pages.components.access import guarded
from pages.components.checklist import ItemChange
from pages.components.qa.tools import SessionTools, act, refusal
from pages.components.session_value import SessionValue, session_value

#: How often they are tried again.
_RETRY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Unsaved:
    """A change of this session's checklist, and what was seen on the item at that time."""

    session: str
    change: ItemChange
    seen: str


def save_changes(changes: Sequence[Unsaved], tools: SessionTools) -> None:
    """Save what is kept, then these, in their order. What Redis does not take is kept."""
    kept = _kept()
    kept.value = [*kept.value, *changes]
    while kept.value:
        is_saved = act(partial(_save, kept.value[0], tools))
        if not is_saved and isinstance(refusal(), StoreUnavailable):
            return
        kept.value = kept.value[1:]


def draw_unsaved(tools: SessionTools) -> None:
    """Save what is kept. A line says how much of it Redis does not take, and goes away with it."""

    def qa_unsaved() -> None:
        save_changes([], tools)
        if not _kept().value:
            st.rerun()
        words = counted(len(_kept().value), "change")
        st.caption(
            f":orange[■] {words} of the checklist not saved yet. Leave this page open: it is saved "
            "when Redis takes it."
        )

    save_changes([], tools)
    if _kept().value:
        st.fragment(guarded(qa_unsaved), run_every=_RETRY_SECONDS)()


def _kept() -> SessionValue[list[Unsaved]]:
    return session_value("qa_unsaved", [])


def _save(unsaved: Unsaved, tools: SessionTools) -> None:
    change = unsaved.change
    if change.field == "note":
        tools.sessions.write_note(unsaved.session, change.item, change.value)
    else:
        mark = Mark(change.value) if change.value else None
        tools.sessions.mark(unsaved.session, change.item, mark, unsaved.seen)

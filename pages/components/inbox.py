"""The list of the sandbox's inbox, with its search: a click on an entry, or Enter, opens it."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.lab.inbox import InboxItem
from pages.components.assets import script, style
from pages.components.events import ignore, on_text

_INBOX = st.components.v2.component("inbox", js=script("inbox"), css=style("inbox"))


@dataclass(frozen=True, slots=True)
class InboxActions:
    """What is called when the person opens an entry (with its reference), searches (with the text),
    or goes to older entries or back to the newest ones."""

    on_open: Callable[[str], None]
    on_search: Callable[[str], None]
    on_older: Callable[[], None]
    on_newest: Callable[[], None]


def inbox_list(
    entries: tuple[InboxItem, ...],
    *,
    search: str,
    opened: str,
    page: int,
    has_older: bool,
    empty: str,
    stream: str,
    now_ms: int,
    actions: InboxActions,
    key: str,
) -> None:
    """Draw the search field and the entries. `opened` is the reference of the open entry, `page`
    counts from 0, `empty` is what an empty list says.

    `stream` is the path at which the browser is pushed changes; each reruns this fragment. Without
    it, and while it is lost, the browser asks every two seconds. `now_ms` is this server's time: it
    corrects the browser's clock.
    """
    _INBOX(
        data={
            "search": search,
            "opened": opened,
            "page": page,
            "has_older": has_older,
            "empty": empty,
            "stream": stream,
            "now_ms": now_ms,
            # Not a list: Streamlit loads pandas to see whether a list holds a frame.
            "entries": tuple(
                {
                    "reference": entry.reference,
                    "channel": entry.channel,
                    "number": entry.number_display,
                    "text": entry.text[:200],
                    "code": entry.code or "",
                    "state": entry.state,
                    "arrived_ms": round(entry.arrived_at.timestamp() * 1000),
                }
                for entry in entries
            ),
        },
        key=key,
        on_opened_change=on_text(key, "opened", actions.on_open, may_be_empty=True),
        on_searched_change=on_text(key, "searched", actions.on_search, may_be_empty=True),
        on_older_change=actions.on_older,
        on_newest_change=actions.on_newest,
        on_changed_change=ignore,
    )

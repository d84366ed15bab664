"""The drawer with the sandbox's endings: a button, and a panel with the searchable table."""

from collections.abc import Callable, Mapping

import streamlit as st

from core.lab.endings import EndingsTable
from pages.components.assets import script, style
from pages.components.events import on_text

_ENDINGS = st.components.v2.component("endings", js=script("endings"), css=style("endings"))


def endings_drawer(
    table: EndingsTable,
    numbers: Mapping[str, str],
    *,
    on_fill: Callable[[str], None],
    on_send: Callable[[str], None],
    key: str,
) -> None:
    """Draw the button that opens the drawer. The first click on an ending calls `on_fill` with its
    suffix, a second one `on_send`, which closes the drawer. `numbers` by suffix: an ending without
    a number cannot be tried."""
    _ENDINGS(
        data={
            # A tuple: a list makes Streamlit load pandas, to see whether it is a table.
            "groups": tuple(
                {
                    "name": group.name,
                    "summary": group.summary,
                    "endings": [
                        {
                            "suffix": ending.suffix,
                            "pattern": ending.pattern,
                            "title": ending.title,
                            "summary": ending.summary,
                            "number": numbers.get(ending.suffix, ""),
                        }
                        for ending in table.endings
                        if ending.group == group.name
                    ],
                }
                for group in table.groups
            )
        },
        key=key,
        width="content",
        on_filled_change=on_text(key, "filled", on_fill),
        on_sent_change=on_text(key, "sent", on_send),
    )

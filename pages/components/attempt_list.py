"""The table of attempts: a click anywhere in a row, or Enter, opens its attempt."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.panels.attempts import AttemptRow
from pages.components.assets import script, style
from pages.components.events import ignore
from pages.components.shared import browser_text

_LIST = st.components.v2.component(
    "attempt_list", js=script("attempt_list"), css=style("attempt_list")
)


def attempt_list(columns: dict[str, str], rows: Sequence[AttemptRow], *, key: str) -> str | None:
    """Draw a table with these columns, name and heading; in a narrow column, a card for each row.
    Returns the id of the attempt that was opened in this run."""
    data: dict[str, Any] = {
        "columns": [{"name": name, "heading": heading} for name, heading in columns.items()],
        "rows": [
            {"attempt": row.attempt, "mark": row.mark, "state": row.state, "cells": row.cells}
            for row in rows
        ],
    }
    opened = browser_text(_LIST(data=data, key=key, on_opened_change=ignore).opened)
    return opened if opened in {row.attempt for row in rows} else None

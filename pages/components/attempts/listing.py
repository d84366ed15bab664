"""The list of attempts: search results, or pages of all attempts, newest first."""

from dataclasses import dataclass
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from core.figures.queries import Queries
from core.ledger.explorer import MAX_SEARCHED, AttemptFilter, AttemptPage, Explorer
from core.model.attempt import Attempt
from core.model.errors import CursorRefused, NumberRefused
from core.panels.attempts import (
    attempt_frame,
    left_out_words,
    list_columns,
    list_rows,
    states,
)
from core.panels.query_state import EVERY, channels, countries
from core.settings.settings import Settings
from core.verification.number.parse import AmbiguousNumber
from core.verification.service import Verifications
from core.wording.formats import counted
from pages.components.attempt_list import attempt_list
from pages.components.attempts.address import forget, go
from pages.components.number_field import candidate_buttons, viewer_region
from pages.components.panel import csv
from pages.components.shared import plain

#: Keys of the filters; also their query parameters.
_STATE, _CHANNEL, _COUNTRY, _ERROR = _FILTERS = (
    "attempts_state", "attempts_channel", "attempts_country", "attempts_error",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AttemptSearch:
    """The objects that the list needs."""

    explorer: Explorer
    verifications: Verifications
    queries: Queries
    settings: Settings
    zone: ZoneInfo

    @property
    def region(self) -> str | None:
        return viewer_region(self.settings)


def draw_list(search: AttemptSearch) -> None:
    """The search field, the filters, and search results or a page of the filtered attempts."""
    zone, settings = search.zone, search.settings
    is_missed = _search_field(search)
    _filters(search.queries)
    st.caption(
        f"Times in {zone.key}. Kept: the newest {settings.attempts_kept:,} attempts, for "
        f"{counted(settings.attempt_retention_days, 'day')} (settings ATTEMPTS_KEPT and "
        "ATTEMPT_RETENTION_DAYS); older ones live on as figures only."
    )
    if is_missed:
        st.button("Show all attempts", icon=":material/arrow_back:", on_click=forget)
        return
    results = _results(search.explorer)
    if results is not None:
        empty, listed = results
        st.button("Show all attempts", icon=":material/arrow_back:", on_click=forget)
        _attempts(listed, zone, empty)
        return
    page = _page(search.explorer)
    empty = "No attempt is kept yet. Verify a number, and it shows up here."
    if any(_filter_values()):
        empty = "No attempt matches. Clear a filter, or look at a later time."
    _attempts(page, zone, empty)
    _pager(page)


def _attempts(listed: AttemptPage, zone: ZoneInfo, empty: str) -> None:
    _table(listed.attempts, zone, empty)
    if listed.left_out:
        st.caption(left_out_words(listed.left_out))


def _search_field(search: AttemptSearch) -> bool:
    """Whether something was searched for that names no attempt; then a message says why."""
    with (
        st.form("attempts_find", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        typed = st.text_input(
            "Find", placeholder="Phone number, verification id or message uuid", type="search"
        )
        submitted = st.form_submit_button("Find attempts", type="primary")
    # Outside the form: inside it, buttons may not have callbacks.
    return submitted and _find(search, typed)


def _find(search: AttemptSearch, typed: str) -> bool:
    """Show what the text identifies, and return whether it identifies nothing. The URL gets the
    digest of a number, never the number."""
    # The results of the search before are gone, whatever this one finds.
    forget()
    if not typed.strip():
        return False
    found_by_id = search.explorer.find(typed)
    if found_by_id.attempts or found_by_id.left_out:
        go(find=typed.strip().lower())
        st.rerun()
    try:
        number = search.verifications.numbers.find(typed, region=search.region)
    except AmbiguousNumber as error:
        st.warning(f"{error.cause} {error.remedy}")
        candidate_buttons(error.candidates, partial(_go_to_number, search), key="reading")
        return True
    except NumberRefused as error:
        st.warning(
            "Nothing is kept under that id, and it is no full phone number. "
            f"{plain(error.cause)} {plain(error.remedy)}"
        )
        return True
    _go_to_number(search, number.e164)
    st.rerun()


def _go_to_number(search: AttemptSearch, e164: str) -> None:
    go(number=search.verifications.numbers.index(e164))


def _results(explorer: Explorer) -> tuple[str, AttemptPage] | None:
    """The text for no results, and the attempts that the search found; None without a search."""
    query = st.query_params
    if index := query.get("number"):
        return "No attempt to that number is kept.", explorer.find_by_number(index)
    if identifier := query.get("find"):
        return "Nothing is kept under that id.", explorer.find(identifier)
    return None


def _filters(queries: Queries) -> None:
    grid = st.grid(4, min_column_width=150, gap="small")
    _select(grid.cell(), "State", _STATE, states())
    _select(grid.cell(), "Channel", _CHANNEL, channels())
    _select(grid.cell(), "Country", _COUNTRY, countries(queries.seen_dimensions()))
    with grid.cell():
        st.text_input(
            "Error code", key=_ERROR, bind="query-params", placeholder="All", on_change=forget,
            persist_state="session",
        )  # fmt: skip
    if any(_filter_values()):
        st.button(
            "Clear filters", icon=":material/filter_alt_off:", on_click=_clear, key="attempts_clear"
        )


def _select(place: Any, label: str, key: str, options: dict[str, str]) -> None:
    # A changed filter starts again at the first page.
    with place:
        st.selectbox(
            label, list(options), key=key, bind="query-params", on_change=forget,
            persist_state="session", format_func=lambda name: options.get(name, str(name)),
        )  # fmt: skip


def _clear() -> None:
    forget()
    for name in _FILTERS:
        st.session_state[name] = "" if name == _ERROR else EVERY


def _filter_values() -> tuple[str, str, str, str]:
    values = [st.session_state.get(name) or "" for name in _FILTERS]
    state, channel, country, error = ("" if v == EVERY else str(v).strip() for v in values)
    return state, channel, country, error


def _page(explorer: Explorer) -> AttemptPage:
    filters = AttemptFilter(*_filter_values())
    try:
        return explorer.page(filters, st.query_params.get("before"))
    except CursorRefused as error:
        st.warning(f"{error.cause} Here are the newest ones.")
        forget()
        return explorer.page(filters)


def _table(attempts: list[Attempt], zone: ZoneInfo, empty: str) -> None:
    if not attempts:
        st.info(empty, icon=":material/inbox:")
        return
    opened = attempt_list(list_columns(attempts), list_rows(attempts, zone), key="attempts_list")
    if opened:
        go(attempt=opened)
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Click a row, or press Enter on it, to open its attempt.", width="content")
        csv(attempt_frame(attempts, zone), "attempts", simulated=False)


def _pager(page: AttemptPage) -> None:
    if page.is_cut:
        st.caption(
            f"Searched {MAX_SEARCHED:,} attempts from here. Continue with older ones, or "
            "set fewer filters."
        )
    with st.container(horizontal=True):
        if "before" in st.query_params:
            st.button("Newest", icon=":material/first_page:", on_click=forget)
        if page.cursor is not None:
            older = {"before": page.cursor}
            st.button("Older", icon=":material/chevron_right:", on_click=go, kwargs=older)

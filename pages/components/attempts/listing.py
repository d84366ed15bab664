"""The list of attempts: found by what somebody knows of one, or newest first, a page at a time."""

from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from core.charts.palette import Palette, state_colour
from core.ledger.explorer import MOST_LOOKED_THROUGH, PAGE, Listed, Wanted
from core.model.attempt import Attempt
from core.model.errors import CursorRefused, NumberRefused
from core.panels.attempts import attempt_list, left_out_words, states
from core.panels.query_state import EVERY, channels, countries
from core.services import Services
from core.verification.number.parse import AmbiguousNumber
from core.wording.formats import counted
from pages.components.attempts.address import forget, go
from pages.components.number_field import candidate_buttons, region_here
from pages.components.panel import colours, csv, frame_height, grid, number, text
from pages.components.shared import plain

#: Keys of the filters, which are also their names in the address.
_STATE, _CHANNEL, _COUNTRY, _ERROR = _FILTERS = (
    "attempts_state", "attempts_channel", "attempts_country", "attempts_error",
)  # fmt: skip


def listing(app: Services, zone: ZoneInfo, *, simulated: bool) -> None:
    """What was looked for, or a page of what the filters let through."""
    _find(app)
    _filters(app)
    st.caption(
        f"Times in {zone.key}. Kept: the newest {app.settings.attempts_kept:,} attempts, for "
        f"{counted(app.settings.attempt_retention_days, 'day')} (settings ATTEMPTS_KEPT and "
        "ATTEMPT_RETENTION_DAYS); older ones live on as figures only."
    )
    found = _found(app)
    if found is not None:
        words, listed = found
        st.button("Show all attempts", icon=":material/arrow_back:", on_click=forget)
        _show(listed, zone, words, simulated=simulated)
        return
    listed = _page(app)
    words = "No attempt is kept yet. Verify a number, and it shows up here."
    if any(_wanted()):
        words = "No attempt matches. Clear a filter, or look at a later time."
    _show(listed, zone, words, simulated=simulated)
    _pager(listed)


def _show(listed: Listed, zone: ZoneInfo, empty: str, *, simulated: bool) -> None:
    _table(listed.attempts, zone, empty, simulated=simulated)
    if listed.left_out:
        st.caption(left_out_words(listed.left_out))


def _find(app: Services) -> None:
    with (
        st.form("attempts_find", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        typed = st.text_input(
            "Find", placeholder="Phone number, verification id or message uuid", type="search"
        )
        submitted = st.form_submit_button("Find attempts", type="primary")
    # Outside of the form, where buttons may have callbacks.
    if submitted:
        _search(app, typed)


def _search(app: Services, typed: str) -> None:
    """The number becomes its digest before it goes anywhere: it must not be in an address."""
    if not typed.strip():
        return
    found_by_id = app.explorer.find(typed)
    if found_by_id.attempts or found_by_id.left_out:
        go(find=typed.strip().lower())
        st.rerun()
    try:
        found = app.verifications.find_number(typed, region=region_here(app))
    except AmbiguousNumber as error:
        st.warning(f"{error.cause} {error.remedy}")
        candidate_buttons(error.candidates, partial(_go_to_number, app), key="reading")
        return
    except NumberRefused as error:
        st.warning(
            "Nothing is kept under that id, and it is no full phone number. "
            f"{plain(error.cause)} {plain(error.remedy)}"
        )
        return
    _go_to_number(app, found.e164)
    st.rerun()


def _go_to_number(app: Services, e164: str) -> None:
    go(number=app.keyring.index("number", e164))


def _found(app: Services) -> tuple[str, Listed] | None:
    """What is said if there is none, and the attempts that were looked for; None if none were."""
    query = st.query_params
    if index := query.get("number"):
        return "No attempt to that number is kept.", app.explorer.of_number(index)
    if known := query.get("find"):
        return "Nothing is kept under that id.", app.explorer.find(known)
    return None


def _filters(app: Services) -> None:
    grid = st.grid(4, min_column_width=150, gap="small")
    _select(grid.cell(), "State", _STATE, states())
    _select(grid.cell(), "Channel", _CHANNEL, channels())
    _select(grid.cell(), "Country", _COUNTRY, countries(app.queries.seen_dimensions()))
    with grid.cell():
        st.text_input(
            "Error code", key=_ERROR, bind="query-params", placeholder="All", on_change=forget,
            persist_state="session",
        )  # fmt: skip
    if any(_wanted()):
        st.button(
            "Clear filters", icon=":material/filter_alt_off:", on_click=_clear, key="attempts_clear"
        )


def _select(place: Any, label: str, key: str, options: dict[str, str]) -> None:
    # Another filter is another list: it begins at its first page.
    with place:
        st.selectbox(
            label, list(options), key=key, bind="query-params", on_change=forget,
            persist_state="session", format_func=lambda one: options.get(one, str(one)),
        )  # fmt: skip


def _clear() -> None:
    forget()
    for name in _FILTERS:
        st.session_state[name] = "" if name == _ERROR else EVERY


def _wanted() -> tuple[str, str, str, str]:
    said = [st.session_state.get(name) or "" for name in _FILTERS]
    state, channel, country, error = ("" if one == EVERY else str(one).strip() for one in said)
    return state, channel, country, error


def _page(app: Services) -> Listed:
    wanted = Wanted(*_wanted())
    try:
        return app.explorer.page(wanted, st.query_params.get("before"))
    except CursorRefused as error:
        st.warning(f"{error.cause} Here are the newest ones.")
        forget()
        return app.explorer.page(wanted)


def _table(attempts: list[Attempt], zone: ZoneInfo, empty: str, *, simulated: bool) -> None:
    if not attempts:
        st.info(empty, icon=":material/inbox:")
        return
    frame = attempt_list(attempts, zone)
    requested = st.column_config.DatetimeColumn(
        "Requested", format="D MMM HH:mm:ss", timezone=zone.key
    )
    to = st.column_config.ButtonColumn(
        "To",
        type="tertiary",
        alignment="left",
        key="attempts_opened",
        on_click=_open,
        args=(frame,),
    )
    # Only where clocks differ: everybody else has no need of it.
    note = {"note": text("Note")} if frame["note"].any() else {}
    picked = grid(
        _coloured(frame, colours()),
        "attempts_list",
        {
            "requested": requested,
            "to": to,
            "state": text("State"),
            "channel": text("Channel"),
            "country": text("Country"),
            "carrier": text("Carrier"),
            "error": text("Error"),
            "seconds": number("Delivered after", "%.1f s"),
            **note,
        },
        on_select="rerun",
        selection_mode="single-row",
        height=frame_height(len(frame), PAGE),
    )
    if picked.selection.rows:
        go(attempt=frame["attempt"].iloc[picked.selection.rows[0]])
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Click a number, or tick a row, to open its attempt.", width="content")
        csv(frame, "attempts", simulated=simulated)


def _open(frame: pd.DataFrame) -> None:
    go(attempt=frame["attempt"].iloc[st.session_state["attempts_opened"]["row"]])


def _coloured(frame: pd.DataFrame, palette: Palette) -> Any:
    return frame.style.map(lambda said: f"color: {state_colour(said, palette)}", subset=["state"])


def _pager(listed: Listed) -> None:
    if listed.is_cut:
        st.caption(
            f"Looked through {MOST_LOOKED_THROUGH:,} attempts from here. Go on with older ones, or "
            "filter for less."
        )
    with st.container(horizontal=True):
        if "before" in st.query_params:
            st.button("Newest", icon=":material/first_page:", on_click=forget)
        if listed.cursor is not None:
            older = {"before": listed.cursor}
            st.button("Older", icon=":material/chevron_right:", on_click=go, kwargs=older)

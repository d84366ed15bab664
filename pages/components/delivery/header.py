"""The header: range, filters, comparison, zone and refresh, all of it in the address."""

from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from core.figures.queries import SeenDimensions
from core.figures.ranges import Preset
from core.panels import query_state as choice
from core.services import Services


def header(app: Services) -> None:
    """Draw the controls. Their values are in the session under their own names."""
    st.segmented_control(
        "Range", list(choice.RANGES), default=Preset.DAY, key="range", bind="query-params",
        format_func=lambda one: choice.RANGES.get(one, one), required=True,
        label_visibility="collapsed", persist_state="session",
    )  # fmt: skip
    viewer = st.context.timezone
    if st.session_state.get("range") == choice.CUSTOM:
        _ends(app, viewer)
    known = app.queries.seen_dimensions()
    _keep_offered(known)
    grid = st.grid(6, min_column_width=150, gap="small")
    _select(grid.cell(), "Channel", "channel", choice.channels())
    _select(grid.cell(), "Country", "country", choice.countries(known))
    carriers = choice.carriers(known, st.session_state.get("country"))
    _select(grid.cell(), "Carrier", "carrier", carriers, disabled=len(carriers) == 1)
    compared = {str(one): words for one, words in choice.COMPARISONS.items()}
    _select(grid.cell(), "Compared with", "compare", compared)
    _select(grid.cell(), "Zone", "zone", {name: name for name in choice.zones(viewer)})
    _select(grid.cell(), "Refresh", "refresh", {name: name for name in choice.REFRESH})


def clear_filters() -> None:
    """A callback: let every attempt through again."""
    for name in choice.FILTERS:
        st.session_state[name] = choice.EVERY


def filter_by(country: str, carrier: str) -> None:
    """A callback: filter by what a row of the table of countries stands for."""
    for name, value in choice.of_row(country, carrier).items():
        st.session_state[name] = value


def _ends(app: Services, viewer: str | None) -> None:
    zone = ZoneInfo(choice.zone_of(st.session_state.get("zone"), viewer))
    first, last = choice.week_up_to(app.clock.now(), zone)
    grid = st.grid(2, min_column_width=220, gap="small")
    with grid.cell():
        st.datetime_input("From", first, key="from", bind="query-params", required=True)
    with grid.cell():
        st.datetime_input("To", last, key="to", bind="query-params", required=True)


def _keep_offered(known: SeenDimensions) -> None:
    """Another country has other carriers: one that is not offered any more is let go."""
    carrier = st.session_state.get("carrier", choice.EVERY)
    if carrier not in choice.carriers(known, st.session_state.get("country")):
        st.session_state["carrier"] = choice.EVERY


def _select(place: Any, label: str, key: str, options: dict[str, str], **more: Any) -> None:
    with place:
        st.selectbox(
            label, list(options), key=key, bind="query-params", persist_state="session",
            format_func=lambda one: options.get(one, str(one)), **more,
        )  # fmt: skip

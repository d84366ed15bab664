"""The header of the Delivery page: range, filters, comparison, zone and refresh, bound to the
address."""

from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from core.figures.queries import Queries, SeenDimensions
from core.figures.ranges import Preset
from core.model.clock import Clock
from core.panels import query_state
from core.panels.zones import zone_of, zones
from pages.components.delivery.address import restore_address


def draw_header(queries: Queries, clock: Clock) -> None:
    """Draw the controls. Their values are in the session state under the keys of the controls."""
    viewer = st.context.timezone
    dimensions = queries.seen_dimensions()
    restore_address(dimensions, viewer)
    st.segmented_control(
        "Range", list(query_state.RANGES), default=Preset.DAY, key="range", bind="query-params",
        format_func=lambda name: query_state.RANGES.get(name, name), required=True,
        label_visibility="collapsed", persist_state="session",
    )  # fmt: skip
    if st.session_state.get("range") == query_state.CUSTOM:
        _custom_range(clock, viewer)
    _reset_unavailable_carrier(dimensions)
    grid = st.grid(6, min_column_width=150, gap="small")
    _select(grid.cell(), "Channel", "channel", query_state.channels())
    _select(grid.cell(), "Country", "country", query_state.countries(dimensions))
    carriers = query_state.carriers(dimensions, st.session_state.get("country"))
    _select(grid.cell(), "Carrier", "carrier", carriers, disabled=len(carriers) == 1)
    comparisons = {str(kind): words for kind, words in query_state.COMPARISONS.items()}
    _select(grid.cell(), "Compared with", "compare", comparisons)
    _select(grid.cell(), "Zone", "zone", {name: name for name in zones(viewer)})
    _select(grid.cell(), "Refresh", "refresh", {name: name for name in query_state.REFRESH})


def clear_filters() -> None:
    """A callback: remove all filters."""
    for name in query_state.FILTERS:
        st.session_state[name] = query_state.EVERY


def filter_by(country: str, carrier: str) -> None:
    """A callback: filter by a row of the table of countries."""
    for name, value in query_state.row_filters(country, carrier).items():
        st.session_state[name] = value


def _custom_range(clock: Clock, viewer: str | None) -> None:
    zone = ZoneInfo(zone_of(st.session_state.get("zone"), viewer))
    first, last = query_state.week_up_to(clock.now(), zone)
    grid = st.grid(2, min_column_width=220, gap="small")
    with grid.cell():
        st.datetime_input("From", first, key="from", bind="query-params", required=True)
    with grid.cell():
        st.datetime_input("To", last, key="to", bind="query-params", required=True)


def _reset_unavailable_carrier(dimensions: SeenDimensions) -> None:
    """After a change of country, a carrier that the new country does not have is deselected."""
    carrier = st.session_state.get("carrier", query_state.EVERY)
    if carrier not in query_state.carriers(dimensions, st.session_state.get("country")):
        st.session_state["carrier"] = query_state.EVERY


def _select(place: Any, label: str, key: str, options: dict[str, str], **more: Any) -> None:
    with place:
        st.selectbox(
            label, list(options), key=key, bind="query-params", persist_state="session",
            format_func=lambda name: options.get(name, str(name)), **more,
        )  # fmt: skip

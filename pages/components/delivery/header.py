"""The filter line of the Delivery page: range, filters, comparison, zone and refresh, bound to the
address. It stays in sight while the page scrolls."""

from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from core.figures.filters import SeenDimensions
from core.figures.ranges import Preset
from core.model.clock import Clock
from core.panels import query_state
from core.panels.zones import zone_of, zones
from pages.components.delivery.address import restore_address

#: The key of the fragment that the filter line and all that it filters are in.
FIGURES = "figures"


def draw_header(dimensions: SeenDimensions, clock: Clock) -> None:
    """Draw the controls. Their values are in the session state under the keys of the controls."""
    viewer = st.context.timezone
    restore_address(dimensions, viewer)
    with st.container(key="filter_line", horizontal=True):
        st.segmented_control(
            "Range", list(query_state.RANGES), default=Preset.DAY, key="range",
            bind="query-params", format_func=lambda name: query_state.RANGES.get(name, name),
            required=True, label_visibility="collapsed", persist_state="session",
        )  # fmt: skip
        _reset_unavailable_carrier(dimensions)
        with st.popover("Filters", icon=":material/filter_alt:", key="filters"):
            _filters(dimensions)
        with st.popover("View", icon=":material/tune:", key="view"):
            _view(viewer)
        if words := query_state.filter_words(st.session_state.to_dict()):
            st.button(
                f"Clear {words}", on_click=clear_filters, icon=":material/filter_alt_off:",
                key="clear", type="tertiary",
            )  # fmt: skip
    if st.session_state.get("range") == query_state.CUSTOM:
        _custom_range(clock, viewer)


def clear_filters() -> None:
    """A callback: remove all filters."""
    for name in query_state.FILTERS:
        st.session_state[name] = query_state.EVERY


def filter_by(country: str, carrier: str) -> None:
    """A callback: filter by a row of the table of countries."""
    for name, value in query_state.row_filters(country, carrier).items():
        st.session_state[name] = value


def _filters(dimensions: SeenDimensions) -> None:
    _select("Channel", "channel", query_state.channels())
    _select("Country", "country", query_state.countries(dimensions))
    carriers = query_state.carriers(dimensions, st.session_state.get("country"))
    _select("Carrier", "carrier", carriers, disabled=len(carriers) == 1)


def _view(viewer: str | None) -> None:
    comparisons = {str(kind): words for kind, words in query_state.COMPARISONS.items()}
    _select("Compared with", "compare", comparisons)
    _select("Zone", "zone", {name: name for name in zones(viewer)})
    # The page, since only its run sets how often the figures are drawn.
    _select("Refresh", "refresh", {name: name for name in query_state.REFRESH}, on_change=st.rerun)


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


def _select(label: str, key: str, options: dict[str, str], **more: Any) -> None:
    st.selectbox(
        label, list(options), key=key, bind="query-params", persist_state="session",
        format_func=lambda name: options.get(name, str(name)), **more,
    )  # fmt: skip

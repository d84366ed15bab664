"""Delivery: are codes arriving, how fast, where not, why, at what cost, and who misuses us."""

import streamlit as st

from core.panels.empty import empty_state
from core.panels.query_state import REFRESH, Choice, choice
from core.wording.formats import through
from pages.components.access import guarded, require_admin
from pages.components.delivery.abuse import abused
from pages.components.delivery.alerts import alerts
from pages.components.delivery.context import Shown
from pages.components.delivery.cost import cost
from pages.components.delivery.countries import affected
from pages.components.delivery.empty import empty, figures_shown, sample
from pages.components.delivery.errors import causes
from pages.components.delivery.funnel import lost
from pages.components.delivery.header import clear_filters, header
from pages.components.delivery.latency import taken
from pages.components.delivery.logs import logs, look_seconds
from pages.components.delivery.overview import now
from pages.components.delivery.top_issues import first
from pages.components.panel import colours, parquet
from pages.components.shared import services, title

require_admin("/delivery")
app = services()


def main() -> None:
    """The header, and below it the panels, which refresh by themselves."""
    asked = _asked()
    with figures_shown(app, asked.zone, key="try_again"):
        title("Delivery", simulated=_is_simulated())
        header(app)
        asked = _asked()
        every = REFRESH.get(st.session_state.get("refresh", "off"))
        st.fragment(guarded(_panels), run_every=every)()
        st.fragment(guarded(_logs), run_every=look_seconds(app))()


def _asked() -> Choice:
    return choice(st.session_state.to_dict(), app.clock.now(), st.context.timezone)


def _is_simulated() -> bool:
    return app.settings.is_sandbox and app.queries.is_simulated()


def _panels() -> None:
    asked = _asked()
    with figures_shown(app, asked.zone, key="try_panels_again"):
        app.booker.book()
        shown = Shown(app, asked, colours(), _is_simulated())
        fresh = app.queries.freshness()
        requested = int(app.queries.totals(asked.range, asked.filters)["requested"])
        unfiltered = requested
        if not requested and not asked.filters.is_empty:
            unfiltered = int(app.queries.totals(asked.range)["requested"])
        _status(asked, through(fresh.through, fresh.lag, asked.zone))
        found = empty_state(
            requested, asked.filters, ever=fresh.through is not None, unfiltered=unfiltered,
            lag=None if asked.is_over else fresh.lag,
        )  # fmt: skip
        if found:
            empty(app, *found, simulated=shown.simulated)
        if requested:
            _all(shown)


def _logs() -> None:
    logs(app, _asked().zone)


def _status(asked: Choice, fresh: str) -> None:
    """How new the figures are, in which zone, and the way back from a filter."""
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        st.caption(f"{fresh} · times in {asked.zone.key}", width="content")
        if not asked.filters.is_empty:
            st.button(
                "Clear filters", on_click=_clear, icon=":material/filter_alt_off:", key="clear"
            )
    if st.session_state.pop("cleared", False):
        st.rerun()


def _clear() -> None:
    clear_filters()
    # The filters are above the part of the page that this button is in, which alone is run.
    st.session_state["cleared"] = True


def _all(shown: Shown) -> None:
    now(shown)
    alerts(shown)
    lost(shown)
    taken(shown)
    affected(shown)
    causes(shown)
    cost(shown)
    abused(shown)
    first(shown)
    asked = shown.choice
    steps = app.queries.over_time(asked.range, asked.filters, asked.zone)
    with st.container(horizontal=True):
        parquet(steps, "delivery", "Download the range as Parquet", simulated=shown.simulated)
        if not shown.simulated:
            sample(app)


main()

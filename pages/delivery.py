"""The Delivery page: arrival of codes, latency, affected countries, errors, cost and abuse."""

import streamlit as st

from core.panels.empty import empty_state
from core.panels.query_state import REFRESH, QueryState, parse_query_state
from core.wording.formats import lag_words, through
from pages.components.access import guarded, require_admin
from pages.components.delivery.abuse import draw_abuse
from pages.components.delivery.alerts import draw_alerts
from pages.components.delivery.context import PanelContext
from pages.components.delivery.cost import draw_cost
from pages.components.delivery.countries import draw_countries
from pages.components.delivery.empty import draw_empty, figures_shown, is_fillable, sample_button
from pages.components.delivery.errors import draw_errors
from pages.components.delivery.funnel import draw_funnel
from pages.components.delivery.header import clear_filters, draw_header
from pages.components.delivery.latency import draw_latency
from pages.components.delivery.logs import draw_logs, refresh_seconds
from pages.components.delivery.overview import draw_overview
from pages.components.delivery.top_issues import draw_top_issues
from pages.components.panel import parquet, theme_palette
from pages.components.shared import services, title

PANELS = (
    *(draw_overview, draw_alerts, draw_funnel, draw_latency, draw_countries, draw_errors),
    *(draw_cost, draw_abuse, draw_top_issues),
)

require_admin("/delivery")
app = services()
queries, clock = app.queries, app.clock


def main() -> None:
    """The header, and below it the panels, which refresh on their own."""
    with figures_shown(clock, _state().zone, key="try_again"):
        title("Delivery", simulated=_is_simulated())
        draw_header(queries, clock)
        every = REFRESH.get(st.session_state.get("refresh", "off"))
        st.fragment(guarded(_panels), run_every=every)()
        st.fragment(guarded(_logs), run_every=refresh_seconds(app.logs, clock))()


def _state() -> QueryState:
    return parse_query_state(st.session_state.to_dict(), clock.now(), st.context.timezone)


def _is_simulated() -> bool:
    return app.settings.is_sandbox and queries.is_simulated()


def _panels() -> None:
    state = _state()
    with figures_shown(clock, state.zone, key="try_panels_again"):
        app.fold.settle()
        pipeline = app.figure_export.pipeline()
        if pipeline.is_late:
            st.warning(lag_words(pipeline.journal_age))
        simulated = _is_simulated()
        fresh = queries.freshness()
        requested = int(queries.totals(state.range, state.filters)["requested"])
        unfiltered = requested
        if not requested and not state.filters.is_empty:
            unfiltered = int(queries.totals(state.range)["requested"])
        _status(state, through(fresh.through, fresh.lag, state.zone))
        reason = empty_state(
            requested, state.filters, ever=fresh.through is not None, unfiltered=unfiltered,
            lag=None if state.is_over else fresh.lag,
        )  # fmt: skip
        if reason:
            draw_empty(*reason)
            if app.settings.is_sandbox and is_fillable(reason[0]) and not simulated:
                sample_button(app.sample, queries, is_main_action=True)
        if requested:
            _all(PanelContext(queries, app.alerts, app.ledger, state, theme_palette(), simulated))


def _logs() -> None:
    draw_logs(app.logs, app.ledger, clock, _state().zone)


def _status(state: QueryState, freshness: str) -> None:
    """How new the figures are, the time zone, and a button that clears the filters."""
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        text = f"{freshness} · times in {state.zone.key}"
        if state.range_text:
            text += f" · {state.range_text}"
        st.caption(text, width="content")
        if not state.filters.is_empty:
            st.button(
                "Clear filters", on_click=_clear, icon=":material/filter_alt_off:", key="clear"
            )
    if st.session_state.pop("cleared", False):
        st.rerun()


def _clear() -> None:
    clear_filters()
    # Only this fragment reruns, and the filters are outside it.
    st.session_state["cleared"] = True


def _all(context: PanelContext) -> None:
    for draw in PANELS:
        draw(context)
    state = context.state
    steps = queries.over_time(state.range, state.filters, state.zone)
    with st.container(horizontal=True):
        parquet(steps, "delivery", "Download the range as Parquet", simulated=context.simulated)
        if app.settings.is_sandbox and not context.simulated:
            sample_button(app.sample, queries)


main()

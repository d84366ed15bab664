"""How long does it take? The heatmap with its percentiles, and the time by part."""

import streamlit as st

from core.charts.latency import latency, waterfall
from core.panels.figures import is_unfinished
from core.panels.query_state import wider_scope
from core.panels.tables import legs_table
from pages.components.delivery.context import PanelContext
from pages.components.panel import chart, downloads


def draw_latency(context: PanelContext) -> None:
    queries, state = context.queries, context.state
    frame = queries.heatmap(state.range, state.filters, zone=state.zone)
    legs = legs_table(queries.totals(state.range, state.filters))
    steps = queries.over_time(state.range, state.filters, state.zone)
    picture = latency(frame, state.zone, context.palette, is_unfinished=is_unfinished(steps))
    if scope := wider_scope(state.filters):
        st.caption(f"Times of {scope}: they are not kept by carrier. The parts are the carrier's.")
    chart(picture, "latency", 340)
    chart(waterfall(legs, context.palette), "waterfall", 190)
    downloads(**context.files_of_all_carriers, time_to_deliver=frame)
    downloads(**context.files, parts=legs)

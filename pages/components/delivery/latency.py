"""How long does it take? The heatmap with its percentiles, and the time by part."""

from core.charts.latency import latency, waterfall
from core.panels.tables import legs_table
from pages.components.delivery.context import PanelContext
from pages.components.panel import chart, question


def draw_latency(context: PanelContext) -> None:
    queries, state = context.queries, context.state
    frame = queries.heatmap(state.range, state.filters, zone=state.zone)
    legs = legs_table(queries.totals(state.range, state.filters))
    question(
        "How long does it take?", simulated=context.simulated, time_to_deliver=frame, parts=legs
    )
    chart(latency(frame, state.zone, context.palette), "latency", 340)
    chart(waterfall(legs, context.palette), "waterfall", 190)

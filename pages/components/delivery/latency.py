"""How long does it take? The heatmap with its percentiles, and where the seconds go."""

from core.charts.latency import latency, waterfall
from core.panels.tables import legs_table
from pages.components.delivery.context import Shown
from pages.components.panel import chart, question


def taken(shown: Shown) -> None:
    queries, asked = shown.app.queries, shown.choice
    frame = queries.heatmap(asked.range, asked.filters, zone=asked.zone)
    legs = legs_table(queries.totals(asked.range, asked.filters))
    question("How long does it take?", simulated=shown.simulated, time_to_deliver=frame, parts=legs)
    chart(latency(frame, asked.zone, shown.colours), "latency", 340)
    chart(waterfall(legs, shown.colours), "waterfall", 190)

"""How do attempts end, over time? The attempts of each step by state."""

from core.charts.over_time import states_over_time
from pages.components.delivery.context import PanelContext
from pages.components.panel import chart, downloads


def draw_endings(context: PanelContext) -> None:
    state = context.state
    steps = context.queries.over_time(state.range, state.filters, state.zone)
    chart(states_over_time(steps, state.zone, context.palette), "states", 300)
    downloads(**context.files, by_state=steps)

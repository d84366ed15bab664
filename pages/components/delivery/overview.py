"""Are codes arriving? The main figures, and their course over the range."""

import streamlit as st

from core.charts.over_time import rate_over_time, sparkline, states_over_time
from core.panels.figures import Figure, figures, read_inputs, table
from pages.components.delivery.context import PanelContext
from pages.components.panel import chart, question

#: Heights in pixels, fixed so that the content below does not move when these are drawn.
_CARD, _FIGURE, _LARGEST, _SPARKLINE, _RATE = 240, 132, 157, 60, 264


def draw_overview(context: PanelContext) -> None:
    """The confirmed rate, the largest element of the page; the other figures beside it."""
    queries, state = context.queries, context.state
    inputs = read_inputs(queries, state.range, state.comparison, state.filters, state.zone)
    confirmed, *others = all_figures = figures(inputs)
    question(
        "Are codes arriving?", simulated=context.simulated,
        figures=table(all_figures), over_time=inputs.steps,
    )  # fmt: skip
    left, right = st.columns([2, 3], gap="small")
    with left, st.container(key="largest", border=True, height="stretch"):
        _draw_figure(confirmed, _LARGEST)
        chart(rate_over_time(inputs.ripe.steps, state.zone, context.palette), "rate", _RATE)
    with right:
        cells = st.grid(3, min_column_width=150, gap="small", row_height=_CARD)
        for figure in others:
            with cells.cell(), st.container(border=True, height="stretch"):
                _draw_figure(figure, _FIGURE)
                if figure.drawn:
                    key = figure.name.casefold().replace(" ", "_")
                    chart(sparkline(figure, context.palette), key, _SPARKLINE)
    compared = queries.compared(state.range, state.comparison, state.zone)
    if text := state.comparison_text(compared, queries.history_begins()):
        st.caption(text)
    chart(states_over_time(inputs.steps, state.zone, context.palette), "states", 300)


def _draw_figure(figure: Figure, height: int) -> None:
    st.metric(
        figure.name,
        figure.value,
        figure.change or None,
        help=figure.help,
        height=height,
        # Streamlit colours by the sign; we colour by good or bad, and not at all within chance.
        delta_color="gray" if figure.good is None else "green" if figure.good else "red",
        delta_arrow="off" if figure.rose is None else "up" if figure.rose else "down",
        delta_description=figure.detail,
    )

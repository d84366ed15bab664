"""Are codes arriving? The main figures, and their course over the range."""

import streamlit as st

from core.charts.over_time import rate_over_time, sparkline, states_over_time
from core.panels.figures import Figure, ShownRange, figures, table
from pages.components.delivery.context import PanelContext
from pages.components.panel import chart, question

#: Heights in pixels, fixed so that the content below does not move when these are drawn.
_CARD, _FIGURE, _LARGEST, _SPARKLINE, _RATE = 240, 132, 157, 60, 264


def draw_overview(context: PanelContext) -> None:
    """The confirmed rate, the largest element of the page; the other figures beside it."""
    queries, state = context.queries, context.state
    now = ShownRange(
        queries.totals(state.range, state.filters),
        queries.histogram(state.range, state.filters),
        state.filters,
    )
    before = None
    if state.before:
        before = ShownRange(
            queries.totals(state.before, state.filters),
            queries.histogram(state.before, state.filters),
            state.filters,
        )
    steps = queries.over_time(state.range, state.filters, state.zone)
    heat = queries.heatmap(state.range, state.filters, zone=state.zone).to_numpy()
    confirmed, *others = all_figures = figures(now, before, steps, heat)
    question(
        "Are codes arriving?", simulated=context.simulated,
        figures=table(all_figures), over_time=steps,
    )  # fmt: skip
    left, right = st.columns([2, 3], gap="small")
    with left, st.container(key="largest", border=True, height="stretch"):
        _draw_figure(confirmed, _LARGEST)
        chart(rate_over_time(steps, state.zone, context.palette), "rate", _RATE)
    with right:
        cells = st.grid(3, min_column_width=150, gap="small", row_height=_CARD)
        for figure in others:
            with cells.cell(), st.container(border=True, height="stretch"):
                _draw_figure(figure, _FIGURE)
                if figure.drawn:
                    key = figure.name.casefold().replace(" ", "_")
                    chart(sparkline(figure, context.palette), key, _SPARKLINE)
    has_changes = any(figure.change for figure in all_figures)
    if text := state.comparison_text(has_changes=has_changes):
        st.caption(text)
    chart(states_over_time(steps, state.zone, context.palette), "states", 300)


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

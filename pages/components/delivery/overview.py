"""Are codes arriving? The figures that matter now, and their course."""

import streamlit as st

from core.charts.over_time import rate_over_time, states_over_time
from core.panels.figures import Figure, ShownRange, figures, table
from pages.components.delivery.context import Shown
from pages.components.panel import chart, question

#: Heights in pixels, kept from the start: what is drawn later must not move what is below it.
_CARD, _LARGEST, _RATE = 240, 157, 264


def now(shown: Shown) -> None:
    """The confirmed rate, larger than anything else on the page; the other figures beside it."""
    queries, asked = shown.app.queries, shown.choice
    of_now = ShownRange(
        queries.totals(asked.range, asked.filters), queries.histogram(asked.range, asked.filters)
    )
    before = None
    if asked.before:
        before = ShownRange(
            queries.totals(asked.before, asked.filters),
            queries.histogram(asked.before, asked.filters),
        )
    steps = queries.over_time(asked.range, asked.filters, asked.zone)
    heat = queries.heatmap(asked.range, asked.filters, zone=asked.zone).to_numpy()
    made = figures(of_now, before, steps, heat)
    question(
        "Are codes arriving?", simulated=shown.simulated,
        figures=table(made), over_time=steps,
    )  # fmt: skip
    largest, others = st.columns([2, 3], gap="small")
    with largest, st.container(key="largest", border=True, height="stretch"):
        _figure(made[0], alone=False)
        chart(rate_over_time(steps, asked.zone, shown.colours), "rate", _RATE)
    with others:
        cells = st.grid(3, min_column_width=150, gap="small", row_height=_CARD)
        for figure in made[1:]:
            with cells.cell():
                _figure(figure)
    if words := asked.compared_words(is_told=any(one.change for one in made)):
        st.caption(words)
    chart(states_over_time(steps, asked.zone, shown.colours), "states", 300)


def _figure(one: Figure, *, alone: bool = True) -> None:
    """`alone`: in a frame of its own, with its course below it."""
    st.metric(
        one.name,
        one.value,
        one.change or None,
        help=one.help,
        border=alone,
        height="stretch" if alone else _LARGEST,
        # Streamlit colours by the sign; we colour by what is good, and not at all within chance.
        delta_color="gray" if one.good is None else "green" if one.good else "red",
        delta_arrow="off" if one.rose is None else "up" if one.rose else "down",
        delta_description=one.detail,
        chart_data=(alone and one.drawn) or None,
        chart_type="line" if one.is_share else "area",
    )

"""The Delivery page: the verdict, the figures, and the questions about them."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.figures.freshness import Freshness
from core.figures.rates import ENOUGH
from core.model.errors import StoreUnavailable
from core.panels.empty import Empty, empty_state, unreachable
from core.panels.kept import KeptAnswers, age_words
from core.panels.query_state import REFRESH, QueryState, parse_query_state
from core.panels.targets import targets_of
from core.wording.formats import lag_words, through
from pages.components.access import gate_answered, guarded, require_admin
from pages.components.assets import page_style
from pages.components.delivery.context import PanelContext
from pages.components.delivery.empty import draw_empty, is_fillable, last_good
from pages.components.delivery.header import FIGURES, draw_header
from pages.components.delivery.logs import draw_logs, refresh_seconds
from pages.components.delivery.overview import draw_overview
from pages.components.delivery.questions import draw_questions
from pages.components.delivery.sample import sample_button, sample_line
from pages.components.delivery.verdict import draw_verdict
from pages.components.panel import theme_palette
from pages.components.shared import services, title
from pages.components.theme import follow_theme

#: How often an open page looks whether Redis can be reached, in seconds.
_WATCH_SECONDS = 5
_NEW = ".st-key-figures_part {opacity: 1}"
_OLD = ".st-key-figures_part {filter: grayscale(.6); opacity: .5}"

require_admin("/delivery", keeps=True)
#: False in later runs of fragments, which have the names of the page's last run.
is_page_run = True
app = services()
clock = app.clock
kept = st.session_state.setdefault("kept_answers", KeptAnswers())
queries, alerts, ledger = kept.reader(app.queries), kept.reader(app.alerts), kept.reader(app.ledger)
findings = kept.reader(app.findings)


def main() -> None:
    """All that filters change is one fragment, so a change of a filter is one run of it."""
    st.html(f"<style>{page_style('delivery/page')}</style>")
    follow_theme(key="theme")
    _look()
    every = REFRESH.get(st.session_state.get("refresh", "off"))
    with st.container(horizontal=True, vertical_alignment="center", key="page_head"):
        title("Delivery", width="content")
        # Also without a line: what comes after it must keep its place, or it would be drawn twice.
        with st.container(key="sample_place", width="stretch"):
            if app.settings.is_sandbox and kept.error is None:
                sample_line(app.sample_control, guarded)
        caption = st.empty()
    st.fragment(guarded(_outage, keeps=True), run_every=_WATCH_SECONDS)()

    def _figures() -> None:
        _draw_anew(caption)

    st.fragment(guarded(_figures, keeps=True), run_every=every, key=FIGURES)()
    if kept.error is None:
        st.fragment(guarded(_logs), run_every=refresh_seconds(app.log_sync, clock))()


def _state() -> QueryState:
    return parse_query_state(st.session_state.to_dict(), clock.now(), st.context.timezone)


def _look() -> None:
    """Find out whether the figures can be read now."""
    try:
        gate_answered()
        app.queries.freshness()
    except StoreUnavailable as error:
        kept.repeat(error)
    else:
        kept.begin()


def _outage() -> None:
    """While Redis is away, why, and how old the figures are. It notices by itself when Redis has
    gone away or is back; then the page is drawn again."""
    if not is_page_run:
        _look()
        if kept.shown_old != (kept.error is not None):
            st.rerun()
    if kept.error:
        now = clock.now()
        zone = kept.state.zone if kept.state else _state().zone
        words = unreachable(kept.error, kept.at or last_good().moment, now, zone)
        age = age_words(now - kept.at) if kept.at else ""
        st.error(f"{words} {age}", icon=":material/cloud_off:")


def _draw_anew(caption: DeltaGenerator) -> None:
    if not is_page_run:
        _look()
    is_outage_shown = kept.error is not None
    try:
        _draw(caption)
    except StoreUnavailable:
        # Not drawn before: there is nothing to show below the sentence of `_outage`.
        if not is_outage_shown:
            raise


def _draw(caption: DeltaGenerator) -> None:
    """`caption`: the place beside the title."""
    kept.shown_old = kept.error is not None
    draw_header(queries.seen_dimensions(), clock)
    state = kept.state if kept.error and kept.state else _state()
    fresh = queries.freshness()
    freshness = through(fresh.through, fresh.lag, state.zone)
    parts = [freshness, f"times in {state.zone.key}", state.range_text]
    caption.caption(" · ".join(part for part in parts if part), width="content")
    with st.container(key="figures_part"):
        # The same place with and without Redis, so that what was drawn is dimmed, not drawn twice.
        st.html(f"<style>{_OLD if kept.shown_old else _NEW}</style>")
        _draw_figures(state, fresh)
    if kept.error is None:
        kept.end(clock.now(), state)
        last_good().note(clock.now())


def _draw_figures(state: QueryState, fresh: Freshness) -> None:
    simulated = app.settings.is_sandbox and queries.is_simulated()
    if kept.error is None and (pipeline := app.figure_export.pipeline()).is_late:
        st.warning(lag_words(pipeline.journal_age))
    requested = int(queries.totals(state.range, state.filters)["requested"])
    unfiltered = int(queries.totals(state.range)["requested"])
    # The first attempt may be counted after `fresh` was read.
    reason = empty_state(
        requested, state.filters, ever=fresh.through is not None or unfiltered > 0,
        unfiltered=unfiltered, length=state.range.length,
        lag=None if state.is_over else fresh.attempt_age,
    )  # fmt: skip
    can_fill = app.settings.is_sandbox and kept.error is None
    context = PanelContext(
        queries, alerts, ledger, state, theme_palette(), simulated, targets_of(app.settings),
        clock.now(), findings,
    )  # fmt: skip
    offers_sample = can_fill and reason is not None and is_fillable(reason[0])
    # The verdict looks at every place: with many, the figures below it are there first. So it has
    # room for its causes; with few attempts there is hardly one.
    place = st.container(key="verdict_place" if requested >= ENOUGH else None)
    # A container has its height as soon as there is something in it.
    verdict = place.empty()
    if reason:
        draw_empty(*reason)
    if offers_sample:
        sample_button(app.sample_control, is_main_action=True)
    if requested:
        draw_overview(context)
    if fresh.through is not None:
        with verdict.container():
            draw_verdict(context, has_headline=reason is None or reason[0] is Empty.QUIET)
    if requested:
        draw_questions(context)
        if can_fill and not offers_sample:
            sample_button(app.sample_control)


def _logs() -> None:
    draw_logs(app.log_sync, app.ledger, clock, _state().zone)


main()
is_page_run = False

"""The questions below the figures: one line each, drawn and queried only while they are open."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.panels import answers
from core.panels.alerts import alert_summary
from pages.components.access import guarded
from pages.components.delivery.abuse import draw_abuse
from pages.components.delivery.alerts import draw_alerts
from pages.components.delivery.context import PanelContext
from pages.components.delivery.cost import draw_cost
from pages.components.delivery.countries import draw_countries
from pages.components.delivery.endings import draw_endings
from pages.components.delivery.errors import draw_errors
from pages.components.delivery.funnel import draw_funnel
from pages.components.delivery.latency import draw_latency
from pages.components.panel import answer


@dataclass(frozen=True, slots=True)
class Question:
    """`name` is the key of its line, and its name in the address. `answer`: the main number of the
    closed line, from answers that are cheap to get."""

    name: str
    words: str
    answer: Callable[[PanelContext], str]
    draw: Callable[[PanelContext], None]


QUESTIONS = (
    Question(
        "latency",
        "How long does it take?",
        lambda c: answers.with_scope(
            answers.latency(c.queries.histogram(c.queries.ripe(c.state.range), c.state.filters)),
            c.state.filters,
        ),
        draw_latency,
    ),
    Question(
        "countries",
        "Who is affected?",
        lambda c: answers.places(
            c.queries.places_requested(c.queries.ripe(c.state.range), c.state.filters),
            c.state.filters,
        ),
        draw_countries,
    ),
    Question(
        "errors",
        "Why? The errors",
        lambda c: answers.with_scope(
            answers.errors(
                c.queries.errors(c.state.range, c.state.filters),
                c.queries.totals(c.state.range, c.state.filters.of_all_carriers),
            ),
            c.state.filters,
        ),
        draw_errors,
    ),
    Question(
        "cost",
        "What does it cost?",
        lambda c: answers.cost(c.queries.totals(c.state.range, c.state.filters)),
        draw_cost,
    ),
    Question(
        "abuse",
        "Is the service being abused?",
        lambda c: answers.refused(c.ledger.counters()),
        draw_abuse,
    ),
    Question(
        "funnel",
        "Where do they get lost?",
        lambda c: answers.funnel(c.queries.totals(c.queries.ripe(c.state.range), c.state.filters)),
        draw_funnel,
    ),
    Question(
        "endings",
        "How do attempts end, over time?",
        lambda c: answers.endings(c.queries.totals(c.state.range, c.state.filters)),
        draw_endings,
    ),
    Question(
        "alerts",
        "Alerts",
        lambda c: alert_summary(c.alerts.current(), c.alerts.checked()),
        draw_alerts,
    ),
)


def draw_questions(context: PanelContext) -> None:
    with st.container(key="questions", gap="xsmall"):
        for question in QUESTIONS:
            _draw(question, context)


def _draw(question: Question, context: PanelContext) -> None:
    """Its fragment: opening and closing it draws nothing else again."""

    def draw() -> None:
        with st.container(key=f"question_{question.name}", gap="xsmall"):
            line = st.expander(question.words, key=question.name, bind="query-params")
            answer(question.answer(context))
            if line.open:
                with line:
                    question.draw(context)

    st.fragment(guarded(draw, keeps=True))()

"""The catalogue of figures describes every value of a slot once."""

import pytest

from core.figures.catalogue import (
    COLUMNS,
    COUNTS,
    EXPORTED_COUNTERS,
    FIGURES,
    LEGS,
    QUERY_COLUMNS,
    SUMS,
    FigureKind,
    FigureWidth,
    Leg,
)


@pytest.mark.parametrize("width", FigureWidth)
def test_every_position_has_one_figure(width: FigureWidth) -> None:
    positions = [figure.position for figure in FIGURES if figure.width is width]
    assert sorted(positions) == list(range(len(positions)))


def test_a_slot_holds_the_counts_then_the_sums() -> None:
    assert COLUMNS == COUNTS + SUMS
    assert len(set(QUERY_COLUMNS)) == len(FIGURES) + 1


def test_every_figure_has_a_help_text() -> None:
    assert all(figure.help.endswith(".") for figure in FIGURES)


def test_only_figures_that_never_fall_are_exported_as_counters() -> None:
    assert {figure.kind for figure in EXPORTED_COUNTERS} == {FigureKind.COUNTER}


def test_every_leg_has_a_histogram_and_exact_sums_are_figures_that_never_fall() -> None:
    assert tuple(LEGS) == tuple(Leg)
    by_name = {figure.name: figure for figure in FIGURES}
    for histogram in LEGS.values():
        if histogram.exact_sum:
            figure = by_name[histogram.exact_sum]
            assert (figure.kind, figure.width) == (FigureKind.COUNTER, FigureWidth.SUM)

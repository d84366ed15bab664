"""A change is coloured only where it is beyond chance and the usual variation."""

import numpy as np
import pytest

from core.figures.differences import Variation, differ, means_differ, quantiles_differ
from core.figures.layout import BINS
from core.figures.rates import Rate
from tests.benchmarks.calm_looks import coloured, noticed

STEADY = Variation.of([950] * 28, [1000] * 28)


def test_of_the_looks_at_calm_traffic_next_to_none_show_a_coloured_change() -> None:
    found = coloured(120, seed=5, volumes=(3_000, 1_000_000, 200), per_traffic=20)
    assert len(found) <= 1, found


@pytest.mark.parametrize("per_day", [3_000, 1_000_000])
def test_a_loss_of_ten_points_is_red(per_day: int) -> None:
    assert noticed(seed=3, per_day=per_day)


def test_few_attempts_are_within_chance() -> None:
    # With 95 % a result as low as 7 of 10 has a chance of 1 in 90.
    assert not differ(Rate(7, 10), Rate(950, 1000), STEADY, 1)
    assert not differ(Rate(0, 0), Rate(950, 1000), STEADY, 1)
    assert differ(Rate(3, 10), Rate(950, 1000), STEADY, 1)


def test_a_short_history_counts_as_a_typical_variation() -> None:
    many = 1_000_000
    two_points = Rate(930_000, many), Rate(950_000, many)
    assert differ(*two_points, STEADY, 1)
    assert not differ(*two_points, Variation(), 1)
    assert differ(Rate(800_000, many), Rate(950_000, many), Variation(), 1)


def test_incidents_in_the_history_do_not_count_as_usual() -> None:
    with_incidents = Variation.of([950] * 26 + [300] * 2, [1000] * 28)
    assert with_incidents.excess == pytest.approx(STEADY.excess, rel=0.01)


def test_a_variation_is_estimated_right() -> None:
    rng = np.random.default_rng(4)
    found = []
    for _ in range(200):
        shares = rng.normal(0.8, 0.02, 28)
        found.append(Variation.of(rng.binomial(5_000, shares), np.full(28, 5_000)).excess)
    assert np.mean(found) == pytest.approx(0.02**2 / (0.8 * 0.2), rel=0.15)


def test_costs_are_compared_only_with_a_history() -> None:
    history = [(1.0 + 0.01 * (n % 5), 100) for n in range(28)]
    assert means_differ((1.5, 100), (1.02, 100), history, 1)
    assert not means_differ((1.05, 100), (1.02, 100), history, 1)
    assert not means_differ((1.5, 100), (1.02, 100), history[:9], 1)
    assert not means_differ((1.1, 12), (1.02, 100), history, 1)


def test_empty_histograms_do_not_differ() -> None:
    empty = np.zeros(BINS, dtype=np.int64)
    assert not quantiles_differ(empty, empty, 0.95, np.zeros((1, BINS), dtype=np.int64), 1)

"""Costs: when they can be compared, and which codes can be waste."""

from datetime import timedelta

import numpy as np

from core.figures.costs import Cost, costs_differ, expired
from core.figures.ranges import Range
from core.figures.rates import Rate
from tests.panels.frames import NOW


def test_steady_traffic_of_a_changing_mix_of_prices_shows_hardly_any_change() -> None:
    random = np.random.default_rng(13)
    steps, n, looks, changes = 96, 40, 400, 0
    prices = np.array([7_700, 3_200, 85_000, 240_000])

    def traffic() -> tuple[Cost, np.ndarray, np.ndarray]:
        costs = random.choice(prices, (steps, n), p=[0.5, 0.3, 0.15, 0.05]).sum(axis=1)
        verified = random.binomial(n, 0.85, steps)
        total = steps * n
        return Cost(int(costs.sum()), Rate(total, total), int(verified.sum())), costs, verified

    for _ in range(looks):
        (now, costs, verified), (before, *_) = traffic(), traffic()
        changes += costs_differ(now, before, costs, verified)
        dearer = Cost(3 * now.micros, now.priced, now.verified)
        assert costs_differ(dearer, before, 3 * costs, verified)
    assert changes <= looks * 0.01


def test_only_codes_that_are_no_longer_valid_can_be_waste() -> None:
    life = timedelta(minutes=5)
    day = Range(NOW - timedelta(hours=24), NOW)
    edge = (NOW - life).replace(second=0)
    assert expired(day, NOW, life) == Range(day.start, edge)
    over = Range(NOW - timedelta(hours=24), NOW - timedelta(hours=1))
    assert expired(over, NOW, life) == over
    new = Range(NOW - timedelta(minutes=2), NOW)
    assert expired(new, NOW, life).length == timedelta()

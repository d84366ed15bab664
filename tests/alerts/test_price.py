"""When a price has risen: above what is usual, of which an incident is no part."""

import numpy as np
import pytest

from core.alerts.baseline import DAYS, baseline
from core.alerts.measures import ALERT_FIGURES
from core.alerts.price import risen_prices
from tests.alerts.test_baseline import figures, past_of

A_DAY = 50.0


def has_risen(price: float, *before: float) -> bool:
    """Whether a price has risen, after the prices of so many days, in cents."""
    requested = np.zeros(DAYS)
    requested[-len(before) :] = A_DAY
    days = figures(requested, requested)
    days[..., ALERT_FIGURES.index("priced")] = requested
    days[-len(before) :, ALERT_FIGURES.index("cost_micros")] = A_DAY * 10_000 * np.array(before)
    usual = baseline(past_of(days))
    counts = np.full(1, A_DAY)
    risen, _ = risen_prices(counts, counts * 10_000 * price, usual)
    return bool(risen[0])


@pytest.mark.parametrize("days_ago", [0, 1, 5, 20])
def test_a_price_that_was_an_incident_of_a_day_rises_again(days_ago: int) -> None:
    """An incident of 24 hours is on two dates."""
    before = [1.0] * 28
    assert not has_risen(1.2, *before)
    before[27 - days_ago] = 1.9
    before[26 - days_ago] = 2.1
    assert has_risen(3.0, *before)


def test_a_price_that_stays_is_usual_after_three_whole_days() -> None:
    assert has_risen(3.0, *[1.0] * 25, 1.8, 3.0, 3.0)
    assert not has_risen(3.0, *[1.0] * 24, 1.8, 3.0, 3.0, 3.0)


def test_prices_that_vary_from_day_to_day_are_usual_up_to_the_highest() -> None:
    before = list(np.linspace(1.0, 2.0, 28))
    assert not has_risen(2.4, *before)
    assert has_risen(2.6, *before)


def test_in_its_first_week_every_price_is_usual() -> None:
    assert not has_risen(2.0, 1.0, 1.0, 2.0)

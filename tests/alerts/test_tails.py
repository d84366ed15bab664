"""The tails agree with sums of exact fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.alerts.tails import binomial_tail, critical_count, poisson_tail


def exact_binomial(x: int, n: int, p: Fraction) -> Fraction:
    terms = (math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(x + 1))
    return sum(terms, Fraction())


@given(st.data())
def test_the_binomial_tail_is_the_sum_of_its_terms(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 150))
    x = data.draw(st.integers(-1, n))
    p = Fraction(data.draw(st.integers(1, 255)), 256)
    exact = float(exact_binomial(x, n, p))
    assert math.isclose(binomial_tail(x, n, float(p)), exact, rel_tol=1e-9, abs_tol=1e-300)


def test_the_binomial_tail_of_many_attempts_is_as_exact() -> None:
    exact = float(exact_binomial(1300, 1500, Fraction(59, 64)))
    assert math.isclose(binomial_tail(1300, 1500, 59 / 64), exact, rel_tol=1e-9)


@pytest.mark.parametrize(
    ("x", "n", "p", "tail"),
    [(-1, 5, 0.5, 0), (5, 5, 0.5, 1), (0, 0, 0.5, 1), (0, 5, 0, 1), (4, 5, 1, 0), (2, 5, -0.01, 1)],
)
def test_the_binomial_tail_is_exact_at_its_limits(x: int, n: int, p: float, tail: float) -> None:
    assert binomial_tail(x, n, p) == tail


@given(st.integers(0, 400), st.floats(0.01, 300))
def test_the_poisson_tail_is_one_minus_the_lower_terms(x: int, mean: float) -> None:
    terms = (math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(x))
    assert math.isclose(poisson_tail(x, mean), 1 - math.fsum(terms), rel_tol=1e-6, abs_tol=1e-9)


@pytest.mark.parametrize(("mean", "count"), [(0.5, 7), (5, 18), (50, 84)])
def test_the_threshold_of_a_spike_is_the_measured_count(mean: float, count: int) -> None:
    assert poisson_tail(count, mean) < 1e-5 < poisson_tail(count - 1, mean)


@given(st.integers(0, 5000), st.floats(0.01, 0.99), st.sampled_from([1e-3, 1e-5, 1e-9]))
def test_the_critical_count_is_the_last_below_alpha(n: int, p: float, alpha: float) -> None:
    critical = critical_count(n, lambda x: binomial_tail(x, n, p) < alpha)
    assert critical == -1 or binomial_tail(critical, n, p) < alpha
    assert critical == n or binomial_tail(critical + 1, n, p) >= alpha


def test_arrays_are_judged_cell_by_cell() -> None:
    x, n = np.arange(6), 5
    tails = binomial_tail(x[:, None], n, np.array([0.25, 0.75]))
    assert tails.shape == (6, 2)
    assert tails[3, 1] == pytest.approx(1 - 5 * 0.75**4 * 0.25 - 0.75**5)

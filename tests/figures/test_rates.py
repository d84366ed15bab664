"""Rates and percentiles against published and exact values."""

from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.figures.layout import BINS
from core.figures.rates import (
    QUANTILES,
    Rate,
    percentiles,
    quantile,
    quantiles,
    stepwise_quantiles,
    values_needed,
    wilson,
    wilsons,
)
from tests.figures.bins import bin_of

RNG = np.random.default_rng(11)
SHAPES = {
    "lognormal": RNG.lognormal(8, 0.6, 40_000),
    "two humps": np.concatenate([RNG.lognormal(7.5, 0.3, 30_000), RNG.lognormal(10, 0.5, 10_000)]),
    "heavy tail": 900 * (1 + RNG.pareto(1.6, 40_000)),
}


# Newcombe 1998, table I: the score method without continuity correction.
@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(k: int, n: int, low: float, high: float) -> None:
    assert wilson(k, n) == pytest.approx((low, high), abs=5e-5)


def test_five_of_five_means_at_least_57_percent() -> None:
    assert Rate(5, 5).low == pytest.approx(0.5655, abs=1e-4)
    assert Rate(5, 5).high == 1
    assert not Rate(5, 5).is_enough


@given(st.integers(1, 10**7).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_contains_its_rate(counts: tuple[int, int]) -> None:
    rate = Rate(*counts)
    assert 0 <= rate.low <= rate.value + 1e-12
    assert rate.value - 1e-12 <= rate.high <= 1


def test_no_attempts_have_no_rate() -> None:
    assert isnan(Rate(0, 0).value)
    assert all(isnan(bound[0]) for bound in wilsons([0], [0]))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("q", QUANTILES)
def test_percentiles_are_within_4_4_percent_of_the_exact_ones(shape: str, q: float) -> None:
    spans = np.maximum(SHAPES[shape].astype(np.int64), 1)
    histogram = np.bincount([bin_of(int(ms)) for ms in spans], minlength=BINS)
    exact = np.quantile(spans, q, method="inverted_cdf")
    assert quantile(histogram, q) == pytest.approx(exact, rel=0.0443)


@given(st.lists(st.integers(40, 2_000_000), min_size=1, max_size=60), st.sampled_from(QUANTILES))
def test_a_percentile_of_any_values_is_within_its_bin(values: list[int], q: float) -> None:
    histogram = np.bincount([bin_of(ms) for ms in values], minlength=BINS)
    exact = np.quantile(values, q, method="inverted_cdf")
    assert quantile(histogram, q) == pytest.approx(exact, rel=0.0443)


@given(st.integers(0, 1200))
def test_a_percentile_needs_enough_values(n: int) -> None:
    histogram = np.zeros(BINS, dtype=np.int64)
    histogram[50] = n
    result = percentiles(histogram)
    assert {q for q, ms in result.items() if ms is not None} == {
        q for q in QUANTILES if n >= values_needed(q)
    }


def test_p99_needs_a_thousand_values() -> None:
    assert [values_needed(q) for q in QUANTILES] == [20, 100, 200, 1000]


@given(st.lists(st.integers(0, 400), min_size=1, max_size=40), st.sampled_from(QUANTILES))
def test_a_stepwise_percentile_always_has_enough_values(counts: list[int], q: float) -> None:
    histograms = np.zeros((len(counts), BINS), dtype=np.int64)
    histograms[:, 40] = counts
    result = stepwise_quantiles(histograms, q)
    assert len(result) == len(counts)
    if sum(counts) < values_needed(q):
        assert np.isnan(result).all()
        return
    assert not np.isnan(result).all()
    assert set(result[~np.isnan(result)]) == {
        quantiles(histograms.sum(axis=0, keepdims=True), q)[0]
    }


def test_a_stepwise_percentile_groups_no_more_steps_than_it_needs() -> None:
    histograms = np.zeros((6, BINS), dtype=np.int64)
    histograms[:4, 30], histograms[4:, 60] = 20, 20
    assert stepwise_quantiles(histograms, 0.5).tolist() == [
        *quantiles(histograms[[0, 1, 2, 3]], 0.5), *quantiles(histograms[[4, 5]], 0.5),
    ]  # fmt: skip
    pooled = stepwise_quantiles(histograms // 2, 0.5)
    assert pooled[0] == pooled[1] != pooled[4] == pooled[5]

"""The empty states, and the text for a store that is unavailable."""

from datetime import timedelta
from typing import Any

import pytest

from core.figures.filters import ALL, Filters
from core.model.errors import StoreUnavailable
from core.panels import empty
from core.panels.empty import Empty
from tests.panels.frames import NOW, ZONE

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (Empty.NOT_CONFIGURED, {"requested": 0, "ever": False, "unfiltered": 0}),
        (Empty.NO_TRAFFIC, {"requested": 0, "ever": True, "unfiltered": 0}),
        (Empty.FILTERED, {"requested": 0, "ever": True, "unfiltered": 9}),
        (Empty.TOO_FEW, {"requested": 3, "ever": True, "unfiltered": 3}),
        (Empty.QUIET, {"requested": 99, "ever": True, "unfiltered": 99}),
    ],
)
def test_each_empty_state_has_its_own_words(kind: Empty, given: dict[str, Any]) -> None:
    filters = Filters("sms") if kind is Empty.FILTERED else ALL
    lag = timedelta(hours=3) if kind is Empty.QUIET else timedelta(seconds=8)
    found = empty.empty_state(given["requested"], filters, ever=given["ever"],
                              unfiltered=given["unfiltered"], length=DAY, lag=lag)  # fmt: skip
    assert found is not None
    assert found[0] is kind
    assert "{" not in found[1]
    assert len({*empty.EMPTY_WORDS.values()}) == len(Empty)


def test_too_few_says_how_many() -> None:
    found = empty.empty_state(3, ALL, ever=True, unfiltered=3, length=DAY, lag=None)
    assert found is not None
    assert "(n=3)" in found[1]


def test_enough_traffic_is_no_empty_state() -> None:
    lag = timedelta(seconds=9)
    assert empty.empty_state(50, ALL, ever=True, unfiltered=50, length=DAY, lag=lag) is None


def test_old_news_is_no_delay_in_a_range_that_is_over() -> None:
    assert empty.empty_state(50, ALL, ever=True, unfiltered=50, length=DAY, lag=None) is None


@pytest.mark.parametrize(
    ("requested", "hours", "is_quiet"),
    [(20, 3, False), (20, 9, True), (2000, 0.9, False), (2000, 1.1, True)],
)
def test_a_gap_is_worth_a_word_only_if_it_is_long_for_the_traffic(
    requested: int, hours: float, is_quiet: bool
) -> None:
    lag = timedelta(hours=hours)
    found = empty.empty_state(requested, ALL, ever=True, unfiltered=requested, length=DAY, lag=lag)
    assert (found is not None) == is_quiet


def test_a_store_out_of_reach_names_the_last_good_moment_in_the_readers_zone() -> None:
    error = StoreUnavailable("Redis cannot be reached.", "Check that Redis is running.")
    said = empty.unreachable(error, NOW, NOW + timedelta(minutes=2), ZONE)
    assert "last good at 13:04:30" in said
    assert error.cause in said
    assert error.remedy in said
    never = empty.unreachable(error, None, NOW, ZONE)
    assert "since this app started" in never


def test_traffic_that_is_removed_between_the_two_counts_is_no_error() -> None:
    lag = timedelta(minutes=1)
    assert empty.empty_state(50, ALL, ever=True, unfiltered=0, length=DAY, lag=lag) is None

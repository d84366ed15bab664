"""Time filters and pages of lists."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from core.sandbox.api.paging import parse_filter, parse_page, parse_span
from core.sandbox.clock import SandboxClock
from core.sandbox.errors import Refusal
from core.sandbox.facts.moments import naive_utc

MICROSECONDS = st.integers(1_600_000_000_000_000, 2_000_000_000_000_000)


def request(query: str) -> Request:
    return Request({"type": "http", "query_string": query.encode(), "headers": []})


def fits(query: str, moment: float) -> bool:
    since, until = parse_span(request(query), "at", SandboxClock(1), 60)
    return since <= moment < until


@given(MICROSECONDS)
def test_a_moment_always_fits_the_filters_that_include_it(micros: int) -> None:
    moment, text = micros / 1e6, naive_utc(micros / 1e6)
    assert [fits(f"at{op}={text}", moment) for op in ("", "__gte", "__lte")] == [True] * 3
    assert [fits(f"at{op}={text}", moment) for op in ("__gt", "__lt")] == [False] * 2
    assert fits(f"at__gt={text}", (micros + 1) / 1e6)
    assert fits(f"at__lt={text}", (micros - 1) / 1e6)


def test_without_a_filter_only_the_last_span_is_listed() -> None:
    now = datetime.now(UTC).timestamp()
    assert fits("", now - 59)
    assert not fits("", now - 61)


def test_a_filter_can_omit_seconds_and_fractions() -> None:
    assert parse_filter("at", "2026-01-02 03:04") == parse_filter("at", "2026-01-02 03:04:00.0")


def test_a_page_beyond_twenty_is_refused() -> None:
    with pytest.raises(Refusal, match="1 to 20"):
        parse_page(request("limit=21"))


@pytest.mark.parametrize("text", ["1_0", "%EF%BC%95", "%205", "5.0", "", "9" * 5000])
def test_only_ascii_digits_are_a_whole_number(text: str) -> None:
    with pytest.raises(Refusal, match="limit must be a whole number"):
        parse_page(request(f"limit={text}"))

"""Formats of moments, and simulated durations."""

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sandbox.app import KOLKATA
from core.sandbox.clock import SandboxClock
from core.sandbox.facts.moments import iso_utc, naive_utc, naive_utc_second, zoned

MOMENT = 1724245131.94772


def test_records_write_the_accounts_zone_and_trim_the_fraction() -> None:
    assert zoned(MOMENT, KOLKATA) == "2024-08-21 18:28:51.94772+05:30"
    assert zoned(1724245131, KOLKATA) == "2024-08-21 18:28:51+05:30"
    assert zoned(1724245131, UTC) == "2024-08-21 12:58:51+00:00"
    assert zoned(None, KOLKATA) is None


def test_callbacks_and_handset_write_utc() -> None:
    assert naive_utc(MOMENT) == "2024-08-21 12:58:51.947720"
    assert naive_utc_second(MOMENT) == "2024-08-21 12:58:51"
    assert iso_utc(MOMENT) == "2024-08-21T12:58:51.947720Z"


def test_the_clock_counts_whole_microseconds() -> None:
    clock = SandboxClock(1)
    assert all((now := clock.now()) == round(now, 6) for _ in range(100))


@given(speed=st.floats(0.1, 1000), seconds=st.floats(0, 1000))
def test_a_span_is_always_shortened_by_the_speed(speed: float, seconds: float) -> None:
    clock = SandboxClock(speed)
    now = clock.now()
    assert clock.after(seconds) - now == pytest.approx(seconds / speed, abs=0.5)
    assert clock.simulated(now, now + 10) == pytest.approx(10 * speed)
    assert clock.simulated(now, now - 10) == 0

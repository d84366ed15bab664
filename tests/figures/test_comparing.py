"""Compared ranges are equally long, read exactly and covered; what is read is what is returned."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.figures.comparing import Compared, compare
from core.figures.layout import TIERS, Tier
from core.figures.ranges import (
    Comparison,
    Preset,
    Range,
    between,
    pieces,
    preset,
    read_range,
    ripe_range,
)
from core.figures.steps import steps
from core.model.clock import from_ms, to_ms

NOW = datetime(2026, 11, 24, 12, 4, 30, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=399)
UTC_ZONE = ZoneInfo("UTC")
ZONES = ["UTC", "Asia/Kathmandu", "America/Los_Angeles", "Australia/Lord_Howe", "Europe/Berlin"]
COMPARISONS = [Comparison.PREVIOUS, Comparison.WEEKDAY, Comparison.YEAR]

moments = st.integers(0, 400 * 24 * 60 * 60).map(lambda seconds: NOW - timedelta(seconds=seconds))
spans = st.tuples(moments, moments).map(lambda two: Range(min(two), max(two)))


def compared(
    period: Range,
    comparison: Comparison,
    zone: str = "UTC",
    age: timedelta | None = None,
    first: datetime | None = LONG_AGO,
    now: datetime = NOW,
) -> Compared | None:
    part = period if age is None else ripe_range(period, age, now)
    return compare(period, part, comparison, ZoneInfo(zone), now, first)


@given(
    st.one_of(spans, st.sampled_from(list(Preset)).map(lambda name: preset(name, NOW, UTC_ZONE))),
    st.sampled_from(COMPARISONS),
    st.sampled_from(ZONES),
    st.sampled_from([None, timedelta(seconds=30), timedelta(minutes=5)]),
)
def test_two_compared_ranges_are_as_long_read_exactly_and_covered(
    period: Range, comparison: Comparison, zone: str, age: timedelta | None
) -> None:
    result = compared(period, comparison, zone, age)
    if result is None:
        return
    for span in (result.now, result.before):
        assert read_range(span, NOW) == span
        cut = pieces(span, NOW)
        assert (cut[0].start_ms, cut[-1].end_ms) == (to_ms(span.start), to_ms(span.end))
    assert result.before.start < result.now.start
    assert result.before.start >= LONG_AGO
    local = [
        tuple(moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for moment in edges)
        for edges in (
            (result.now.start, result.now.end),
            (result.before.start, result.before.end),
        )
    ]
    assert (
        result.now.length == result.before.length
        or local[0][1] - local[0][0] == local[1][1] - local[1][0]
    )


@given(spans, st.sampled_from([TIERS, (Tier.QUARTER, Tier.HOUR, Tier.DAY), (Tier.DAY,)]))
def test_the_range_read_is_that_of_the_slots(period: Range, tiers: tuple[Tier, ...]) -> None:
    read, cut = read_range(period, NOW, tiers), pieces(period, NOW, tiers)
    if cut:
        assert read.start == from_ms(cut[0].start_ms)
        # A slot that lasts until after now is empty from now on.
        assert read.end == min(from_ms(cut[-1].end_ms), max(NOW, period.end))


def test_a_quarter_of_an_hour_is_compared_with_last_week_by_whole_quarters() -> None:
    result = compared(preset(Preset.QUARTER, NOW, UTC_ZONE), Comparison.WEEKDAY)
    assert result is not None
    week = timedelta(weeks=1)
    begin, end = NOW.replace(minute=45, hour=11, second=0), NOW.replace(minute=0, second=0)
    assert (result.now.start, result.now.end) == (begin, end)
    assert (result.before.start, result.before.end) == (begin - week, end - week)


def test_an_hour_is_not_compared_with_last_year_of_which_only_days_are_kept() -> None:
    assert compared(preset(Preset.HOUR, NOW, UTC_ZONE), Comparison.YEAR) is None
    day = compared(preset(Preset.YESTERDAY, NOW, UTC_ZONE), Comparison.YEAR)
    assert day is not None
    assert day.before.start == datetime(2025, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "days"),
    [(Preset.TODAY, 1), (Preset.YESTERDAY, 1), (Preset.WEEK, 7), (Preset.MONTH, 30)],
)
@pytest.mark.parametrize(
    ("zone", "changed"),
    [
        ("Europe/Berlin", "2026-03-29"),
        ("Europe/Berlin", "2026-10-25"),
        ("America/New_York", "2026-03-08"),
        ("America/New_York", "2026-11-01"),
        ("Australia/Lord_Howe", "2026-04-05"),
        ("Australia/Lord_Howe", "2026-10-04"),
    ],
)
def test_days_are_compared_with_the_same_hours_across_a_change_of_clocks(
    name: Preset, days: int, zone: str, changed: str
) -> None:
    clocks = ZoneInfo(zone)
    for after in range(-1, 3):
        for hour in (1, 4, 23):
            now = datetime.fromisoformat(f"{changed}T{hour:02}:40").replace(tzinfo=clocks)
            now = (now + timedelta(days=after)).astimezone(UTC)
            first = now - timedelta(days=99)
            result = compared(
                preset(name, now, clocks), Comparison.PREVIOUS, zone, first=first, now=now
            )
            assert result is not None
            for edge, earlier in (
                (result.now.start, result.before.start),
                (result.now.end, result.before.end),
            ):
                local, then = edge.astimezone(clocks), earlier.astimezone(clocks)
                assert local.date() - then.date() == timedelta(days=days)
                # An hour that the clocks skip is that of the next one.
                assert local.time() == then.time() or then.replace(tzinfo=None) != (
                    local.replace(tzinfo=None) - timedelta(days=days)
                ) == _skipped(local.replace(tzinfo=None) - timedelta(days=days), clocks)


def _skipped(local: datetime, zone: ZoneInfo) -> datetime | None:
    """The local time itself if the clocks skip it."""
    back = local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    return None if back == local else local


def test_no_change_is_shown_against_a_period_that_begins_before_the_history() -> None:
    today = preset(Preset.TODAY, NOW, UTC_ZONE)
    midnight = today.start - timedelta(days=1)
    assert compared(today, Comparison.PREVIOUS, first=midnight) is not None
    assert compared(today, Comparison.PREVIOUS, first=midnight + timedelta(minutes=15)) is None
    assert compared(today, Comparison.PREVIOUS, first=None) is None


def test_the_range_of_a_rate_and_the_one_compared_with_end_at_the_same_age() -> None:
    hour = preset(Preset.HOUR, NOW, UTC_ZONE)
    result = compared(hour, Comparison.PREVIOUS, age=timedelta(minutes=5))
    assert result is not None
    assert result.now.end == NOW.replace(minute=59, hour=11, second=0)
    assert result.before.end == result.now.end - timedelta(hours=1)
    assert ripe_range(hour, timedelta(seconds=30), NOW).end == NOW.replace(second=0)


def test_a_range_that_is_over_is_ripe_as_a_whole() -> None:
    period = preset(Preset.YESTERDAY, NOW, UTC_ZONE)
    assert ripe_range(period, timedelta(minutes=10), NOW) == period


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kolkata", "Asia/Kathmandu"])
def test_ninety_days_are_days_of_the_zone(zone: str) -> None:
    clocks = ZoneInfo(zone)
    drawn = steps(preset(Preset.SEASON, NOW, clocks), NOW, clocks)
    assert len(drawn.starts) == 90
    local = [from_ms(edge).astimezone(clocks) for edge in drawn.starts]
    assert {(moment.hour, moment.minute) for moment in local} == {(0, 0)}
    assert local[-1].date() == NOW.astimezone(clocks).date()


def test_days_of_which_only_utc_is_kept_are_steps_of_utc() -> None:
    zone = ZoneInfo("America/Los_Angeles")
    period = between(NOW - timedelta(days=399), NOW, NOW)
    drawn = steps(period, NOW, zone)
    assert drawn.zone == UTC_ZONE
    assert all(edge % Tier.DAY.slot_ms == 0 for edge in drawn.edges)
    read = read_range(period, NOW)
    assert (read.start.hour, read.end) == (0, NOW)


@pytest.mark.parametrize(
    ("start", "end"),
    [(1, 2), (0, 0), (-1, -1), (-500, -450), (400, -500)],
    ids=["future", "now", "empty", "older than all", "swapped and too long"],
)
def test_a_range_beyond_what_is_kept_is_cut_and_never_negative(start: int, end: int) -> None:
    period = between(NOW + timedelta(days=start), NOW + timedelta(days=end), NOW)
    assert period.start <= period.end <= NOW
    read = read_range(period, NOW)
    assert read.start <= read.end <= NOW
    for comparison in COMPARISONS:
        result = compared(period, comparison)
        assert result is None or result.before.start >= LONG_AGO
    drawn = steps(period, NOW, ZoneInfo("Asia/Kathmandu"))
    assert drawn.edges == sorted(drawn.edges)
    assert bool(drawn.pieces) == (period.start < period.end)


def test_a_range_within_one_quarter_is_compared_by_that_quarter() -> None:
    period = Range(NOW.replace(hour=9, minute=1), NOW.replace(hour=9, minute=10))
    result = compared(period, Comparison.WEEKDAY)
    assert result is not None
    assert result.now.start == NOW.replace(hour=9, minute=0, second=0)
    assert result.now.length == result.before.length == timedelta(minutes=15)

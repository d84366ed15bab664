"""Presets mean what they say, and ranges count every slot once."""

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.figures.layout import Tier
from core.figures.ranges import (
    Comparison,
    Preset,
    Range,
    between,
    comparison_range,
    pieces,
    preset,
)
from core.figures.steps import steps
from core.model.clock import from_ms, to_ms

NOW = datetime(2026, 11, 24, 12, 4, 30, tzinfo=UTC)
KATHMANDU = ZoneInfo("Asia/Kathmandu")
ZONES = ["UTC", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe", "Europe/Berlin"]

moments = st.integers(0, 400 * 24 * 60).map(lambda minutes: NOW - timedelta(minutes=minutes))
spans = st.tuples(moments, moments).map(lambda two: Range(min(two), max(two)))


@given(spans)
def test_the_pieces_of_a_range_follow_each_other_and_cover_it(period: Range) -> None:
    result = pieces(period, NOW)
    if period.start == period.end:
        assert result == []
        return
    for piece, following in itertools.pairwise(result):
        assert piece.end_ms == following.start_ms
    assert all(piece.slots > 0 and piece.start_ms % piece.tier.slot_ms == 0 for piece in result)
    assert result[0].start_ms <= to_ms(period.start)
    assert result[-1].end_ms >= to_ms(period.end)


@given(spans)
def test_a_range_of_kept_slots_is_cut_to_the_minute(period: Range) -> None:
    if not (NOW - timedelta(hours=47) <= period.start < period.end):
        return
    start = period.start.replace(second=0)
    result = pieces(Range(start, period.end), NOW)
    assert result[0].start_ms == to_ms(start)
    assert result[-1].end_ms - to_ms(period.end) < 60_000


@given(spans)
def test_no_piece_is_of_a_tier_that_has_expired(period: Range) -> None:
    for piece in pieces(period, NOW):
        if piece.tier is not Tier.DAY:
            assert to_ms(NOW) < piece.tier.expires_ms(piece.start_ms)


@given(spans)
def test_a_range_of_any_length_has_few_slots(period: Range) -> None:
    assert sum(piece.slots for piece in pieces(period, NOW)) < 401 + 2 * 95 + 2 * 14


@given(st.sampled_from(ZONES), st.integers(1, 33))
def test_local_days_are_exact_while_quarters_are_kept(zone: str, days: int) -> None:
    local = NOW.astimezone(ZoneInfo(zone))
    day = (local - timedelta(days=days)).date()
    start, end = (
        datetime(d.year, d.month, d.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        for d in (day, day + timedelta(days=1))
    )
    result = pieces(Range(start, end), NOW)
    assert (result[0].start_ms, result[-1].end_ms) == (to_ms(start), to_ms(end))


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        (Preset.QUARTER, "2026-11-24T11:49:00", "2026-11-24T12:04:30"),
        (Preset.HOUR, "2026-11-24T11:04:00", "2026-11-24T12:04:30"),
        (Preset.DAY, "2026-11-23T12:00:00", "2026-11-24T12:04:30"),
        (Preset.TODAY, "2026-11-23T18:15:00", "2026-11-24T12:04:30"),
        (Preset.YESTERDAY, "2026-11-22T18:15:00", "2026-11-23T18:15:00"),
        (Preset.WEEK, "2026-11-17T18:15:00", "2026-11-24T12:04:30"),
    ],
)
def test_a_preset_starts_with_a_whole_minute_quarter_hour_or_day(
    name: Preset, start: str, end: str
) -> None:
    result = preset(name, NOW, KATHMANDU)
    begins, ends = (datetime.fromisoformat(t).replace(tzinfo=UTC) for t in (start, end))
    assert result == Range(begins, ends)


@given(spans, st.sampled_from([Comparison.PREVIOUS, Comparison.WEEKDAY, Comparison.YEAR]))
def test_a_comparison_is_as_long_and_does_not_overlap(
    period: Range, comparison: Comparison
) -> None:
    if period.start == period.end:
        return
    compared = comparison_range(period, comparison, ZoneInfo("UTC"))
    assert compared is not None
    assert compared.length == period.length
    if comparison is not Comparison.YEAR or period.length <= timedelta(days=364):
        assert compared.end <= period.start
    if comparison is not Comparison.PREVIOUS:
        assert compared.start.weekday() == period.start.weekday()
        assert compared.start.time() == period.start.time()


@given(spans, st.sampled_from(ZONES))
def test_steps_cover_the_range_and_lie_on_slots(period: Range, zone: str) -> None:
    drawn = steps(period, NOW, ZoneInfo(zone))
    edges = drawn.edges
    assert edges == sorted(set(edges))
    assert edges[0] <= to_ms(period.start)
    assert edges[-1] >= to_ms(period.end)
    assert len(edges) <= 403
    # Each slot lies within a step, and together they are those of the range.
    for piece in drawn.pieces:
        for edge in edges:
            inside = piece.start_ms < edge < piece.end_ms
            assert not inside or (edge - piece.start_ms) % piece.tier.slot_ms == 0
    whole = pieces(period, NOW)
    if whole:
        assert drawn.pieces[0].start_ms == whole[0].start_ms
        assert drawn.pieces[-1].end_ms == whole[-1].end_ms


def test_the_days_of_a_month_are_those_of_the_zone() -> None:
    period = preset(Preset.MONTH, NOW, KATHMANDU)
    drawn = steps(period, NOW, KATHMANDU)
    local = [from_ms(edge).astimezone(KATHMANDU) for edge in drawn.edges]
    assert drawn.zone == KATHMANDU
    assert len(drawn.edges) == 31
    assert {piece.strftime("%H:%M") for piece in local} == {"00:00"}


#: Zones with their changes of clocks in 2026: forward and back, some of half an hour.
CHANGES = [
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Africa/Cairo", "2026-04-24"),
]
FIRST = datetime(2025, 2, 1, tzinfo=UTC)


def test_a_range_that_begins_in_a_skipped_hour_is_not_turned_around() -> None:
    """02:30 does not exist on that day, and stands for the moment that is 03:30."""
    zone = ZoneInfo("America/New_York")
    first, second = (datetime(2026, 3, 8, *time, tzinfo=zone) for time in ((2, 30), (3, 10)))
    period = between(first, second, datetime(2026, 3, 8, 7, 20, tzinfo=UTC))
    assert period.start == second
    assert period.length == timedelta(minutes=10)


@pytest.mark.parametrize("comparison", [Comparison.WEEKDAY, Comparison.YEAR])
@pytest.mark.parametrize(("name", "changed"), CHANGES)
def test_the_same_weekday_has_the_same_local_hours_across_a_change_of_clocks(
    name: str, changed: str, comparison: Comparison
) -> None:
    zone = ZoneInfo(name)
    # Noon to two, a week from before the change to after it; a year ago it was on another date.
    for days in range(1, 7):
        noon = datetime.fromisoformat(f"{changed}T12:00").replace(tzinfo=zone)
        start = noon + timedelta(days=days)
        period = Range(start.astimezone(UTC), (start + timedelta(hours=2)).astimezone(UTC))
        compared = comparison_range(period, comparison, zone)
        assert compared is not None
        assert compared.length == period.length
        begins, ends = compared.start.astimezone(zone), compared.end.astimezone(zone)
        assert (begins.hour, begins.minute, ends.hour) == (12, 0, 14)
        assert begins.weekday() == start.weekday()


@given(
    st.integers(0, 700 * 24 * 60).map(lambda n: FIRST + timedelta(minutes=n)),
    st.timedeltas(timedelta(minutes=1), timedelta(days=40)),
    st.sampled_from(CHANGES),
    st.sampled_from(list(Comparison)),
)
def test_a_comparison_is_never_empty_and_never_later(
    start: datetime, length: timedelta, change: tuple[str, str], comparison: Comparison
) -> None:
    period = Range(start, start + length)
    compared = comparison_range(period, comparison, ZoneInfo(change[0]))
    if compared is not None:
        assert compared.start < compared.end
        assert compared.start < period.start
        assert abs(compared.length - length) <= timedelta(hours=2)

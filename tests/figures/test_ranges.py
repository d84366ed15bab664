"""Spans of time: what presets mean, and that no slot is counted twice or left out."""

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.figures.layout import Tier
from core.figures.ranges import Comparison, Preset, Range, comparison_range, pieces, preset, steps
from core.model.clock import from_ms, to_ms

NOW = datetime(2026, 11, 24, 12, 4, 30, tzinfo=UTC)
KATHMANDU = ZoneInfo("Asia/Kathmandu")
ZONES = ["UTC", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe", "Europe/Berlin"]

moments = st.integers(0, 400 * 24 * 60).map(lambda minutes: NOW - timedelta(minutes=minutes))
spans = st.tuples(moments, moments).map(lambda two: Range(min(two), max(two)))


@given(spans)
def test_the_pieces_of_a_range_follow_each_other_and_cover_it(chosen: Range) -> None:
    found = pieces(chosen, NOW)
    if chosen.start == chosen.end:
        assert found == []
        return
    for one, following in itertools.pairwise(found):
        assert one.end_ms == following.start_ms
    assert all(one.slots > 0 and one.start_ms % one.tier.slot_ms == 0 for one in found)
    assert found[0].start_ms <= to_ms(chosen.start)
    assert found[-1].end_ms >= to_ms(chosen.end)


@given(spans)
def test_a_range_of_kept_slots_is_cut_to_the_minute(chosen: Range) -> None:
    if not (NOW - timedelta(hours=47) <= chosen.start < chosen.end):
        return
    start = chosen.start.replace(second=0)
    found = pieces(Range(start, chosen.end), NOW)
    assert found[0].start_ms == to_ms(start)
    assert found[-1].end_ms - to_ms(chosen.end) < 60_000


@given(spans)
def test_no_piece_is_of_a_tier_that_has_ended(chosen: Range) -> None:
    for piece in pieces(chosen, NOW):
        if piece.tier is not Tier.DAY:
            assert to_ms(NOW) < piece.tier.expires_ms(piece.start_ms)


@given(spans)
def test_however_long_a_range_its_slots_are_few(chosen: Range) -> None:
    assert sum(piece.slots for piece in pieces(chosen, NOW)) < 401 + 2 * 95 + 2 * 14


@given(st.sampled_from(ZONES), st.integers(1, 33))
def test_local_days_are_exact_while_quarters_are_kept(zone: str, days: int) -> None:
    local = NOW.astimezone(ZoneInfo(zone))
    day = (local - timedelta(days=days)).date()
    start, end = (
        datetime(d.year, d.month, d.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        for d in (day, day + timedelta(days=1))
    )
    found = pieces(Range(start, end), NOW)
    assert (found[0].start_ms, found[-1].end_ms) == (to_ms(start), to_ms(end))


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
def test_a_preset_starts_where_people_would_say(name: Preset, start: str, end: str) -> None:
    found = preset(name, NOW, KATHMANDU)
    assert found == Range(*(datetime.fromisoformat(t).replace(tzinfo=UTC) for t in (start, end)))


@given(spans, st.sampled_from([Comparison.PREVIOUS, Comparison.WEEKDAY, Comparison.YEAR]))
def test_a_comparison_is_as_long_and_does_not_overlap(chosen: Range, by: Comparison) -> None:
    other = comparison_range(chosen, by, ZoneInfo("UTC"))
    assert other is not None
    assert other.length == chosen.length
    if by is not Comparison.YEAR or chosen.length <= timedelta(days=364):
        assert other.end <= chosen.start
    if by is not Comparison.PREVIOUS:
        assert other.start.weekday() == chosen.start.weekday()
        assert other.start.time() == chosen.start.time()


@given(spans, st.sampled_from(ZONES))
def test_steps_cover_the_range_and_lie_on_slots(chosen: Range, zone: str) -> None:
    tier, edges = steps(chosen, NOW, ZoneInfo(zone))
    assert edges == sorted(set(edges))
    assert edges[0] <= to_ms(chosen.start)
    assert edges[-1] >= to_ms(chosen.end)
    assert all(edge % tier.slot_ms == 0 for edge in edges)
    assert len(edges) <= 402


def test_the_days_of_a_month_are_those_of_the_zone() -> None:
    chosen = preset(Preset.MONTH, NOW, KATHMANDU)
    tier, edges = steps(chosen, NOW, KATHMANDU)
    local = [from_ms(edge).astimezone(KATHMANDU) for edge in edges]
    assert tier is Tier.QUARTER
    assert len(edges) == 31
    assert {one.strftime("%H:%M") for one in local} == {"00:00"}


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


@pytest.mark.parametrize("by", [Comparison.WEEKDAY, Comparison.YEAR])
@pytest.mark.parametrize(("name", "changed"), CHANGES)
def test_the_same_weekday_has_the_same_local_hours_across_a_change_of_clocks(
    name: str, changed: str, by: Comparison
) -> None:
    zone = ZoneInfo(name)
    # Noon to two, a week from before the change to after it; a year ago it was on another date.
    for days in range(1, 7):
        noon = datetime.fromisoformat(f"{changed}T12:00").replace(tzinfo=zone)
        start = noon + timedelta(days=days)
        chosen = Range(start.astimezone(UTC), (start + timedelta(hours=2)).astimezone(UTC))
        other = comparison_range(chosen, by, zone)
        assert other is not None
        assert other.length == chosen.length
        begins, ends = other.start.astimezone(zone), other.end.astimezone(zone)
        assert (begins.hour, begins.minute, ends.hour) == (12, 0, 14)
        assert begins.weekday() == start.weekday()


@given(
    st.integers(0, 700 * 24 * 60).map(lambda n: FIRST + timedelta(minutes=n)),
    st.timedeltas(timedelta(minutes=1), timedelta(days=40)),
    st.sampled_from(CHANGES),
    st.sampled_from(list(Comparison)),
)
def test_a_comparison_is_never_empty_and_never_later(
    start: datetime, length: timedelta, change: tuple[str, str], by: Comparison
) -> None:
    chosen = Range(start, start + length)
    other = comparison_range(chosen, by, ZoneInfo(change[0]))
    if other is not None:
        assert other.start < other.end
        assert other.start < chosen.start
        assert abs(other.length - length) <= timedelta(hours=2)

"""Which slots a verdict reads, and how places and changes are found in them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from core.figures.layout import Tier
from core.figures.ranges import Preset, Range, preset
from core.findings.change_point import Interval, change_interval
from core.findings.evidence import past_plan, step_plan
from core.findings.places import Level, TrafficPlace, TrafficPlaces
from core.findings.statistics import discovery_limit, excess_deviate, tail_probability
from core.model.clock import to_ms
from core.model.series import Series
from tests.findings.simulated import NOW

AT = datetime(2026, 11, 24, 0, 40, 20, tzinfo=UTC)


@pytest.mark.parametrize("name", list(Preset))
@pytest.mark.parametrize("now", [NOW, AT])
def test_steps_cover_the_range_and_no_slot_spans_an_edge(name: Preset, now: datetime) -> None:
    period = preset(name, now, ZoneInfo("UTC"))
    plan = step_plan(period, now, [now - timedelta(minutes=1), now - timedelta(minutes=5)])
    edges = plan.edges.tolist()
    assert edges == sorted(set(edges))
    assert len(edges) < 120
    assert edges[0] == plan.pieces[0].start_ms
    assert edges[0] <= to_ms(period.start) < edges[0] + Tier.QUARTER.slot_ms
    assert edges[-1] == plan.pieces[-1].end_ms >= to_ms(period.end)
    for before, after in zip(plan.pieces, plan.pieces[1:], strict=False):
        assert before.end_ms == after.start_ms
    begins = {
        piece.start_ms + n * piece.tier.slot_ms for piece in plan.pieces for n in range(piece.slots)
    }
    assert set(edges[:-1]) <= begins
    if plan.recent_ms is not None:
        assert plan.recent_ms in edges


def test_a_day_is_compared_with_whole_days_and_an_hour_with_the_same_hour() -> None:
    days = past_plan(Range(NOW - timedelta(hours=24), NOW), NOW)
    assert (len(days.starts), days.length) == (28, timedelta(days=1))
    assert days.pieces[-1].end_ms == to_ms(datetime(2026, 11, 23, tzinfo=UTC))
    hours = past_plan(Range(NOW - timedelta(hours=1), NOW), NOW)
    assert hours.length == timedelta(hours=1)
    assert hours.starts.tolist() == [
        to_ms(NOW - timedelta(hours=1, days=ago)) for ago in range(7, 0, -1)
    ]


def test_places_add_up_their_series_and_a_place_is_named_once() -> None:
    names = [
        Series.of("sms", "DE", "O2"),
        Series.of("sms", "ID", ""),
        Series.of("voice", "DE", "O2"),
    ]
    places = TrafficPlaces(names)
    sums = dict(zip(places.places, places.sums(np.array([1.0, 2.0, 4.0])).tolist(), strict=True))
    assert sums[TrafficPlace()] == 7
    assert (
        sums[TrafficPlace("sms")],
        sums[TrafficPlace(None, "DE")],
        sums[TrafficPlace("sms", "DE")],
    ) == (3, 5, 1)
    named = {
        place for place, is_named in zip(places.places, places.is_named, strict=True) if is_named
    }
    # The only carrier of a country stands for it; an unknown one does not.
    assert TrafficPlace(None, "DE", "O2") in named
    assert TrafficPlace(None, "DE") not in named
    assert TrafficPlace(None, "ID") in named
    assert TrafficPlace("voice") in named
    inside = places.parts(places.places.index(TrafficPlace()))
    assert len(inside) == len(Level) - 1


def test_the_change_is_found_where_it_begins_and_ends() -> None:
    n = np.full(24, 50.0)
    k = np.full(24, 2.0)
    k[9:15] = 30
    usual = np.full(24, 0.04)
    assert change_interval(k, n, usual) == Interval(9, 14)
    # Steps without attempts before it do not belong to it.
    n[5:9] = k[5:9] = 0
    assert change_interval(k, n, usual) == Interval(9, 14)
    assert change_interval(np.zeros(24), n, usual) is None


def test_many_comparisons_need_smaller_probabilities() -> None:
    assert discovery_limit(np.array([0.01] + [0.5] * 99), 0.05) == 0
    assert discovery_limit(np.array([0.0004] + [0.5] * 99), 0.05) == 0.0004
    assert discovery_limit(np.array([0.01] * 50 + [0.5] * 50), 0.05) == 0.01
    # Exact: P(X >= 5 of 30 at 3 %) is 0.0023.
    few = excess_deviate(np.array([5.0]), np.array([30.0]), np.array([0.9]))
    assert tail_probability(few, np.array([1e6]))[0] == pytest.approx(0.0023, rel=0.3)
    # Student's t with 10 degrees of freedom: 0.0007 above 4.4, not 0.000005.
    assert tail_probability(np.array([4.4]), np.array([10.0]))[0] == pytest.approx(7e-4, rel=0.1)

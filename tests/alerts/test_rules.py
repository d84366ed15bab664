"""The rules of alerts on generated hours: they find a drop and ignore chance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.alerts.hours import READ, WEEK, WINDOW, hours_between
from core.alerts.replay import DryRun, replay
from core.alerts.rules import (
    LEAST_HISTORY,
    WEEKS,
    Hours,
    Judgement,
    Measure,
    Rule,
    alpha,
    detectable_drop,
    judge_rate,
    judge_traffic,
)
from core.alerts.tails import binomial_tail
from core.model.series import Series

ALPHA = 1e-5
#: (requested, confirmed) of the hour now and of each week before; all within 60 seconds.
Row = tuple[tuple[int, int], list[tuple[int, int]]]


def hours(*rows: Row, parents: list[int] | None = None, weeks: int = WEEKS) -> Hours:
    """Hours of one moment, after so many weeks of traffic. Without parents, all rows are
    channels."""
    n = np.array([[now[0], *(one[0] for one in before)] for now, before in rows], dtype=float)
    x = np.array([[now[1], *(one[1] for one in before)] for now, before in rows], dtype=float)
    places = np.array(parents if parents else [len(rows)] * len(rows))
    tops = places == len(rows)
    n, x = (np.concatenate([part, part[tops].sum(axis=0, keepdims=True)]) for part in (n, x))
    return Hours(
        parents=places.astype(np.intp),
        ran=np.arange(WEEKS)[None] < weeks,
        requested=n[:, :1],
        requested_before=n[:, None, 1:],
        good={measure: x[:, :1] for measure in (Measure.CONFIRMED, Measure.WITHIN_60)},
        good_before={measure: x[:, None, 1:] for measure in (Measure.CONFIRMED, Measure.WITHIN_60)},
    )


def confirmed(judged_hours: Hours, limit: float = ALPHA) -> Judgement:
    return judge_rate(judged_hours, Measure.CONFIRMED, limit)


@pytest.mark.parametrize(
    ("n", "x", "rule"),
    [
        (600, 540, None),  # five points down
        (600, 500, Rule.EXACT),
        (100, 84, Rule.FIXED),  # eleven points: the exact rule does not see it
        (100, 86, None),
        (99, 83, None),  # too few for the fixed rule
        (30, 15, Rule.EXACT),
        (5, 0, Rule.EXACT),
        (3, 0, None),
    ],
)
def test_each_rule_sees_what_the_other_misses(n: int, x: int, rule: Rule | None) -> None:
    judged = confirmed(hours(((n, x), [(1000, 950)] * 4)))
    assert judged.rule(0, 0) is rule
    assert judged.baseline[0, 0] == pytest.approx(0.95)


@given(st.integers(1, 3000), st.integers(1, 99), st.data())
def test_the_exact_rule_is_the_tail_of_the_binomial(
    n: int, percent: int, data: st.DataObject
) -> None:
    x = data.draw(st.integers(0, n))
    judged = confirmed(hours(((n, x), [(10_000, 100 * percent)] * 4)))
    expected = binomial_tail(x, n, percent / 100 - 0.03) < ALPHA
    assert judged.exact[0, 0] == (expected and x / n < percent / 100 - 0.03)


def test_an_incident_in_one_week_does_not_lower_the_baseline() -> None:
    weeks = [(200, 190), (200, 10), (200, 190), (200, 190)]
    assert confirmed(hours(((200, 190), weeks))).baseline[0, 0] == pytest.approx(0.95)


def test_where_half_of_all_codes_arrive_ten_points_of_a_hundred_are_chance() -> None:
    assert confirmed(hours(((100, 38), [(100, 50)] * 4))).rule(0, 0) is None
    assert confirmed(hours(((1000, 380), [(1000, 500)] * 4))).rule(0, 0) is not None


def test_the_rate_of_a_small_country_is_shrunk_towards_its_channel() -> None:
    channel: Row = ((2000, 1900), [(2000, 1900)] * 4)
    alike: list[Row] = [((400, 380), [(400, 380)] * 4) for _ in range(4)]
    small: Row = ((6, 6), [(6, 3)] * 4)
    large: Row = ((400, 200), [(400, 200)] * 4)
    judgement = confirmed(hours(channel, *alike, small, large, parents=[7, 0, 0, 0, 0, 0, 0]))
    small_baseline, large_baseline = judgement.baseline[5, 0], judgement.baseline[6, 0]
    assert 0.6 < small_baseline < 0.8
    assert 0.5 <= large_baseline < 0.53
    # The more similar the other countries are, the more weight their rates have.
    judgement = confirmed(hours(channel, *alike, small, parents=[6, 0, 0, 0, 0, 0]))
    assert judgement.baseline[5, 0] > small_baseline


def test_without_attempts_or_without_history_there_is_no_data() -> None:
    quiet = confirmed(hours(((0, 0), [(100, 95)] * 4)))
    few = LEAST_HISTORY // WEEKS - 1
    new = confirmed(hours(((100, 5), [(few, few)] * 4)))
    assert quiet.silent.all()
    assert new.silent.all()
    assert np.isnan(new.baseline).all()


def test_an_hour_is_good_again_within_chance_of_its_baseline() -> None:
    baseline_hours = [(600, 570)] * 4
    assert confirmed(hours(((600, 562), baseline_hours))).good[0, 0]
    middle = confirmed(hours(((600, 530), baseline_hours)))
    assert not middle.good[0, 0]
    assert not middle.bad[0, 0]


@pytest.mark.parametrize(
    ("usual", "now", "bad"),
    [(0, 8, False), (0, 20, True), (5, 15, False), (5, 22, True), (1000, 1200, False)],
)
def test_many_attempts_at_once_are_a_spike(usual: int, now: int, bad: bool) -> None:
    judged = judge_traffic(hours(((now, 0), [(usual, 0)] * 4)), ALPHA)
    assert judged.rule(0, 0) is (Rule.SPIKE if bad else None)


def test_time_before_the_first_traffic_is_not_an_hour_without_attempts() -> None:
    row: Row = ((100, 95), [(90, 80), (0, 0), (0, 0), (0, 0)])
    assert judge_traffic(hours(row, weeks=1), ALPHA).baseline[0, 0] == 90
    assert judge_traffic(hours(row), ALPHA).bad.all()
    assert judge_traffic(hours(row, weeks=0), ALPHA).silent.all()


@given(st.integers(1, 5000), st.integers(1, 99))
def test_the_detectable_drop_is_the_smallest_that_is_bad(n: int, percent: int) -> None:
    baseline_hours = [(10_000, 100 * percent)] * 4
    baseline = percent / 100
    drop = float(detectable_drop(np.array([float(n)]), np.array([baseline]), ALPHA)[0])
    if np.isnan(drop):
        assert not confirmed(hours(((n, 0), baseline_hours))).bad[0, 0]
    else:
        x = round(n * (baseline - drop))
        assert confirmed(hours(((n, x), baseline_hours))).bad[0, 0]
        assert not confirmed(hours(((n, x + 1), baseline_hours))).bad[0, 0]


def test_alpha_is_shared_by_all_series() -> None:
    assert alpha(154) == pytest.approx(0.1 / (154 * 96 * 3))


# Weeks of traffic, replayed

QUARTERS = WEEKS * WEEK + WINDOW


def traffic(
    series: int, per_hour: float, days: float, seed: int = 7, rate: float = 0.95
) -> np.ndarray:
    """Healthy quarter-hours of one channel and its countries: four weeks, then so many days."""
    chance = np.random.default_rng(seed)
    shape = (series, QUARTERS + int(days * 96))
    requested = chance.poisson(per_hour / 4, shape)
    arrived = chance.binomial(requested, rate)
    countries = np.stack([requested, arrived, chance.binomial(arrived, 0.95), arrived], axis=-1)
    return np.concatenate([countries.sum(axis=0, keepdims=True), countries])


def run(quarters: np.ndarray) -> DryRun:
    names = [Series.of("sms"), *(Series.of("sms", f"{n:02d}") for n in range(len(quarters) - 1))]
    ran = np.ones((quarters.shape[1] - QUARTERS + 1, WEEKS), dtype=bool)
    return replay(names, hours_between(names, quarters, ran), 0, set(names))


@pytest.mark.parametrize("per_hour", [0.5, 5, 50, 500])
def test_a_healthy_week_of_fifty_countries_raises_no_alert(per_hour: float) -> None:
    result = run(traffic(50, per_hour, days=7))
    assert result.moments == []
    assert result.checks == 7 * 96 + 1


@pytest.mark.parametrize(
    ("per_hour", "rate", "checks"),
    [(600, 0.70, 3), (6000, 0.70, 2), (100, 0.70, 5), (30, 0.50, 6), (10, 0.30, 7)],
)
def test_an_incident_is_seen_in_time(per_hour: float, rate: float, checks: int) -> None:
    quarters = traffic(1, per_hour, days=1)
    begins = QUARTERS + 40
    sick = traffic(1, per_hour, days=1, rate=rate, seed=8)
    quarters[:, begins : begins + 12] = sick[:, begins : begins + 12]
    moments = [one for one in run(quarters).moments if one.measure is Measure.CONFIRMED]
    assert {one.series for one in moments} == {"sms", "sms/00"}
    for one in moments:
        fired = one.at.timestamp() / 900 - 40
        assert 2 <= fired <= checks
        assert one.until is not None


def test_an_incident_is_counted_once_with_all_that_it_explains() -> None:
    quarters = traffic(4, 200, days=1)
    at = slice(QUARTERS + 40, QUARTERS + 60)
    quarters[:, at, READ.index("confirmed")] //= 2
    quarters[:, at, READ.index("within_60")] //= 2
    result = run(quarters)
    assert result.fired == 1
    assert len(result.moments) == 2 * 5
    assert [one.series for one in result.moments if not one.under] == ["sms"]


def test_pumping_fires_for_its_country() -> None:
    quarters = traffic(20, 20, days=1)
    quarters[5, QUARTERS + 40 : QUARTERS + 52, READ.index("requested")] += 30
    quarters[5, QUARTERS + 40 : QUARTERS + 52, READ.index("confirmed")] += 30
    quarters[5, QUARTERS + 40 : QUARTERS + 52, READ.index("within_60")] += 30
    result = run(quarters)
    assert [(one.series, one.rule) for one in result.moments] == [("sms/04", Rule.SPIKE)]

"""What is usual: by hour and weekday, at equal ripeness, without incidents, for many series."""

from datetime import UTC, datetime

import numpy as np
import pytest

from core.alerts.baseline import DAYS, HOURS, PastFigures, UsualFigures, baseline
from core.alerts.evidence import threshold, usual_bad
from core.alerts.measures import ALERT_FIGURES, SHARE_OF, SHARES, Measure
from core.alerts.sequential import Floats, statistic
from core.alerts.slots import Slots
from core.alerts.traffic import stop_evidence
from core.model.clock import to_ms
from tests.benchmarks.alert_traffic import Traffic, midnight_of
from tests.benchmarks.alerts import DAY, Past, alarms, slots_of

MONDAY = datetime(2026, 3, 9, tzinfo=UTC)
SUNDAY = datetime(2026, 3, 15, tzinfo=UTC)
NIGHT = 3


def figures(requested: Floats, confirmed: Floats, in_time: float = 1.0) -> Floats:
    """(…, ALERT_FIGURES): every confirmed attempt by a receipt, and four in five by a code."""
    values = np.zeros((*requested.shape, len(ALERT_FIGURES)))
    by_name = {"requested": requested, "started": requested, "confirmed": confirmed}
    by_name |= {"delivered": confirmed, "within_60": confirmed * in_time}
    by_name |= {"verified": confirmed * 0.8, "converted": confirmed * 0.8}
    for name, counts in by_name.items():
        values[..., ALERT_FIGURES.index(name)] = counts
    return values


def past_of(days: Floats, hours: Floats | None = None) -> PastFigures:
    """Of one channel, from a Monday on. `hours`: (DAYS, 24, figures); None: all are equal."""
    whole, channel = np.zeros(1, np.intp), np.zeros(1, np.bool_)
    if hours is None:
        hours = np.repeat(days[:, None] / 24, 24, axis=1)
    return PastFigures(days[None], hours[None], 0, whole, np.full(1, 0.97), channel)


def usual_of(
    by_hour: Floats, good: Floats, days_good: Floats | None = None, in_time: float = 1.0
) -> UsualFigures:
    """Of one series: attempts and their good share by hour of the week, and the good share of each
    of the 28 days, from a Monday on."""
    hours = np.tile(figures(by_hour, by_hour * good, in_time).reshape(7, 24, -1), (4, 1, 1))
    requested = np.tile(by_hour.reshape(7, 24).sum(axis=1), 4)
    share = np.full(DAYS, float((by_hour * good).sum() / by_hour.sum()))
    days = figures(requested, requested * (share if days_good is None else days_good), in_time)
    return baseline(past_of(days, hours))


def hour(day: datetime, at: int) -> Slots:
    """The slot of an hour, without attempts."""
    start = np.array([to_ms(day) + at * 3_600_000], dtype=np.intp)
    return Slots({name: np.zeros((1, 1)) for name in ALERT_FIGURES}, start, start + 3_600_000, None)


def confirmed_bad(usual: UsualFigures, at: int) -> float:
    return float(usual_bad(Measure.CONFIRMED, hour(MONDAY, at), usual)[0, 0])


def test_a_share_has_its_baseline_by_hour_and_those_beside_it_as_clocks_change() -> None:
    good = np.full(HOURS, 0.96)
    good[NIGHT::24] = 0.6
    usual = usual_of(np.full(HOURS, 50.0), good)
    noon = confirmed_bad(usual, 12)
    assert noon < 0.1
    # The hour of the night, and the same local hour before and after a change of clocks.
    for at in (NIGHT - 1, NIGHT, NIGHT + 1):
        assert confirmed_bad(usual, at) > 2 * noon


def test_traffic_has_its_baseline_by_weekday() -> None:
    by_hour = np.full(HOURS, 60.0)
    by_hour[6 * 24 :] = 0.5
    usual = usual_of(by_hour, np.full(HOURS, 0.96))
    limit = threshold(Measure.TRAFFIC, usual)
    monday, sunday = (
        float(statistic(stop_evidence(hour(day, 12), usual)).value[0]) for day in (MONDAY, SUNDAY)
    )
    # An hour without attempts is an alert on a Monday, and usual on a Sunday.
    assert monday >= limit
    assert sunday < 1


def test_in_its_first_weeks_traffic_is_usual_by_the_weeks_that_there_were() -> None:
    requested = np.zeros(DAYS)
    requested[-14:] = 24 * 30.0
    past = past_of(figures(requested, requested))
    assert baseline(past).traffic == pytest.approx(np.full((1, HOURS), 30.0))


def test_traffic_of_a_few_days_such_as_pumping_cannot_stop() -> None:
    requested = np.zeros(DAYS)
    requested[-9:-7] = 24 * 30.0
    usual = baseline(past_of(figures(requested, requested)))
    assert usual.least_traffic.max() == 0
    requested[-7:] = 24 * 30.0
    usual = baseline(past_of(figures(requested, requested)))
    assert usual.least_traffic.max() > 0


def test_past_attempts_are_counted_at_the_age_of_the_present_ones() -> None:
    even, good = np.full(HOURS, 50.0), np.full(HOURS, 0.97)
    in_time, late = usual_of(even, good), usual_of(even, good, in_time=2 / 3)
    # In the end as many are confirmed, but after a minute a third of the receipts is missing.
    assert late.bad[Measure.CONFIRMED][0] > 1.5 * in_time.bad[Measure.CONFIRMED][0]
    assert late.bad[Measure.WITHIN_60][0] > 0.33
    assert late.bad[Measure.CONVERSION][0] == pytest.approx(in_time.bad[Measure.CONVERSION][0])


def test_the_baseline_does_not_learn_from_an_incident() -> None:
    even, good = np.full(HOURS, 50.0), np.full(HOURS, 0.96)
    days = np.full(DAYS, 0.96)
    usual = usual_of(even, good, days)
    days[[12, 20]] = (0.0, 0.5)
    after = usual_of(even, good, days)
    assert after.bad[Measure.CONFIRMED][0] == pytest.approx(
        usual.bad[Measure.CONFIRMED][0], rel=0.02
    )


def test_the_hour_of_an_incident_is_not_usual_on_the_days_after_it() -> None:
    """One hour of one day fails; so does the next one across midnight."""
    even, good = np.full(HOURS, 50.0), np.full(HOURS, 0.96)
    days = np.full(DAYS, 0.96)
    usual = usual_of(even, good, days)
    good[[24 + 14, 2 * 24 + 23, 3 * 24]] = 0.25
    after = usual_of(even, good, days)
    for at in range(24):
        assert confirmed_bad(after, at) == pytest.approx(confirmed_bad(usual, at)), at


def with_incident(share: float, hours_bad: int, history: int) -> UsualFigures:
    """Of 200 attempts a day: so many days before, of which the newest had an incident of some
    hours, in which so large a share was good."""
    requested, good = np.zeros((DAYS, 24)), np.full((DAYS, 24), 0.96)
    requested[-history:] = 200 / 24
    good[-1, :hours_bad] = share
    hours = figures(requested, requested * good)
    return baseline(past_of(hours.sum(axis=1), hours))


@pytest.mark.parametrize("hours_bad", [1, 6, 24])
@pytest.mark.parametrize("history", [2, 7, 28])
def test_an_incident_of_yesterday_is_no_baseline_in_the_first_days_either(
    hours_bad: int, history: int
) -> None:
    usual = with_incident(0.96, 0, history)
    after = with_incident(0.0, hours_bad, history)
    # A day with one bad hour of 24 may be chance where there is one day to compare it with.
    most = 2.2 if (hours_bad, history) == (1, 2) else 1.35
    for at in range(24):
        assert confirmed_bad(after, at) <= most * confirmed_bad(usual, at), at


def pumped(history: int, days: int, an_hour: float) -> UsualFigures:
    """Of 200 attempts a day: so many days, of which some a week ago were pumped."""
    requested = np.zeros((DAYS, 24))
    requested[-history:] = 200 / 24
    hours = figures(requested, requested * 0.96)
    hours[-6 - days : -6, :, ALERT_FIGURES.index("requested")] += an_hour
    return baseline(past_of(hours.sum(axis=1), hours))


@pytest.mark.parametrize("days", [1, 2])
@pytest.mark.parametrize("history", [8, 14, 28])
def test_the_baseline_of_traffic_does_not_learn_from_pumping(history: int, days: int) -> None:
    """So it is found again on the same weekday, and traffic as before is not called stopped."""
    usual, after = pumped(history, 0, 0), pumped(history, days, 120)
    assert after.verified == pytest.approx(usual.verified)
    assert after.most_traffic == pytest.approx(usual.most_traffic)
    assert (after.least_traffic <= usual.least_traffic * 1.0001).all()


def test_a_weekday_without_traffic_a_week_ago_makes_usual_traffic_no_pumping() -> None:
    """A first day that begins at noon, and a day of an outage."""
    requested = np.zeros((DAYS, 24))
    requested[-7:], requested[-7, :12], requested[-5] = 100, 0, 0
    hours = figures(requested, requested * 0.96)
    usual = baseline(past_of(hours.sum(axis=1), hours))
    for at in (3, 2 * 24 + 9):
        assert usual.most_traffic[0, at] > 70
        assert usual.least_traffic[0, at] == 0


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_refused_sends_of_one_day_are_no_past(share: float) -> None:
    requested, refused = np.full((DAYS, 24), 100.0), np.zeros((DAYS, 24))
    requested[-1], refused[-1] = 100 * (1 - share), 100 * share
    hours = figures(requested, requested * 0.96)
    hours[..., ALERT_FIGURES.index("refused")] = refused
    usual = baseline(past_of(hours.sum(axis=1), hours))
    assert usual.bad[Measure.REFUSED][0] == SHARE_OF[Measure.REFUSED].without_past


def test_with_more_series_each_needs_more_evidence() -> None:
    usual = usual_of(np.full(HOURS, 5.0), np.full(HOURS, 0.96))
    many = UsualFigures(
        **{name: getattr(usual, name) for name in UsualFigures.__slots__}
        | {"per_day": {measure: np.tile(n, 100) for measure, n in usual.per_day.items()}}
    )
    more = threshold(Measure.CONFIRMED, many) - threshold(Measure.CONFIRMED, usual)
    assert more == pytest.approx(np.log(100))


@pytest.mark.parametrize("per_day", [2_000, 20_000])
@pytest.mark.parametrize(
    "changed", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)]
)
def test_late_receipts_and_changed_clocks_raise_no_alert(per_day: int, changed: datetime) -> None:
    traffic = Traffic(np.random.default_rng(2), per_day, late=1 / 3)
    first = (changed - midnight_of(0)).days
    usual = Past(traffic, first).usual()
    days = [traffic.day(midnight_of(day), DAY)[0] for day in (first, first + 1)]
    begin_ms = to_ms(midnight_of(first))
    slots = slots_of(np.concatenate(days, axis=1), begin_ms)
    for measure in (*(share.measure for share in SHARES), Measure.TRAFFIC):
        assert not alarms(slots, usual, measure).any(), measure


def test_the_window_of_an_alert_fits_the_traffic() -> None:
    """The same failure: minutes of a busy series are enough, of a small one it takes hours."""
    minutes = {}
    for an_hour in (600.0, 2.0):
        usual = usual_of(np.full(HOURS, an_hour), np.full(HOURS, 0.96))
        requested = np.zeros((1, 2 * DAY))
        every = int(max(1, 60 / an_hour))
        requested[:, ::every] = an_hour * every / 60
        confirmed = requested.copy()
        confirmed[:, DAY:] = 0.0
        slots = slots_of(figures(requested, confirmed), to_ms(MONDAY))
        fired = alarms(slots, usual, Measure.CONFIRMED)[0]
        minutes[an_hour] = int(fired.argmax())
    assert minutes[600.0] <= 2
    assert 60 <= minutes[2.0] <= 6 * 60

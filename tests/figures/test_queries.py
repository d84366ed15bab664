"""Query results equal what pandas computes from the same attempts."""

import itertools
from datetime import timedelta
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pandas as pd
import pytest

from core.figures.catalogue import QUERY_COLUMNS
from core.figures.filters import ALL, Filters
from core.figures.layout import BINS
from core.figures.queries import Queries
from core.figures.ranges import Comparison, Preset, Range, comparison_range, preset
from core.figures.rates import values_needed
from core.figures.ripeness import Ripeness
from core.model.attempt import EventKind
from core.model.clock import from_ms
from tests.benchmarks.ledger import attempts, bins_of, callbacks, requests, truth
from tests.figures.bins import bin_of
from tests.figures.test_rollups import ReportedAttempt
from tests.web.rest.conftest import rest as rest
from tests.world import FrozenClock, World

UTC_ZONE = ZoneInfo("UTC")


@pytest.fixture
def traffic(at: World) -> pd.DataFrame:
    """Attempts of the last 40 hours, in the ledger and as a frame with what each adds."""
    frame = attempts(400, seed=5)
    numbers = np.arange(4 * len(frame)).reshape(-1, 4)
    once = np.concatenate([numbers[:, :3].ravel(), numbers[frame["verified"] > 0, 3]])
    ledger = at.services.ledger
    ledger.apply_all(requests(frame))
    ledger.apply_all(callbacks(frame, once))
    # A reading waits for a second at most, which a busy machine may exceed.
    at.services.fold.settle(60)
    added = truth(frame)
    added["pending"] = 0
    return frame.join(added.add_suffix("_n"))


def figures(rows: pd.DataFrame) -> dict[str, int]:
    return {name: int(rows[f"{name}_n"].sum()) for name in QUERY_COLUMNS}


def within(rows: pd.DataFrame, period: Range) -> pd.DataFrame:
    start, end = period.start.timestamp() * 1000, period.end.timestamp() * 1000
    return rows[(rows["requested"] >= start) & (rows["requested"] < end)]


def period_of(at: World, name: Preset) -> Range:
    return preset(name, at.clock.now(), UTC_ZONE)


PLACES = [
    ALL,
    Filters("sms"),
    Filters("voice", "DE"),
    Filters(None, "IN"),
    Filters("sms", "DE", "O2"),
]


def test_totals_are_those_of_the_attempts_in_the_range(at: World, traffic: pd.DataFrame) -> None:
    for name, filters in itertools.product(
        [Preset.SIX_HOURS, Preset.DAY, Preset.YESTERDAY, Preset.WEEK], PLACES
    ):
        period = period_of(at, name)
        rows = within(traffic, period)
        for column, value in zip(
            ("channel", "region", "carrier"),
            (filters.channel, filters.country, filters.carrier),
            strict=True,
        ):
            if value is not None:
                rows = rows[rows[column] == value]
        totals = at.services.queries.totals(period, filters)
        assert totals.to_dict() == figures(rows), (name, filters)


def test_steps_add_up_to_the_totals_and_hold_what_is_theirs(
    at: World, traffic: pd.DataFrame
) -> None:
    for name, zone in itertools.product(
        [Preset.HOUR, Preset.DAY, Preset.WEEK, Preset.MONTH],
        [ZoneInfo("UTC"), ZoneInfo("Asia/Kathmandu")],
    ):
        period = preset(name, at.clock.now(), zone)
        frame = at.services.queries.over_time(period, zone=zone)
        assert frame["requested"].sum() == len(within(traffic, period)), (name, zone)
        assert not frame["complete"].iloc[-1] or frame.index[-1] < pd.Timestamp(at.clock.now())
        starts = [*frame.index, pd.Timestamp(period.end) + timedelta(days=2)]
        for start, end, n in zip(starts, starts[1:], frame["requested"], strict=False):
            step = Range(start.to_pydatetime(), end.to_pydatetime())
            assert n == len(within(traffic, step)), (name, zone, step)


def test_channels_and_countries_are_separate_rows(at: World, traffic: pd.DataFrame) -> None:
    period = period_of(at, Preset.WEEK)
    channels = at.services.queries.by_channel(period)
    assert channels["requested"].to_dict() == traffic.groupby("channel").size().to_dict()
    countries = at.services.queries.by_country(period)
    wholes = countries.xs("", level="carrier")["requested"].to_dict()
    assert wholes == traffic.groupby("region").size().to_dict()
    leaves = countries[countries.index.get_level_values("carrier") != ""]["requested"]
    assert leaves.sum() == len(traffic)
    assert leaves["DE", "O2"] == ((traffic["region"] == "DE") & (traffic["carrier"] == "O2")).sum()


def test_a_filter_by_carrier_counts_that_carrier_only(at: World, traffic: pd.DataFrame) -> None:
    frame = at.services.queries.by_country(
        period_of(at, Preset.WEEK), Filters(None, "DE", "Vodafone")
    )
    assert list(frame.index) == [("DE", "Vodafone")]


def test_errors_are_counted_by_channel_and_code(at: World, traffic: pd.DataFrame) -> None:
    not_delivered = traffic[traffic["final"] > 0]
    codes = np.array(["30", "50", "900"])[not_delivered["code"]]
    expected = not_delivered.groupby(["channel", codes]).size().to_dict()
    period = period_of(at, Preset.WEEK)
    errors = at.services.queries.errors(
        period, ALL, comparison_range(period, Comparison.PREVIOUS, UTC_ZONE)
    )
    assert errors["count"].to_dict() == expected
    assert errors["previous"].sum() == 0
    assert errors["count"].is_monotonic_decreasing
    german = at.services.queries.errors(period, Filters(None, "DE"))
    assert german["count"].sum() == (not_delivered["region"] == "DE").sum()


def test_histograms_and_heatmap_count_every_delivery(at: World, traffic: pd.DataFrame) -> None:
    delivered = traffic[traffic["delivered"] > 0]
    durations = delivered["delivered"] - delivered["requested"]
    expected = np.bincount(bins_of(durations), minlength=BINS)
    period = period_of(at, Preset.WEEK)
    queries = at.services.queries
    assert (queries.histogram(period) == expected).all()
    assert (queries.heatmap(period).sum().to_numpy() == expected).all()
    by_country = queries.by_country(period).xs("", level="carrier")
    enough = delivered.groupby("region").size() >= values_needed(0.95)
    assert (by_country["p95_ms"].notna() == enough.reindex(by_country.index)).all()
    assert bin_of(1) == 0


def test_an_answer_is_cached_for_a_few_seconds_only(at: World, traffic: pd.DataFrame) -> None:
    s = at.services
    queries = Queries(s.client, s.connection.raw, s.keys, at.clock, s.fold.settle)
    period = Range(at.clock.now() - timedelta(days=2), at.clock.now() + timedelta(hours=1))
    before = queries.totals(period)["requested"]
    at.started(at.number())
    assert queries.totals(period)["requested"] == before
    at.clock.advance(4)
    assert queries.totals(period)["requested"] == before + 1


def test_a_rate_judges_ripe_attempts_only_and_marks_the_step_that_is_unfinished(
    at: World, traffic: pd.DataFrame
) -> None:
    s, clock = at.services, FrozenClock()
    ripeness = Ripeness(timedelta(seconds=s.settings.lifetime_seconds))
    queries = Queries(s.client, s.connection.raw, s.keys, clock, s.fold.settle, ripeness)
    now = clock.now()
    period = preset(Preset.DAY, now, UTC_ZONE)
    rows = within(traffic, period)
    life = ripeness.code_life
    for measure, age in (("within_30", timedelta(seconds=30)), ("confirmed", life)):
        ripe = queries.ripe(period, measure)
        old = within(traffic, ripe)
        assert timedelta() <= now - age - ripe.end < timedelta(minutes=1)
        assert queries.totals(ripe)["requested"] == len(old)
        frame = queries.over_time(period, measure=measure)
        assert frame["requested"].sum() == len(old)
        assert not frame["complete"].iloc[-1]
        whole = queries.over_time(period)
        assert (whole[f"{measure}_ripe"] == frame["complete"]).all()
        assert whole["requested"].sum() == len(rows)


def test_the_history_begins_with_the_first_attempt(at: World, traffic: pd.DataFrame) -> None:
    queries = at.services.queries
    first = int(traffic["requested"].min())
    assert queries.history_begins() == from_ms(first // 900_000 * 900_000)
    compared = queries.compared(period_of(at, Preset.WEEK), Comparison.PREVIOUS, UTC_ZONE)
    assert compared is None
    hour = queries.compared(period_of(at, Preset.HOUR), Comparison.PREVIOUS, UTC_ZONE)
    assert hour is not None
    windows = queries.history(period_of(at, Preset.HOUR))
    assert len(windows) == 28
    start = period_of(at, Preset.HOUR).start.replace(second=0)
    begin = start - timedelta(minutes=start.minute % 15) - timedelta(hours=1)
    last = within(traffic, Range(begin, begin + timedelta(hours=1)))
    assert windows["requested"].iloc[-1] == len(last)


def test_the_steps_of_a_range_that_begins_within_one_add_up_to_the_range(
    at: World, traffic: pd.DataFrame
) -> None:
    now = at.clock.now().replace(second=0, microsecond=0)
    for hours, minutes in ((30, 7), (9, 4), (40, 11)):
        period = Range(now - timedelta(hours=hours, minutes=minutes), now - timedelta(minutes=9))
        frame = at.services.queries.over_time(period, zone=ZoneInfo("Asia/Kathmandu"))
        assert frame["requested"].sum() == len(within(traffic, period))
        assert frame.index[0] == pd.Timestamp(period.start)
        assert frame["complete"].all()


def test_without_attempts_all_figures_are_zero(at: World) -> None:
    period, queries = period_of(at, Preset.DAY), at.services.queries
    queries.forget()
    assert queries.totals(period).sum() == 0
    assert queries.by_country(period).empty
    assert queries.by_channel(period).empty
    assert queries.errors(period).empty
    assert queries.over_time(period)["requested"].sum() == 0
    assert queries.histogram(period).sum() == 0
    assert queries.freshness().through is None
    assert queries.seen_dimensions().countries == ()


def test_sample_traffic_loaded_twice_counts_once_and_is_marked(at: World) -> None:
    services = at.services
    assert not services.queries.is_simulated()
    first = services.sample.load(days=3, per_day=40, seed=7)
    assert services.sample.load(days=3, per_day=40, seed=7) == first
    services.queries.forget()
    period = Range(at.clock.now() - timedelta(days=6), at.clock.now())
    assert services.queries.totals(period)["requested"] == first.attempts > 60
    assert services.queries.is_simulated()


ODD_CARRIERS = ["A/B", "A-B", "50 % more", "%2F", "Τηλεφωνία", "x" * 200, "", "?", "Unknown",
                "all", "Others"]  # fmt: skip


@pytest.fixture
def odd(at: World) -> Range:
    """A failed message of each odd carrier, and one to a number of no country."""
    places = [("PT", carrier) for carrier in ODD_CARRIERS] + [("", "")]
    for region, carrier in places:
        attempt = ReportedAttempt(at, region=region, carrier=carrier)
        attempt.report(EventKind.UNDELIVERED, 3, error_code="30")
    return Range(at.clock.now() - timedelta(minutes=5), at.clock.now())


def test_a_carrier_has_one_name_in_figures_filters_and_rest(
    at: World, odd: Range, rest: httpx.Client
) -> None:
    queries = at.services.queries
    frame = queries.by_country(odd)
    carriers = [carrier for country, carrier in frame.index if country == "PT" and carrier]
    assert set(carriers) == {
        *(*ODD_CARRIERS[:6], "unknown"),
        # Words of filters and figures.
        *("all (carrier)", "Others (carrier)"),
    }
    assert set(carriers) == set(queries.seen_dimensions().carriers["PT"])
    assert sum(frame.loc["PT", carrier]["requested"] for carrier in carriers) == len(ODD_CARRIERS)
    for carrier in carriers:
        filters = Filters(None, "PT", carrier)
        params = {"start": odd.start, "end": odd.end, "country": "PT", "carrier": carrier}
        expected = frame.loc["PT", carrier]["requested"]
        assert queries.totals(odd, filters)["requested"] == expected
        answer = rest.get("/delivery/totals", params={k: str(v) for k, v in params.items()})
        assert answer.json()["figures"]["requested"] == expected, answer.text


def test_places_without_an_attempt_in_the_range_are_left_out(at: World, odd: Range) -> None:
    queries = at.services.queries
    # Their series are the same as those of the range before: they are kept by the day.
    empty = Range(odd.end - timedelta(hours=3), odd.end - timedelta(hours=2))
    for period, countries, carriers in ((odd, 2, 9), (empty, 0, 0)):
        frame = queries.by_country(period)
        assert (frame["requested"] > 0).all()
        assert len(set(frame.index.get_level_values("country"))) == countries
        assert queries.places_requested(period) == countries
        assert queries.places_requested(period, Filters(None, "PT")) == carriers
        assert queries.by_channel(period)["requested"].tolist() == [12] * (countries > 0)


def test_errors_of_all_countries_are_those_of_each_together(at: World, odd: Range) -> None:
    queries = at.services.queries
    everywhere = queries.errors(odd)["count"].sum()
    assert everywhere == len(ODD_CARRIERS) + 1
    countries = queries.seen_dimensions().countries
    assert "ZZ" in countries
    by_country = [queries.errors(odd, Filters(country=name))["count"].sum() for name in countries]
    assert sum(by_country) == everywhere


def test_the_lag_is_the_age_of_the_newest_news_and_not_of_the_newest_request(at: World) -> None:
    attempt = ReportedAttempt(at, seconds_ago="900")
    attempt.report(EventKind.DELIVERED, 890)
    at.services.fold.settle()
    fresh = at.services.queries.freshness()
    assert fresh.attempt_age is not None
    assert fresh.attempt_age >= timedelta(seconds=900)
    assert fresh.lag is not None
    assert fresh.lag < timedelta(seconds=30)

"""What the operator's pages say, from frames alone."""

from datetime import UTC, datetime, timedelta
from math import isnan, nan
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from core.alerts.records import AlertStatus
from core.alerts.replay import DryRun, Fired
from core.alerts.rules import Measure, Rule
from core.alerts.states import AlertState
from core.figures.catalogue import QUERY_COLUMNS
from core.figures.layout import BINS
from core.figures.queries import ALL, Filters
from core.figures.rates import Rate
from core.model.errors import StoreUnavailable
from core.panels import empty, figures, tables
from core.panels.empty import Empty
from core.panels.figures import ShownRange
from core.wording import formats as words

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 24, 12, 4, 30, tzinfo=UTC)
NO_TIMES = np.zeros(BINS, dtype=np.int64)


def row(**given: int) -> "pd.Series[Any]":
    return pd.Series({name: given.get(name, 0) for name in QUERY_COLUMNS})


def steps(n: int = 4, **given: int) -> pd.DataFrame:
    index = pd.date_range("2026-11-24", periods=n, freq="15min", tz="UTC", name="start")
    frame = pd.DataFrame([row(**given)] * n, index=index)
    frame["complete"] = [True] * (n - 1) + [False]
    return frame


def channels(**given: dict[str, int]) -> pd.DataFrame:
    frame = pd.DataFrame([row(**one) for one in given.values()])
    frame.index = pd.Index(list(given), name="channel")
    return frame


def countries(**rates: tuple[int, int]) -> pd.DataFrame:
    made = [row(requested=n, started=n, confirmed=k, converted=k) for n, k in rates.values()]
    index = pd.MultiIndex.from_tuples([(c, "") for c in rates], names=["country", "carrier"])
    frame = pd.DataFrame(made, index=index)
    frame["p95_ms"], frame["spark"] = nan, [[1.0, nan]] * len(frame)
    return frame


def made(now: "pd.Series[Any]", before: "pd.Series[Any] | None" = None) -> list[figures.Figure]:
    heat = np.zeros((4, BINS), dtype=np.int64)
    then = ShownRange(before, NO_TIMES) if before is not None else None
    return figures.figures(ShownRange(now, NO_TIMES), then, steps(requested=10, confirmed=9), heat)


def test_the_confirmed_rate_comes_first_with_its_interval_its_n_its_change_and_course() -> None:
    figure = made(row(requested=1000, confirmed=950), row(requested=1000, confirmed=900))[0]
    assert (figure.name, figure.value) == ("Confirmed", "95.0 %")
    assert figure.detail == "93.5\N{EN DASH}96.2, n = 1,000"
    assert (figure.change, figure.rose, figure.good) == ("5.0 points", True, True)
    assert figure.drawn == [0.9] * 4


def test_every_figure_has_a_course() -> None:
    frame = steps(
        requested=20, confirmed=19, within_30=15, started=20, converted=18, pending=1,
        cost_micros=90_000, priced=20,
    )  # fmt: skip
    heat = np.zeros((4, BINS), dtype=np.int64)
    heat[:, 50] = 300
    found = figures.figures(ShownRange(frame.sum(), heat.sum(axis=0)), None, frame, heat)
    assert [len(one.drawn) for one in found] == [4] * len(found)
    assert [one.name for one in found if one.is_share] == [
        "Confirmed", "Within 30 s", "Conversion",
    ]  # fmt: skip


def test_a_change_within_chance_is_neither_good_nor_bad() -> None:
    figure = made(row(requested=20, confirmed=19), row(requested=20, confirmed=18))[0]
    assert (figure.change, figure.rose, figure.good) == ("5.0 points", True, None)


def test_no_change_is_said_so_and_points_nowhere() -> None:
    same = row(requested=1000, confirmed=950)
    assert [(one.change, one.rose) for one in made(same, same) if one.name == "Confirmed"] == [
        ("no change", None)
    ]


def test_a_higher_cost_is_bad_and_a_lower_one_good() -> None:
    def cost(now: int, before: int) -> figures.Figure:
        def spent(micros: int) -> "pd.Series[Any]":
            return row(cost_micros=micros, priced=10, converted=100)

        return next(one for one in made(spent(now), spent(before)) if "Cost" in one.name)

    assert (cost(6_000_000, 5_000_000).change, cost(6_000_000, 5_000_000).good) == ("20 %", False)
    assert cost(4_000_000, 5_000_000).good is True
    assert cost(5_050_000, 5_000_000).good is None


def test_under_ten_attempts_there_is_no_percentage() -> None:
    figure = made(row(requested=5, confirmed=5))[0]
    assert (figure.value, figure.detail) == ("too few", "5 of 5")
    assert figure.n == 5


def test_the_table_of_figures_holds_the_numbers_that_the_page_rounds() -> None:
    now, before = row(requested=1000, confirmed=943), row(requested=1000, confirmed=950)
    table = figures.table(made(now, before))
    first = table.iloc[0]
    assert (first["figure"], first["value"], first["n"]) == ("Confirmed", 0.943, 1000)
    assert first["low"] == Rate(943, 1000).low
    assert first["change"] == "-0.7 points"
    assert isnan(table.set_index("figure")["value"]["Cost per verified"])


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (Empty.NOT_CONFIGURED, {"requested": 0, "ever": False, "unfiltered": 0}),
        (Empty.NO_TRAFFIC, {"requested": 0, "ever": True, "unfiltered": 0}),
        (Empty.FILTERED, {"requested": 0, "ever": True, "unfiltered": 9}),
        (Empty.TOO_FEW, {"requested": 3, "ever": True, "unfiltered": 3}),
        (Empty.DELAYED, {"requested": 99, "ever": True, "unfiltered": 99}),
    ],
)
def test_each_empty_state_has_its_own_words(kind: Empty, given: dict[str, Any]) -> None:
    filters = Filters("sms") if kind is Empty.FILTERED else ALL
    lag = timedelta(hours=3) if kind is Empty.DELAYED else timedelta(seconds=8)
    found = empty.empty_state(given["requested"], filters, ever=given["ever"],
                              unfiltered=given["unfiltered"], lag=lag)  # fmt: skip
    assert found is not None
    assert found[0] is kind
    assert "{" not in found[1]
    assert len({*empty.EMPTY_WORDS.values()}) == len(Empty)


def test_too_few_says_how_many() -> None:
    found = empty.empty_state(3, ALL, ever=True, unfiltered=3, lag=None)
    assert found is not None
    assert "(n=3)" in found[1]


def test_enough_traffic_is_no_empty_state() -> None:
    lag = timedelta(seconds=9)
    assert empty.empty_state(50, ALL, ever=True, unfiltered=50, lag=lag) is None


def test_old_news_is_no_delay_in_a_range_that_is_over() -> None:
    assert empty.empty_state(50, ALL, ever=True, unfiltered=50, lag=None) is None


def test_a_store_out_of_reach_names_the_last_good_moment_in_the_readers_zone() -> None:
    error = StoreUnavailable("Redis cannot be reached.", "Check that Redis is running.")
    said = empty.unreachable(error, NOW, NOW + timedelta(minutes=2), ZONE)
    assert "last good at 13:04:30" in said
    assert error.cause in said
    assert error.remedy in said
    never = empty.unreachable(error, None, NOW, ZONE)
    assert "since this app started" in never


def test_the_table_begins_with_what_is_worst_for_certain_and_names_the_countries() -> None:
    table = tables.country_table(countries(US=(1000, 950), NG=(1000, 800), NP=(12, 10)))
    assert table["country"].tolist() == ["NP", "NG", "US"]
    assert table["place"].tolist() == ["Nepal", "Nigeria", "United States"]
    assert list(table.columns) == tables.COUNTRIES
    assert table["bounds"].iloc[1] == words.interval(
        table["low"].iloc[1] / 100, table["high"].iloc[1] / 100
    )
    assert list(tables.country_table(countries()).columns) == tables.COUNTRIES


def test_carriers_stand_below_their_country() -> None:
    index = pd.MultiIndex.from_tuples(
        [("NG", ""), ("US", ""), ("NG", "MTN"), ("NG", "?")], names=["country", "carrier"]
    )
    counts = [(1000, 800), (1000, 950), (600, 590), (400, 210)]
    frame = pd.DataFrame(
        [row(requested=n, confirmed=k, started=n, converted=k) for n, k in counts], index=index
    )
    frame["p95_ms"], frame["spark"] = nan, [[1.0]] * 4
    table = tables.country_table(frame)
    assert table["place"].tolist() == [
        "Nigeria", "\N{EM SPACE}carrier not known", "\N{EM SPACE}MTN", "United States",
    ]  # fmt: skip


def test_issues_are_ranked_by_what_they_cost_and_only_beyond_chance() -> None:
    frame = countries(US=(10_000, 9000), NG=(1000, 500), NP=(12, 9))
    found = tables.issues(frame, Rate(9509, 11_012))
    assert found["place"].tolist() == ["Nigeria"]
    assert found["lost"].iloc[0] == round(1000 * 9509 / 11_012 - 500)
    assert list(tables.issues(frame, Rate(1, 2)).columns) == tables.ISSUES


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((5, 0, 0, 0), "too few"),
        ((100, 90, 0, 80), "handset"),
        ((100, 50, 0, 45), "partial"),
        ((100, 0, 0, 80), "none"),
        ((100, 98, 0, 3), "suspicious"),
    ],
)
def test_receipts_are_judged_by_coverage_and_by_what_people_do(
    counts: tuple[int, int, int, int], said: str
) -> None:
    assert tables.receipts(*counts) == said


def test_the_funnel_has_the_share_of_all_and_of_the_step_before_in_the_offered_order() -> None:
    frame = channels(
        voice={"requested": 10}, sms={"requested": 200, "sent": 100, "delivered": 50, "verified": 5}
    )
    table = tables.funnel_table(frame).set_index("channel")
    assert list(table.index) == ["sms", "voice"]
    assert table.loc["sms", "delivered_share"] == 25
    assert table.loc["sms", "delivered_step"] == 50
    assert isnan(table["delivered_step"]["voice"])


def test_a_rescue_rate_wants_ten_tries() -> None:
    frame = channels(
        sms={"fallbacks": 9, "rescued": 9}, voice={"fallbacks": 50, "rescued": 40, "resends": 7}
    )
    table = tables.rescue_table(frame).set_index("channel")
    assert isnan(table["rate"]["SMS"])
    assert table.loc["Call", "rate"] == 80
    assert table.loc["Call", "low"] == 100 * Rate(40, 50).low
    said = tables.fallback(row(started=100, resends=1, fallbacks=50, rescued=40)).words
    assert "1 code went out again the same way and 50 another way" in said
    assert "80.0 % (" in said
    assert "Too few" in tables.fallback(row(started=100, fallbacks=9, rescued=9)).words


def test_the_parts_of_the_time_follow_one_another() -> None:
    table = tables.legs_table(row(n_app=2, app_ms=400, n_queue=1, queue_ms=800, n_person=1,
                                  person_ms=9000))  # fmt: skip
    assert table["mean_s"].tolist() == [0.2, 0.8, 0.0, 9.0]
    assert table["from_s"].tolist() == [0, 0.2, 1.0, 1.0]


def test_waste_is_what_nobody_entered() -> None:
    frame = channels(sms={"requested": 10, "priced": 5, "cost_micros": 4_000_000,
                          "cost_verified_micros": 3_000_000, "verified": 8})  # fmt: skip
    assert tables.cost_table(frame).iloc[0].to_dict() == {
        "channel": "SMS", "spent": 4.0, "wasted": 1.0, "share": 25.0, "per_verified": 0.5,
        "priced": 50.0,
    }  # fmt: skip


def test_errors_say_what_they_mean_and_what_to_do() -> None:
    frame = pd.DataFrame(
        {"count": [4, 2], "previous": [1, 0]},
        index=pd.MultiIndex.from_tuples([("sms", "30"), ("voice", "3010")],
                                        names=["channel", "code"]),
    )  # fmt: skip
    table = tables.error_table(frame)
    assert table["label"].tolist() == ["SMS\N{NO-BREAK SPACE}30", "Call\N{NO-BREAK SPACE}3010"]
    assert table["meaning"].tolist() == ["The carrier refused it as spam.", "The line was busy."]
    assert all(table["advice"])


def status(state: AlertState, **more: Any) -> AlertStatus:
    given = {
        "series": "sms/NG", "measure": Measure.CONFIRMED, "state": state, "rule": None, "n": 412,
        "verified": 200, "observed": 0.712, "baseline": 0.94, "detectable_drop": 0.05,
        "since": NOW,
    }  # fmt: skip
    return AlertStatus(**given | more)


def test_every_state_of_an_alert_is_counted_and_named() -> None:
    counts = tables.alert_counts([status(AlertState.FIRING), status(AlertState.OK)])
    assert counts == {
        AlertState.FIRING: 1, AlertState.RECOVERING: 0, AlertState.PENDING: 0, AlertState.OK: 1,
        AlertState.NO_DATA: 0,
    }  # fmt: skip
    assert set(words.ALERT_STATES) == set(AlertState)
    table = tables.alert_table([status(AlertState.NO_DATA, observed=None, under="sms")], ZONE)
    first = table.iloc[0].to_dict()
    assert (first["series"], first["state"], first["under"]) == ("SMS, Nigeria", "no data", "SMS")
    assert "too few to compare" in first["saw"]


def test_an_alert_says_what_it_saw() -> None:
    said = words.alert_words(status(AlertState.FIRING))
    assert said == "confirmed 71.2 % of 412 in the last hour, where 94.0 % is usual."
    more = words.alert_words(status(AlertState.FIRING, measure=Measure.TRAFFIC, baseline=40.0))
    assert more == "412 attempts in the last hour, where 40 are usual; 200 of them verified."


def test_a_dry_run_lists_the_newest_first_without_what_another_one_explains() -> None:
    def fired(hours: int, until: datetime | None, under: str = "") -> Fired:
        at = NOW + timedelta(hours=hours)
        return Fired("voice", Measure.CONFIRMED, Rule.EXACT, at, until, under)

    tried = DryRun(2, [fired(0, NOW + timedelta(hours=1)), fired(1, None, "x"), fired(2, None)], 9)
    table = tables.dry_run_table(tried, ZONE)
    assert table["from"].tolist() == ["24 Nov 15:04", "24 Nov 13:04"]
    assert table["until"].tolist() == ["still", "24 Nov 14:04"]
    assert table["series"].tolist() == ["Call", "Call"]


def test_spans_money_and_counts_read_as_people_say_them() -> None:
    assert [words.span(timedelta(seconds=s)) for s in (8, 720, 20_000, 300_000)] == [
        "8 s", "12 min", "5 h", "3 days",
    ]  # fmt: skip
    assert (words.seconds(1840), words.seconds(150_000)) == ("1.8 s", "2.5 min")
    assert (words.dollars(0.0213), words.dollars(1.25)) == ("$0.0213", "$1.25")
    assert [words.times(n) for n in (0, 1, 3)] == ["never", "once", "3 times"]
    assert words.counted(1, "attempt") == "1 attempt"
    assert words.counted(4312, "message or call") == "4,312 messages or calls"


def test_freshness_names_the_moment_and_the_lag() -> None:
    assert words.through(NOW, timedelta(seconds=8), ZONE) == "Data through 13:04:30, lag 8 s"
    assert words.through(NOW, timedelta(days=3), ZONE) == "Data through 24 Nov 13:04, lag 3 days"
    assert words.through(None, None, ZONE) == "No data yet"


def test_the_reading_of_the_logs_says_how_far_it_is() -> None:
    said = words.progress_words(40, timedelta(minutes=3), is_last=False)
    assert said == "40 rows read, about 3 min left"
    assert "asking after" in words.progress_words(40, None, is_last=True)

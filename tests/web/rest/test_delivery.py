"""`/api/v1/delivery`: the frames of the Delivery page, to the number."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pandas as pd
import pytest
import redis

from core.figures.catalogue import QUERY_COLUMNS, Leg
from core.figures.filters import Filters
from core.figures.layout import BINS
from core.figures.ranges import Comparison, Preset, preset
from tests.world import FrozenClock, World, world

UTC_ZONE = ZoneInfo("UTC")
#: A range, filters and a comparison: the parameters, and the arguments of the queries.
QUERIES = [
    ({"range": "7d"}, Preset.WEEK, Filters(), Comparison.NONE),
    ({"range": "24h", "channel": "sms"}, Preset.DAY, Filters("sms"), Comparison.NONE),
    (
        {"range": "24h", "country": "DE", "compare": "previous"},
        Preset.DAY,
        Filters(country="DE"),
        Comparison.PREVIOUS,
    ),
    (
        {"range": "7d", "country": "DE", "carrier": "Vodafone"},
        Preset.WEEK,
        Filters(country="DE", carrier="Vodafone"),
        Comparison.NONE,
    ),
]


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> object:
    """A world with eight days of sample traffic in a Redis of its own, and a stopped clock."""
    with world(tmp_path_factory.mktemp("busy"), None, FrozenClock()) as at:
        at.services.sample.load(days=8, per_day=120, seed=7)
        yield at


@pytest.fixture
def api(busy: World) -> object:
    token = busy.services.tokens.sandbox_token
    with httpx.Client(
        base_url=f"{busy.address}/api/v1/delivery", headers={"Authorization": f"Bearer {token}"}
    ) as client:
        yield client


def table(answer: httpx.Response) -> pd.DataFrame:
    assert answer.status_code == 200, answer.text
    return pd.DataFrame(answer.json())


@pytest.mark.parametrize(("params", "name", "filters", "by"), QUERIES)
def test_every_frame_is_that_of_the_queries(
    busy: World,
    api: httpx.Client,
    params: dict[str, str],
    name: Preset,
    filters: Filters,
    by: Comparison,
) -> None:
    queried = preset(name, busy.clock.now(), UTC_ZONE)
    queries = busy.services.queries
    compared = queries.compared(queried, by, UTC_ZONE)
    before = compared.before if compared else None
    totals = api.get("/totals", params=params).json()
    counted = compared.now if compared else queried
    expected = queries.totals(counted, filters)
    assert [datetime.fromisoformat(totals["range_read"][end]) for end in ("start", "end")] == [
        counted.start,
        counted.end,
    ]
    ripe = queries.totals(queries.ripe(queried, "converted"), filters)
    rate = totals["rates"]["converted"]
    assert (rate["k"], rate["n"]) == (ripe["converted"], ripe["started"])
    assert totals["figures"] == {name: int(expected[name]) for name in QUERY_COLUMNS}
    assert totals["sample_attempts"] >= expected["requested"] > 0
    assert datetime.fromisoformat(totals["range"]["start"]) == queried.start
    if before:
        assert totals["previous"] == queries.totals(before, filters).to_dict()
        earlier = totals["previous_range"]
        assert datetime.fromisoformat(earlier["end"]) - datetime.fromisoformat(
            earlier["start"]
        ) == (counted.end - counted.start)
    else:
        assert (by, totals["previous"]) == (Comparison.NONE, None)

    errors = api.get("/errors", params=params).json()
    by_error = queries.errors(counted, filters, before).reset_index()
    if not before:
        # Where nothing is compared, nothing is 0 before.
        assert "previous" not in by_error
        by_error["previous"] = None
    assert errors == by_error.to_dict("records")

    # The other routes refuse `compare`.
    params = {name: value for name, value in params.items() if name != "compare"}
    steps = table(api.get("/over-time", params=params))
    frame = queries.over_time(queried, filters, UTC_ZONE)
    assert (
        steps[list(QUERY_COLUMNS)].to_numpy().tolist()
        == frame[list(QUERY_COLUMNS)].to_numpy().tolist()
    )
    assert pd.to_datetime(steps["start"]).tolist() == frame.index.tolist()
    assert steps["complete"].tolist() == frame["complete"].tolist()

    channels = table(api.get("/channels", params=params)).set_index("channel")
    by_channel = queries.by_channel(queried, filters)
    assert channels.to_dict() == by_channel.to_dict()

    countries = table(api.get("/countries", params=params)).set_index(["country", "carrier"])
    by_country = queries.by_country(queried, filters).drop(columns="spark")
    assert countries.index.tolist() == by_country.index.tolist()
    p95_ms = by_country["p95_ms"].astype(object).where(by_country["p95_ms"].notna(), None)
    assert [None if pd.isna(v) else v for v in countries["p95_ms"]] == p95_ms.tolist()
    assert countries["delivered"].tolist() == by_country["delivered"].tolist()


@pytest.mark.parametrize("route", ["over-time", "channels", "countries", "latency", "alerts"])
@pytest.mark.parametrize("unknown", ["compare", "chanel"])
def test_a_parameter_that_a_route_does_not_take_is_refused(
    api: httpx.Client, route: str, unknown: str
) -> None:
    answer = api.get(f"/{route}", params={unknown: "previous"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "query"


@pytest.mark.parametrize("route", ["totals", "over-time", "channels", "countries", "errors"])
def test_the_country_uk_is_gb(api: httpx.Client, route: str) -> None:
    params = {"start": "2020-01-01T00:00:00Z", "end": "2099-01-01T00:00:00Z"}
    uk, gb = (api.get(f"/{route}", params={**params, "country": code}) for code in ("UK", "GB"))
    assert uk.status_code == 200
    assert uk.json() == gb.json()


@pytest.mark.parametrize("leg", Leg)
def test_latency_is_the_histogram_of_the_leg(busy: World, api: httpx.Client, leg: Leg) -> None:
    body = api.get("/latency", params={"range": "7d", "leg": leg}).json()
    queried = preset(Preset.WEEK, busy.clock.now(), UTC_ZONE)
    histogram = busy.services.queries.histogram(queried, leg=leg)
    assert body["count"] == sum(row["count"] for row in body["bins"]) == int(histogram.sum())
    assert 0 < len(body["bins"]) <= BINS
    assert list(body["percentiles_ms"]) == ["p50", "p90", "p95", "p99"]


def test_a_custom_range_has_a_start_and_an_end(busy: World, api: httpx.Client) -> None:
    end = busy.clock.now().replace(minute=0, second=0)
    start = end - timedelta(hours=20)
    params = {"start": start.isoformat(), "end": end.isoformat()}
    answer = api.get("/totals", params=params).json()["range"]
    assert datetime.fromisoformat(answer["start"]) == start
    assert datetime.fromisoformat(answer["end"]) == end


@pytest.mark.parametrize("route", ["totals", "over-time", "channels", "countries", "errors"])
@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"start": "-20"}, "end"),
        ({"start": "-20", "range": "7d"}, "end"),
        ({"end": "0"}, "start"),
        ({"start": "0", "end": "-20"}, "end"),
        ({"start": "-20", "end": "-20"}, "end"),
        ({"start": "-20", "end": "0", "range": "24h"}, "range"),
        ({"start": "20", "end": "40"}, "start"),
        ({"start": "-20000", "end": "-19000"}, "end"),
        ({"carrier": "Vodafone"}, "country"),
    ],
)
def test_an_incomplete_or_contradictory_query_names_the_parameter_to_correct(
    busy: World, api: httpx.Client, route: str, params: dict[str, str], named: str
) -> None:
    now = busy.clock.now()
    hours = {name: params[name] for name in params if name in {"start", "end"}}
    moments = {
        name: (now + timedelta(hours=int(offset))).isoformat() for name, offset in hours.items()
    }
    answer = api.get(f"/{route}", params=params | moments)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["where"] for error in answer.json()["errors"]] == [f"query.{named}"]


def test_a_range_beyond_all_time_is_cut_to_what_is_kept(busy: World, api: httpx.Client) -> None:
    body = api.get(
        "/totals", params={"start": "0001-01-01T00:00:00+14:00", "end": "9999-12-31T23:59:59-12:00"}
    )
    assert body.status_code == 200
    now = busy.clock.now()
    assert datetime.fromisoformat(body.json()["range"]["end"]) == now
    assert now - datetime.fromisoformat(body.json()["range"]["start"]) == timedelta(days=400)


@pytest.mark.parametrize(
    "params",
    [
        {"range": "yesteryear"},
        {"zone": "Mars/Base"},
        {"country": "Germany"},
        {"start": "2026-11-01T00:00:00", "end": "2026-11-02T00:00:00"},
    ],
)
def test_a_wrong_parameter_is_named(api: httpx.Client, params: dict[str, str]) -> None:
    answer = api.get("/totals", params=params)
    assert answer.status_code == 422
    body = answer.json()
    assert body["code"] == "invalid_request"
    assert body["errors"][0]["where"].split(".")[1] in params


def test_alerts_are_those_of_the_last_check(busy: World, api: httpx.Client) -> None:
    busy.services.alerts.check()
    body = api.get("/alerts").json()
    current = busy.services.alerts.current()
    assert [(row["series"], row["measure"], row["state"]) for row in body] == [
        (status.series, status.measure, status.state) for status in current
    ]
    assert body


def test_days_begin_where_the_zone_says(busy: World, api: httpx.Client) -> None:
    body = api.get("/over-time", params={"range": "today", "zone": "Asia/Kathmandu"}).json()
    begins = datetime.fromisoformat(body[0]["start"])
    assert (begins.hour, begins.minute) == (0, 0)
    assert begins.utcoffset() == timedelta(hours=5, minutes=45)


def test_the_range_that_is_read_is_returned_beside_the_range(
    busy: World, api: httpx.Client
) -> None:
    day = busy.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    start, end = day - timedelta(days=119, hours=-9), day - timedelta(days=119, hours=-11)
    params = {"start": start.isoformat(), "end": end.isoformat()}
    body = api.get("/totals", params=params).json()
    assert datetime.fromisoformat(body["range"]["start"]) == start
    read = [datetime.fromisoformat(body["range_read"][edge]) for edge in ("start", "end")]
    assert read == [day - timedelta(days=119), day - timedelta(days=118)]
    for route in ("over-time", "channels", "countries", "errors"):
        header = api.get(f"/{route}", params=params).headers["range-read"]
        assert [datetime.fromisoformat(edge) for edge in header.split("/")] == read
    # The other legs of a country are kept by the day only.
    hours = {
        "start": (day - timedelta(hours=15)).isoformat(),
        "end": (day - timedelta(hours=13)).isoformat(),
        "country": "DE",
        "leg": "queue",
    }
    answer = api.get("/latency", params=hours)
    body = answer.json()
    edges = [datetime.fromisoformat(edge) for edge in answer.headers["range-read"].split("/")]
    assert edges == [datetime.fromisoformat(body["range_read"][edge]) for edge in ("start", "end")]
    assert datetime.fromisoformat(body["range_read"]["start"]) == day - timedelta(days=1)
    assert datetime.fromisoformat(body["range_read"]["end"]) == day


def test_nothing_is_compared_with_a_period_before_the_first_attempt(api: httpx.Client) -> None:
    body = api.get("/totals", params={"range": "7d", "compare": "previous"}).json()
    assert (body["previous_range"], body["previous"]) == (None, None)
    assert body["figures"]["requested"] > 0


def test_without_attempts_every_figure_is_zero(
    at: World, client: redis.Redis, tmp_path: Path
) -> None:
    headers = {"Authorization": f"Bearer {at.services.tokens.sandbox_token}"}
    body = at.http.get("/api/v1/delivery/totals", headers=headers).json()
    assert set(body["figures"].values()) == {0}

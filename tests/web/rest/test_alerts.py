"""`/alerts`: snoozes, history, and the test of the notifications."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from core.alerts.measures import Measure
from core.alerts.records import AlertCheck, AlertStatus, StoredStatus
from core.alerts.states import AlertState
from core.model.clock import to_ms
from core.model.series import Series
from core.model.way import Way
from core.reset.kinds import ResetKind
from tests.web.rest.test_verifications import problem
from tests.webhooks.receiver import Receiver, receiving
from tests.world import MovableClock, World, until, world

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ALERT = {"series": "sms/DE", "measure": "confirmed"}
GERMAN = "+4917612345678"
HOUR = timedelta(hours=1)


def carrier_of(at: World) -> str:
    """The carrier of GERMAN, as the figures name it."""
    (carrier,) = at.services.queries.seen_dimensions().carriers["DE"]
    return carrier


@pytest.fixture
def notified(tmp_path: Path, own_database: str) -> Iterator[tuple[World, Receiver]]:
    with (
        receiving(SECRET) as (receiver, url),
        world(
            tmp_path,
            own_database,
            MovableClock(),
            webhook_url=url,
            webhook_secret=SecretStr(SECRET),
            alert_urls=(SecretStr("json://127.0.0.1:9/"),),
        ) as at,
    ):
        yield at, receiver


def store_notified_alert(at: World, series: str = "sms/DE") -> None:
    """As if the last check had found an alert, of which people were notified."""
    now = at.clock.now()
    status = AlertStatus(
        Series(series), Measure.CONFIRMED, AlertState.FIRING, 9, 0, 0.0, 0.9, 0.1, now
    )
    entry = StoredStatus(status, notified_ms=to_ms(now), began_ms=to_ms(now))
    check = AlertCheck(to_ms(now) // 60_000, {entry.place: entry})
    services = at.services
    services.client.set(services.keys.alert_check, check.to_json(), nx=False, px=HOUR)


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_an_alert_is_snoozed_and_the_snooze_is_ended(
    rest: httpx.Client, at: World, depth: int
) -> None:
    for way in (Way.SMS, Way.VOICE):
        at.started(GERMAN, way)
    series = ("all", "sms", "sms/DE", f"sms/DE/{carrier_of(at)}")[depth]
    alert = ALERT | {"series": series}
    answer = rest.post("/alerts/snooze", json=alert | {"minutes": 90})
    assert answer.status_code == 200
    (snooze,) = rest.get("/alerts/snoozes").json()
    assert snooze == answer.json()
    assert (snooze["series"], snooze["measure"]) == (series, "confirmed")
    assert datetime.fromisoformat(snooze["until"]).tzinfo is not None
    assert rest.post("/alerts/snooze/end", json=alert).status_code == 204
    assert rest.get("/alerts/snoozes").json() == []
    again = rest.post("/alerts/snooze/end", json=alert)
    assert problem(again) == (404, "not_found")
    assert again.json()["cause"] == "This alert is not snoozed."
    assert rest.get("/alerts/history").json() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"minutes": 0},
        {"minutes": 43_201},
        {"minutes": 1, "series": "sms/Germany"},
        {"minutes": 1, "series": "sms//O2"},
        {"minutes": 1, "series": "fax"},
        {"minutes": 1, "measure": "luck"},
        {"minutes": 1, "hours": 1},
    ],
)
def test_a_wrong_snooze_is_refused(rest: httpx.Client, wrong: dict[str, object]) -> None:
    answer = rest.post("/alerts/snooze", json=ALERT | wrong)
    assert problem(answer) == (422, "invalid_request")
    assert rest.get("/alerts/snoozes").json() == []


def test_a_snooze_of_a_series_that_does_not_exist_is_refused(rest: httpx.Client, at: World) -> None:
    at.started(GERMAN)
    carrier = f"sms/DE/{carrier_of(at)}"
    absent = ("all", "voice", "sms/FR", "sms/DE/Elsewhere", f"{carrier}/x")
    alerts = [ALERT | {"series": series} for series in absent]
    alerts.append({"series": carrier, "measure": "refused"})
    for alert in alerts:
        answer = rest.post("/alerts/snooze", json=alert | {"minutes": 1})
        assert problem(answer) == (404, "not_found"), alert
        assert answer.json()["remedy"]
    assert rest.get("/alerts/snoozes").json() == []


@pytest.mark.parametrize("kind", [ResetKind.SAMPLE, ResetKind.ATTEMPTS])
def test_an_alert_whose_figures_are_removed_is_notified_as_ended_once(
    notified: tuple[World, Receiver], kind: ResetKind
) -> None:
    at, receiver = notified
    services = at.services
    services.sample.load(days=1, per_day=20)
    store_notified_alert(at)
    answer = httpx.delete(f"{at.address}/sandbox/state", params={"what": kind})
    assert answer.status_code == 200
    until(lambda: receiver.requests)
    assert until(lambda: services.outbox.counts().delivered_today == 1)
    (event,) = receiver.requests
    assert event.event["type"] == "alert.resolved"
    assert "its figures were removed" in event.data["text"]
    assert services.alerts.current() == []


def test_a_reset_keeps_the_end_of_an_alert_that_is_not_delivered_yet(
    notified: tuple[World, Receiver],
) -> None:
    at, receiver = notified
    receiver.answers = [(503, {})]
    verification = at.started(GERMAN)
    until(lambda: receiver.of(verification))
    # Without a past it has nothing to compare, so the alert ends.
    store_notified_alert(at)
    at.clock.advance(60)
    at.services.alerts.check()
    until(lambda: [event for event in receiver.requests if event.kind == "alert.resolved"])
    answer = httpx.delete(f"{at.address}/sandbox/state", params={"what": "attempts"})
    assert answer.status_code == 200
    receiver.requests.clear()
    receiver.answers = [(200, {})]
    # Past the wait for the next try, and near enough for the check of the signature.
    at.clock.advance(60)
    until(lambda: at.services.outbox.counts().delivered_today == 1)
    assert [event.kind for event in receiver.requests] == ["alert.resolved"]


def test_without_a_receiver_the_test_says_what_to_set(rest: httpx.Client) -> None:
    answer = rest.post("/alerts/test")
    assert problem(answer) == (409, "no_receiver")
    assert "ALERT_URLS" in answer.json()["remedy"]


def test_a_test_goes_to_every_receiver_and_one_that_is_down_delays_no_other(
    notified: tuple[World, Receiver],
) -> None:
    at, receiver = notified
    token = at.services.tokens.sandbox_token
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.post(f"{at.address}/api/v1/alerts/test", headers=headers)
    assert (answer.status_code, answer.json()) == (202, {"receivers": 2})
    until(lambda: receiver.requests)
    (event,) = receiver.requests
    assert event.event["type"] == "alert.test"
    assert event.data["title"] == "Test of alerts"
    assert event.data["link"] == f"{at.address}/delivery"
    assert until(lambda: at.services.outbox.counts().delivered_today == 1)
    assert at.services.outbox.counts().waiting == 1

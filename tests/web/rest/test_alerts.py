"""`/alerts`: snoozes, history, and the test of the notifications."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from tests.web.rest.test_verifications import problem
from tests.webhooks.receiver import Receiver, receiving
from tests.world import MovableClock, World, until, world

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ALERT = {"series": "sms/DE", "measure": "confirmed"}


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


@pytest.mark.parametrize("series", ["all", "sms", "sms/DE", "sms/DE/O2"])
def test_an_alert_is_snoozed_and_the_snooze_is_ended(rest: httpx.Client, series: str) -> None:
    alert = ALERT | {"series": series}
    answer = rest.post("/alerts/snooze", json=alert | {"minutes": 90})
    assert answer.status_code == 200
    (snooze,) = rest.get("/alerts/snoozes").json()
    assert snooze == answer.json()
    assert (snooze["series"], snooze["measure"]) == (series, "confirmed")
    assert datetime.fromisoformat(snooze["until"]).tzinfo is not None
    assert rest.post("/alerts/snooze/end", json=alert).status_code == 204
    assert rest.get("/alerts/snoozes").json() == []
    assert problem(rest.post("/alerts/snooze/end", json=alert)) == (404, "not_found")
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

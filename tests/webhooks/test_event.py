"""What is told, as JSON; and when it is told again."""

import json
from datetime import datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.model.clock import from_ms
from core.model.way import Way
from core.webhooks.event import WebhookEvent, WebhookKind, event_of
from core.webhooks.retry_schedule import ASKED_MOST, SPREAD, TRIES, WAITS, next_wait

KEPT = {
    "type": "delivered",
    "at_ms": "1773480413589",
    "verification": "v",
    "attempt": "v-1",
    "channel": "sms",
    "mode": "sms",
    "to_masked": "+1 415 ••• ••23",
    "region": "US",
    "status": "pending",
    "state": "delivered",
    "started_ms": "1773480410000",
    "requested_ms": "1773480410001",
    "delivered_ms": "1773480413589",
    "attempts": "1",
}
SPANS = st.none() | st.timedeltas(min_value=timedelta(), max_value=timedelta(days=30))


def told(**more: str) -> WebhookEvent:
    return event_of("v-1_delivered", json.dumps(KEPT | more))


def test_the_json_is_the_documented_one() -> None:
    assert json.loads(told().body) == {
        "id": "v-1_delivered",
        "type": "verification.delivered",
        "timestamp": "2026-03-14T09:26:53.589Z",
        "data": {
            "verification": "v",
            "attempt": "v-1",
            "channel": "sms",
            "mode": "sms",
            "to_masked": "+1 415 ••• ••23",
            "country": "US",
            "status": "pending",
            "time_to_deliver_ms": 3588,
        },
    }
    assert told().body.isascii()


def test_an_attempt_says_why_it_was_lost_and_one_that_came_says_no_such_thing() -> None:
    heard = {"error_code": "30", "cause": "Said so.", "hangup_cause": ""}
    lost = told(type="failed", state="undelivered", **heard)
    assert (lost.reason, lost.error_code, lost.cause) == ("undelivered", "30", "Said so.")
    assert "hangup_cause" not in json.loads(lost.body)["data"]
    # It failed by one account before it was delivered by a better one.
    came = json.loads(told(**heard).body)["data"]
    assert not {"reason", "error_code", "cause"} & set(came)


def test_where_clocks_differ_no_time_to_deliver_is_known() -> None:
    event = told(delivered_ms="1773480409000")
    assert event.time_to_deliver is None
    assert "time_to_deliver_ms" not in json.loads(event.body)["data"]


@given(
    st.text(max_size=60),
    st.integers(0, 7_000_000_000_000).map(from_ms),
    SPANS,
    SPANS,
    st.sampled_from(WebhookKind),
)
def test_any_event_is_ascii_json_with_the_same_bytes_every_time(
    text: str,
    at: datetime,
    to_deliver: timedelta | None,
    to_verify: timedelta | None,
    what: WebhookKind,
) -> None:
    def made() -> WebhookEvent:
        return WebhookEvent(
            id="v_x",
            what=what,
            at=at,
            verification="v",
            attempt="v-1",
            way=Way.SMS,
            to_masked=text,
            country="US",
            status="pending",
            cause=text,
            time_to_deliver=to_deliver,
            time_to_verify=to_verify,
        )

    body = made().body
    assert body == made().body
    assert body.isascii()
    read = json.loads(body)
    assert read["type"] == f"verification.{what}"
    assert read["data"]["to_masked"] == text
    assert datetime.fromisoformat(read["timestamp"]) == at


def test_the_tries_of_an_event_take_about_a_day() -> None:
    assert timedelta(hours=23) < sum(WAITS, timedelta()) < timedelta(hours=25)
    assert sorted(WAITS) == list(WAITS)


@given(
    st.integers(1, TRIES + 3),
    st.none() | st.timedeltas(min_value=timedelta(), max_value=timedelta(days=9999)),
    st.floats(0, 1),
)
@example(1, timedelta(days=9999), 1.0)
def test_a_wait_is_never_shorter_than_its_place_and_never_longer_than_allowed(
    tries: int, asked: timedelta | None, chance: float
) -> None:
    wait = next_wait(tries, asked, chance)
    if tries >= TRIES:
        assert wait is None
        return
    assert wait is not None
    least = max(WAITS[tries - 1], min(asked or timedelta(), ASKED_MOST))
    assert least <= wait <= least * (1 + SPREAD)


@pytest.mark.parametrize("tries", range(1, TRIES))
def test_events_that_failed_together_do_not_return_together(tries: int) -> None:
    waits = {next_wait(tries, None, n / 10) for n in range(11)}
    assert len(waits) == 11

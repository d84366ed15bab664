"""The JSON of an event, and the waits between its tries."""

import json
from datetime import datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.model.clock import from_ms
from core.model.way import Way
from core.webhooks.event import WebhookEvent, WebhookKind, read_event
from core.webhooks.retry_schedule import MOST_RETRY_AFTER, SPREAD, TRIES, WAITS, next_wait

STORED = {
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


def event(**more: str) -> WebhookEvent:
    read = read_event("v-1_delivered", json.dumps(STORED | more))
    assert isinstance(read, WebhookEvent)
    return read


def test_the_json_is_the_documented_one() -> None:
    assert json.loads(event().body) == {
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
    assert event().body.isascii()


def test_a_failed_attempt_has_a_cause_and_a_delivered_one_has_none() -> None:
    failure = {"error_code": "30", "cause": "Said so.", "hangup_cause": ""}
    failed = event(type="failed", state="undelivered", **failure)
    assert (failed.reason, failed.error_code, failed.cause) == ("undelivered", "30", "Said so.")
    assert "hangup_cause" not in json.loads(failed.body)["data"]
    # A failure was reported first, and then the delivery.
    delivered = json.loads(event(**failure).body)["data"]
    assert not {"reason", "error_code", "cause"} & set(delivered)


def test_where_clocks_differ_the_time_to_deliver_is_not_known() -> None:
    skewed = event(delivered_ms="1773480409000")
    assert skewed.time_to_deliver is None
    assert "time_to_deliver_ms" not in json.loads(skewed.body)["data"]


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
    kind: WebhookKind,
) -> None:
    def make() -> WebhookEvent:
        return WebhookEvent(
            id="v_x",
            kind=kind,
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

    body = make().body
    assert body == make().body
    assert body.isascii()
    read = json.loads(body)
    assert read["type"] == f"verification.{kind}"
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
    tries: int, retry_after: timedelta | None, chance: float
) -> None:
    wait = next_wait(tries, retry_after, chance)
    if tries >= TRIES:
        assert wait is None
        return
    assert wait is not None
    least = max(WAITS[tries - 1], min(retry_after or timedelta(), MOST_RETRY_AFTER))
    assert least <= wait <= least * (1 + SPREAD)


@pytest.mark.parametrize("tries", range(1, TRIES))
def test_events_that_failed_together_are_not_retried_together(tries: int) -> None:
    waits = {next_wait(tries, None, n / 10) for n in range(11)}
    assert len(waits) == 11

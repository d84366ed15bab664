"""The events that a receiver gets, over real HTTP, from the start to every ending."""

import logging
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import redis
from standardwebhooks import Webhook, WebhookVerificationError

from core.model.attempt import EventKind, State
from core.model.grant import OPERATOR
from core.model.verification import CancelOutcome
from core.model.way import Mode, Way
from tests.webhooks.conftest import SECRET, WebhookWorld
from tests.webhooks.receiver import PATH
from tests.world import MovableClock, until, world


def event_data(webhooks: WebhookWorld, verification: str, kind: str) -> dict[str, object]:
    """The data of the only event of that kind, once it has delivered."""
    until(lambda: webhooks.receiver.kinds(verification)[kind])
    (event,) = [event for event in webhooks.receiver.of(verification) if event.kind == kind]
    return event.data


def wait_until_settled(webhooks: WebhookWorld) -> None:
    """Wait until no event is queued."""
    until(lambda: webhooks.world.services.outbox.counts().waiting == 0)


def test_a_verification_has_events_from_its_request_to_its_code(webhooks: WebhookWorld) -> None:
    at = webhooks.world
    number = at.number()
    verification = at.started(number)
    delivered = event_data(webhooks, verification, "delivered")
    at.services.verifications.check(verification, at.code(verification))
    verified = event_data(webhooks, verification, "verified")
    view = at.look(verification)
    same = {
        "verification": verification,
        "attempt": f"{verification}-1",
        "channel": "sms",
        "mode": "sms",
        "to_masked": view.verification.to.masked,
        "country": "US",
    }
    took = delivered.pop("time_to_deliver_ms")
    assert isinstance(took, int)
    assert 0 <= took < 10_000
    assert event_data(webhooks, verification, "requested") == same | {"status": "pending"}
    assert delivered == same | {"status": "pending"}
    assert verified == same | {
        "status": "verified",
        "time_to_verify_ms": round(
            (view.verification.time_to_verify or timedelta()) / timedelta(milliseconds=1)
        ),
    }
    wait_until_settled(webhooks)
    assert webhooks.receiver.kinds(verification) == {"requested": 1, "delivered": 1, "verified": 1}


def test_an_event_has_its_time_and_an_id_of_its_attempt_and_kind(webhooks: WebhookWorld) -> None:
    at = webhooks.world
    verification = at.started(at.number())
    event_data(webhooks, verification, "delivered")
    until(lambda: len(webhooks.receiver.of(verification)) == 2)
    delivered, requested = sorted(webhooks.receiver.of(verification), key=lambda event: event.id)
    assert requested.id == f"{verification}_requested"
    assert delivered.id == f"{verification}-1_delivered"
    assert requested.event["type"] == "verification.requested"
    assert requested.event["timestamp"].endswith("Z")
    moments = at.look(verification).attempts[0].moments
    for event, kind in ((requested, EventKind.REQUESTED), (delivered, EventKind.DELIVERED)):
        assert datetime.fromisoformat(event.event["timestamp"]) == moments[kind]
    for event in (requested, delivered):
        assert event.headers["webhook-id"] == event.id
        assert event.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("ending", "way", "reason", "field", "value"),
    [
        ("0402", Way.SMS, "rejected", "cause", "no credit left"),
        ("0030", Way.SMS, "undelivered", "error_code", "30"),
        ("3010", Way.VOICE, "undelivered", "hangup_cause", "3010"),
        ("0403", Way.PHLO_SMS, "rejected", "cause", "Plivo does not allow"),
    ],
)
def test_a_failed_attempt_has_an_event_with_its_reason(
    webhooks: WebhookWorld, ending: str, way: Way, reason: str, field: str, value: str
) -> None:
    at = webhooks.world
    verification = at.started(at.number(ending), way)
    until(lambda: at.look(verification).attempts[0].state.is_lost)
    data = event_data(webhooks, verification, "failed")
    assert data["reason"] == reason
    assert value in str(data[field])
    # Another attempt may still bring the code.
    assert data["status"] == "pending"
    assert data["attempt"] == f"{verification}-1"


def test_each_delivered_attempt_has_an_event(webhooks: WebhookWorld) -> None:
    at = webhooks.world
    number = at.number()
    verification = at.started(number)
    event_data(webhooks, verification, "delivered")
    at.clock.advance(31)
    at.services.verifications.resend(verification, grant=OPERATOR, seen=1, mode=Mode.CALL)
    at.touch(number, at.call(number, "ringing"), "answer")
    until(lambda: at.handset(number)["calls"][0]["waits_for_key"])
    at.touch(number, at.call(number, "in-progress"), "press/1")
    until(lambda: webhooks.receiver.kinds(verification)["delivered"] == 2)
    by_call = [event for event in webhooks.receiver.of(verification) if event.kind == "delivered"][
        1
    ]
    assert by_call.id == f"{verification}-2_delivered"
    assert (by_call.data["channel"], by_call.data["mode"]) == ("voice", "call")
    assert webhooks.receiver.kinds(verification)["requested"] == 1


def test_an_attempt_by_a_phlo_has_an_event(webhooks: WebhookWorld) -> None:
    at = webhooks.world
    verification = at.started(at.number(), Way.PHLO_SMS)
    assert event_data(webhooks, verification, "delivered")["channel"] == "phlo"


def test_of_the_wrong_codes_only_the_locking_one_has_an_event(webhooks: WebhookWorld) -> None:
    at = webhooks.world
    verification = at.started(at.number())
    event_data(webhooks, verification, "delivered")
    wrong = at.wrong_code(verification)
    for _ in range(4):
        at.services.verifications.check(verification, wrong)
    wait_until_settled(webhooks)
    assert webhooks.receiver.kinds(verification)["failed"] == 0
    at.services.verifications.check(verification, wrong)
    data = event_data(webhooks, verification, "failed")
    assert (data["reason"], data["status"]) == ("locked", "locked")
    at.clock.advance(400)
    at.services.verifications.check(verification, wrong)
    expire(webhooks)
    assert webhooks.receiver.kinds(verification) == {"requested": 1, "delivered": 1, "failed": 1}


def expire(webhooks: WebhookWorld) -> None:
    """Wait for a sweep: another verification expires, and its event arrives."""
    at = webhooks.world
    other = at.started(at.number())
    at.clock.advance(303)
    event_data(webhooks, other, "expired")
    wait_until_settled(webhooks)


def test_a_canceled_verification_has_an_event_and_does_not_expire(webhooks: WebhookWorld) -> None:
    at = webhooks.world
    verification = at.started(at.number())
    at.services.verifications.cancel(verification)
    at.services.verifications.cancel(verification)
    data = event_data(webhooks, verification, "failed")
    assert (data["reason"], data["status"]) == ("canceled", "canceled")
    expire(webhooks)
    assert webhooks.receiver.kinds(verification)["expired"] == 0


def test_a_verification_without_another_end_has_an_event_of_its_expiry(
    webhooks: WebhookWorld,
) -> None:
    at = webhooks.world
    verification = at.started(at.number())
    event_data(webhooks, verification, "delivered")
    at.clock.advance(303)
    data = event_data(webhooks, verification, "expired")
    assert data["status"] == "expired"
    (event,) = [
        event.event for event in webhooks.receiver.of(verification) if event.kind == "expired"
    ]
    ended = datetime.fromisoformat(event["timestamp"])
    assert ended == at.look(verification).verification.expires_at
    # An expired verification cannot end again.
    assert at.services.verifications.cancel(verification) is CancelOutcome.CLOSED
    wait_until_settled(webhooks)
    assert webhooks.receiver.kinds(verification) == {"requested": 1, "delivered": 1, "expired": 1}


def test_a_verified_verification_does_not_expire(webhooks: WebhookWorld) -> None:
    at = webhooks.world
    verification = at.started(at.number())
    at.services.verifications.check(verification, at.code(verification))
    event_data(webhooks, verification, "verified")
    expire(webhooks)
    assert webhooks.receiver.kinds(verification)["expired"] == 0


@pytest.mark.parametrize("ending", ["0801", "0802", "0803"])
def test_doubled_late_and_forged_callbacks_cause_no_second_event(
    webhooks: WebhookWorld, ending: str
) -> None:
    at = webhooks.world
    verification = at.started(at.number(ending))
    event_data(webhooks, verification, "delivered")
    name = {"0801": "repeated", "0802": "late", "0803": "forged"}[ending]
    until(lambda: name in at.services.ledger.counters())
    wait_until_settled(webhooks)
    assert webhooks.receiver.kinds(verification) == {"requested": 1, "delivered": 1}


def test_an_event_can_be_verified_and_a_changed_one_is_refused(webhooks: WebhookWorld) -> None:
    at = webhooks.world
    verification = at.started(at.number())
    event_data(webhooks, verification, "requested")
    event = webhooks.receiver.of(verification)[0]
    webhook = Webhook(SECRET)
    assert webhook.verify(event.body, event.headers) == event.event
    forged = event.body.replace(b"pending", b"verified")
    assert forged != event.body
    older = str(int(event.headers["webhook-timestamp"]) - 1)
    for body, headers in (
        (forged, event.headers),
        (event.body, event.headers | {"webhook-id": f"{verification}_verified"}),
        (event.body, event.headers | {"webhook-timestamp": older}),
    ):
        with pytest.raises(WebhookVerificationError, match="No matching signature"):
            webhook.verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 32).verify(event.body, event.headers)
    at.clock.advance(301)
    with pytest.raises(WebhookVerificationError, match="too old"):
        webhook.verify(event.body, event.headers)


def test_sample_traffic_has_no_events(webhooks: WebhookWorld) -> None:
    at = webhooks.world
    loaded = at.services.sample.load(days=3, per_day=60)
    assert loaded.attempts > 60
    counts = at.services.outbox.counts()
    assert (counts.waiting, counts.delivered_today, counts.dead) == (0, 0, 0)
    assert webhooks.receiver.requests == []


def test_nothing_is_queued_without_a_receiver(
    tmp_path: Path, redis_url: str, client: redis.Redis
) -> None:
    with world(tmp_path, redis_url, MovableClock()) as at:
        verification = at.started(at.number())
        until(lambda: at.look(verification).attempts[0].state is State.DELIVERED)
        at.services.verifications.check(verification, at.code(verification))
        lost = at.started(at.number("0402"))
        at.services.verifications.cancel(lost)
        locked = at.started(at.number())
        for _ in range(5):
            at.services.verifications.check(locked, at.wrong_code(locked))
        at.services.fold.settle()
        keys = at.services.keys
        named = {keys.outbox, keys.outbox_events, keys.dead, keys.dead_events, keys.expiries}
        assert not named & set(client.scan_iter())
        assert at.services.outbox.receiver is None


def test_no_event_holds_a_code_or_a_number_and_no_log_holds_the_address(
    webhooks: WebhookWorld, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    at = webhooks.world
    # The first answer refuses, so that a cause is logged too.
    webhooks.receiver.answers[:] = [(500, {}), (200, {})]
    numbers, codes = [], []
    for ending in ("5555", "0030", "0402"):
        number = at.number(ending)
        verification = at.started(number)
        code = at.code(verification)
        numbers.append(number)
        codes.append(code)
        at.services.verifications.check(verification, at.wrong_code(verification))
        at.services.verifications.check(verification, code)
        event_data(webhooks, verification, "verified")
    at.clock.advance(7)
    wait_until_settled(webhooks)
    kept = repr([*client.scan_iter()]) + repr(client.hgetall(at.services.keys.outbox_events))
    logged = "\n".join(
        f"{record.getMessage()} {record.__dict__}"
        for record in caplog.records
        # The sandbox is Plivo and the phone; the product switches these libraries' lines off.
        if not record.name.startswith(("core.sandbox", "httpx", "httpcore"))
    )
    assert "event not delivered" in logged
    assert "event delivered" in logged
    for text in (
        b"".join(event.body for event in webhooks.receiver.requests).decode(),
        kept,
        logged,
    ):
        for number, code in zip(numbers, codes, strict=True):
            assert number.lstrip("+") not in text
            assert not re.search(rf"(?<![\da-z]){code}(?![\da-z])", text)
        assert PATH not in text
        assert SECRET not in text
    assert "t0ken" not in repr(at.services)


def test_every_key_has_a_ttl(webhooks: WebhookWorld, client: redis.Redis) -> None:
    at = webhooks.world
    webhooks.receiver.answers[:] = [(410, {}), (500, {})]
    at.started(at.number())
    until(lambda: at.services.outbox.counts().dead == 1)
    for key in client.scan_iter():
        assert client.pttl(key) > 0, key

"""What a receiver hears of verifications, over real HTTP, from the start to every ending."""

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
from core.model.way import Way
from tests.webhooks.conftest import SECRET, Told
from tests.webhooks.receiver import PATH
from tests.world import MovableClock, until, world


def heard(told: Told, verification: str, what: str) -> dict[str, object]:
    """The data of the one event of that kind, once it has come."""
    until(lambda: told.receiver.whats(verification)[what])
    (found,) = [one for one in told.receiver.of(verification) if one.what == what]
    return found.data


def settled(told: Told) -> None:
    """Nothing is left to be told."""
    until(lambda: told.world.services.outbox.counts().waiting == 0)


def test_a_verification_is_told_from_its_request_to_its_code(told: Told) -> None:
    at = told.world
    number = at.number()
    verification = at.started(number)
    arrived = heard(told, verification, "delivered")
    at.services.verifications.check(verification, at.code(verification))
    verified = heard(told, verification, "verified")
    view = at.look(verification)
    same = {
        "verification": verification,
        "attempt": f"{verification}-1",
        "channel": "sms",
        "mode": "sms",
        "to_masked": view.verification.to_masked,
        "country": "US",
    }
    took = arrived.pop("time_to_deliver_ms")
    assert isinstance(took, int)
    assert 0 <= took < 10_000
    assert heard(told, verification, "requested") == same | {"status": "pending"}
    assert arrived == same | {"status": "pending"}
    assert verified == same | {
        "status": "verified",
        "time_to_verify_ms": round(
            (view.verification.time_to_verify or timedelta()) / timedelta(milliseconds=1)
        ),
    }
    settled(told)
    assert told.receiver.whats(verification) == {"requested": 1, "delivered": 1, "verified": 1}


def test_an_event_says_when_it_happened_and_has_an_id_that_names_it(told: Told) -> None:
    at = told.world
    verification = at.started(at.number())
    heard(told, verification, "delivered")
    until(lambda: len(told.receiver.of(verification)) == 2)
    delivered, requested = sorted(told.receiver.of(verification), key=lambda one: one.id)
    assert requested.id == f"{verification}_requested"
    assert delivered.id == f"{verification}-1_delivered"
    assert requested.event["type"] == "verification.requested"
    assert requested.event["timestamp"].endswith("Z")
    moments = at.look(verification).attempts[0].moments
    for one, kind in ((requested, EventKind.REQUESTED), (delivered, EventKind.DELIVERED)):
        assert datetime.fromisoformat(one.event["timestamp"]) == moments[kind]
    for one in (requested, delivered):
        assert one.headers["webhook-id"] == one.id
        assert one.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("ending", "way", "reason", "field", "value"),
    [
        ("0402", Way.SMS, "rejected", "cause", "no credit left"),
        ("0030", Way.SMS, "undelivered", "error_code", "30"),
        ("3010", Way.VOICE, "undelivered", "hangup_cause", "3010"),
        ("0403", Way.PHLO_SMS, "rejected", "cause", "Plivo does not allow"),
    ],
)
def test_a_lost_attempt_is_told_with_its_reason(
    told: Told, ending: str, way: Way, reason: str, field: str, value: str
) -> None:
    at = told.world
    verification = at.started(at.number(ending), way)
    until(lambda: at.look(verification).attempts[0].state.is_lost)
    data = heard(told, verification, "failed")
    assert data["reason"] == reason
    assert value in str(data[field])
    # Another attempt may still bring the code.
    assert data["status"] == "pending"
    assert data["attempt"] == f"{verification}-1"


def test_each_attempt_that_arrives_is_told(told: Told) -> None:
    at = told.world
    number = at.number()
    verification = at.started(number)
    heard(told, verification, "delivered")
    at.clock.advance(31)
    at.services.verifications.resend(verification, grant=OPERATOR, seen=1, call=True)
    at.touch(number, at.call(number, "ringing"), "answer")
    until(lambda: at.handset(number)["calls"][0]["waits_for_key"])
    at.touch(number, at.call(number, "in-progress"), "press/1")
    until(lambda: told.receiver.whats(verification)["delivered"] == 2)
    by_call = [one for one in told.receiver.of(verification) if one.what == "delivered"][1]
    assert by_call.id == f"{verification}-2_delivered"
    assert (by_call.data["channel"], by_call.data["mode"]) == ("voice", "call")
    assert told.receiver.whats(verification)["requested"] == 1


def test_an_attempt_that_a_phlo_sends_is_told(told: Told) -> None:
    at = told.world
    verification = at.started(at.number(), Way.PHLO_SMS)
    assert heard(told, verification, "delivered")["channel"] == "phlo"


def test_only_the_wrong_code_that_locks_is_told(told: Told) -> None:
    at = told.world
    verification = at.started(at.number())
    heard(told, verification, "delivered")
    wrong = at.wrong_code(verification)
    for _ in range(4):
        at.services.verifications.check(verification, wrong)
    settled(told)
    assert told.receiver.whats(verification)["failed"] == 0
    at.services.verifications.check(verification, wrong)
    data = heard(told, verification, "failed")
    assert (data["reason"], data["status"]) == ("locked", "locked")
    at.clock.advance(400)
    at.services.verifications.check(verification, wrong)
    expire(told)
    assert told.receiver.whats(verification) == {"requested": 1, "delivered": 1, "failed": 1}


def expire(told: Told) -> None:
    """Let the sweep come by: another verification expires, and that is told."""
    at = told.world
    other = at.started(at.number())
    at.clock.advance(303)
    heard(told, other, "expired")
    settled(told)


def test_a_canceled_verification_is_told_and_does_not_expire(told: Told) -> None:
    at = told.world
    verification = at.started(at.number())
    at.services.verifications.cancel(verification)
    at.services.verifications.cancel(verification)
    data = heard(told, verification, "failed")
    assert (data["reason"], data["status"]) == ("canceled", "canceled")
    expire(told)
    assert told.receiver.whats(verification)["expired"] == 0


def test_a_verification_that_nobody_ended_is_told_to_have_expired(told: Told) -> None:
    at = told.world
    verification = at.started(at.number())
    heard(told, verification, "delivered")
    at.clock.advance(303)
    data = heard(told, verification, "expired")
    assert data["status"] == "expired"
    (event,) = [one.event for one in told.receiver.of(verification) if one.what == "expired"]
    ended = datetime.fromisoformat(event["timestamp"])
    assert ended == at.look(verification).verification.expires_at
    # It has ended, and ends in no other way.
    assert at.services.verifications.cancel(verification) is CancelOutcome.CLOSED
    settled(told)
    assert told.receiver.whats(verification) == {"requested": 1, "delivered": 1, "expired": 1}


def test_a_verified_one_does_not_expire(told: Told) -> None:
    at = told.world
    verification = at.started(at.number())
    at.services.verifications.check(verification, at.code(verification))
    heard(told, verification, "verified")
    expire(told)
    assert told.receiver.whats(verification)["expired"] == 0


@pytest.mark.parametrize("ending", ["0801", "0802", "0803"])
def test_callbacks_that_are_doubled_late_or_forged_tell_nothing_twice(
    told: Told, ending: str
) -> None:
    at = told.world
    verification = at.started(at.number(ending))
    heard(told, verification, "delivered")
    name = {"0801": "repeated", "0802": "late", "0803": "forged"}[ending]
    until(lambda: name in at.services.ledger.counters())
    settled(told)
    assert told.receiver.whats(verification) == {"requested": 1, "delivered": 1}


def test_what_was_told_can_be_checked_and_what_was_changed_is_refused(told: Told) -> None:
    at = told.world
    verification = at.started(at.number())
    heard(told, verification, "requested")
    one = told.receiver.of(verification)[0]
    webhook = Webhook(SECRET)
    assert webhook.verify(one.body, one.headers) == one.event
    forged = one.body.replace(b"pending", b"verified")
    assert forged != one.body
    older = str(int(one.headers["webhook-timestamp"]) - 1)
    for body, headers in (
        (forged, one.headers),
        (one.body, one.headers | {"webhook-id": f"{verification}_verified"}),
        (one.body, one.headers | {"webhook-timestamp": older}),
    ):
        with pytest.raises(WebhookVerificationError, match="No matching signature"):
            webhook.verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 32).verify(one.body, one.headers)
    at.clock.advance(301)
    with pytest.raises(WebhookVerificationError, match="too old"):
        webhook.verify(one.body, one.headers)


def test_sample_traffic_is_never_told(told: Told) -> None:
    at = told.world
    loaded = at.services.sample.load(days=2, per_day=60)
    assert loaded.applied > 60
    counts = at.services.outbox.counts()
    assert (counts.waiting, counts.told_today, counts.dead) == (0, 0, 0)
    assert told.receiver.heard == []


def test_nothing_is_queued_where_nobody_is_told(
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
        until(lambda: client.llen(at.services.keys.checks) == 0)
        keys = at.services.keys
        named = {keys.outbox, keys.outbox_events, keys.dead, keys.dead_events, keys.expiries}
        assert not named & set(client.scan_iter())
        assert at.services.outbox.receiver is None


def test_nothing_told_holds_a_code_or_a_number_and_no_log_holds_the_address(
    told: Told, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    at = told.world
    # The first answer is no, so that there is a cause to be logged too.
    told.receiver.answers[:] = [(500, {}), (200, {})]
    numbers, codes = [], []
    for ending in ("5555", "0030", "0402"):
        number = at.number(ending)
        verification = at.started(number)
        code = at.code(verification)
        numbers.append(number)
        codes.append(code)
        at.services.verifications.check(verification, at.wrong_code(verification))
        at.services.verifications.check(verification, code)
        heard(told, verification, "verified")
    at.clock.advance(7)
    settled(told)
    kept = repr([*client.scan_iter()]) + repr(client.hgetall(at.services.keys.outbox_events))
    logged = "\n".join(
        f"{record.getMessage()} {record.__dict__}"
        for record in caplog.records
        # The sandbox is Plivo and the phone; the product turns these libraries' own lines off.
        if not record.name.startswith(("core.sandbox", "httpx", "httpcore"))
    )
    assert "event not taken" in logged
    assert "event told" in logged
    for text in (b"".join(one.body for one in told.receiver.heard).decode(), kept, logged):
        for number, code in zip(numbers, codes, strict=True):
            assert number.lstrip("+") not in text
            assert not re.search(rf"(?<![\da-z]){code}(?![\da-z])", text)
        assert PATH not in text
        assert SECRET not in text
    assert "t0ken" not in repr(at.services)


def test_every_key_has_an_end(told: Told, client: redis.Redis) -> None:
    at = told.world
    told.receiver.answers[:] = [(410, {}), (500, {})]
    at.started(at.number())
    until(lambda: at.services.outbox.counts().dead == 1)
    for key in client.scan_iter():
        assert client.pttl(key) > 0, key

"""The queue: each event once, each claim for one worker, and no event lost with a worker."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import redis
from hypothesis import example, given
from hypothesis import strategies as st

from core.model.attempt import EventKind
from core.model.verification import CancelOutcome, Status
from core.store.keys import Keys
from core.webhooks.alert_event import WEBHOOK, AlertEvent, AlertEventKind, queue_alerts
from core.webhooks.answer import Answer, Verdict
from core.webhooks.event import QueuedEvent, WebhookEvent, WebhookKind
from core.webhooks.expiry import GRACE
from core.webhooks.queue import CLAIM, DEAD_KEPT
from core.webhooks.retry_schedule import TRIES, WAITS
from tests.properties import sharing_fixtures
from tests.webhooks.queue_process import ACCEPTED, GONE, LIFETIME, REFUSED, QueueProcess
from tests.world import FrozenClock

SECOND = timedelta(seconds=1)
FAILURES = {EventKind.REJECTED, EventKind.FAILED, EventKind.UNDELIVERED}
REPORTED = [kind for kind in EventKind if kind not in {EventKind.CHECKED, EventKind.VERIFIED}]


@pytest.fixture
def process(client: redis.Redis) -> QueueProcess:
    return QueueProcess(client, FrozenClock())


def of_verification(event: QueuedEvent) -> WebhookEvent:
    assert isinstance(event, WebhookEvent)
    return event


# Adding events


@sharing_fixtures(60)
@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.sampled_from(REPORTED)), max_size=12))
@example([(1, EventKind.FAILED), (1, EventKind.UNDELIVERED), (1, EventKind.DELIVERED)])
@example([(1, EventKind.DELIVERED), (1, EventKind.FAILED), (1, EventKind.DELIVERED)])
def test_any_order_and_repetition_of_reports_queues_each_event_once(
    process: QueueProcess, reports: list[tuple[int, EventKind]]
) -> None:
    verification = process.start()
    process.apply(verification, [(2, EventKind.REQUESTED)])
    delivered = process.deliver_all()
    for report in reports:
        process.apply(verification, [report])
        # A delivered event is gone from the queue: a duplicate would be seen.
        delivered += process.deliver_all()
    expected = {f"{verification}_requested"}
    for number in (1, 2):
        kinds = [kind for n, kind in reports if n == number]
        arrived = kinds.index(EventKind.DELIVERED) if EventKind.DELIVERED in kinds else None
        if arrived is not None:
            expected.add(f"{verification}-{number}_delivered")
        if FAILURES & set(kinds[:arrived]):
            expected.add(f"{verification}-{number}_failed")
    assert sorted(delivered) == sorted(expected)


def test_the_same_reports_in_two_processes_at_once_are_queued_once(
    process: QueueProcess, client: redis.Redis
) -> None:
    started = [process.start() for _ in range(20)]
    process.deliver_all()
    barrier = threading.Barrier(2)

    def apply() -> None:
        other = QueueProcess(client, process.clock)
        barrier.wait()
        for verification in started:
            other.apply(verification, [(1, EventKind.SENT), (1, EventKind.DELIVERED)])

    _both(apply)
    assert sorted(process.deliver_all()) == sorted(
        f"{verification}-1_delivered" for verification in started
    )


def test_an_event_does_not_change_with_what_comes_after_it(process: QueueProcess) -> None:
    verification = process.start()
    first = process.claim_one()
    process.apply(verification, [(1, EventKind.SENT), (1, EventKind.DELIVERED)])
    process.records.cancel(verification, process.clock.now())
    process.clock.advance(CLAIM)
    (again,) = [claim for claim in process.outbox.claim(10) if claim.event.id == first.event.id]
    assert again.event.body == first.event.body
    assert of_verification(again.event).status == "pending"


@pytest.mark.parametrize("end", [ACCEPTED, GONE])
def test_the_end_of_an_alert_is_sent_after_its_beginning(
    process: QueueProcess, client: redis.Redis, end: Answer
) -> None:
    def queue(kind: AlertEventKind, after: str = "") -> str:
        event_id, now = f"alert_1_{kind}", process.clock.now()
        event = AlertEvent(event_id, kind, now, WEBHOOK, "", "", "", {}, after)
        with client.pipeline() as pipe:
            queue_alerts(pipe, Keys("sandbox"), [event], now)
            pipe.execute()
        return event_id

    firing = queue(AlertEventKind.FIRING)
    process.outbox.settle(process.claim_one(), REFUSED)
    resolved = queue(AlertEventKind.RESOLVED, firing)
    for _ in range(4):
        assert process.outbox.claim(10) == []
        process.clock.advance(SECOND)
    process.clock.advance(WAITS[0])
    claim = process.claim_one()
    assert claim.event.id == firing
    process.outbox.settle(claim, end)
    process.clock.advance(SECOND)
    assert process.claim_one().event.id == resolved


# Expiry


@pytest.mark.race
def test_two_sweepers_queue_each_expiry_once(process: QueueProcess, client: redis.Redis) -> None:
    started = [process.start() for _ in range(250)]
    process.deliver_all()
    process.clock.advance(LIFETIME + GRACE)
    # One sweeper loads the script during the run of the other.
    client.script_flush()
    barrier = threading.Barrier(2)
    counts = []

    def sweep() -> None:
        other = QueueProcess(client, process.clock)
        barrier.wait()
        counts.append(other.expiries.sweep())

    _both(sweep)
    assert sum(counts) == len(started)
    assert sorted(process.deliver_all()) == sorted(
        f"{verification}_expired" for verification in started
    )
    assert process.expiries.sweep() == 0


def test_an_expiry_is_queued_after_the_grace_and_never_before(process: QueueProcess) -> None:
    verification = process.start()
    process.deliver_all()
    process.clock.advance(LIFETIME + GRACE - timedelta(milliseconds=1))
    assert process.expiries.sweep() == 0
    process.clock.advance(timedelta(milliseconds=1))
    assert process.expiries.sweep() == 1
    event = of_verification(process.claim_one().event)
    assert (event.id, event.status) == (f"{verification}_expired", "expired")


def test_a_verification_canceled_in_the_last_moment_does_not_expire_too(
    process: QueueProcess,
) -> None:
    verification = process.start()
    process.clock.advance(LIFETIME - timedelta(milliseconds=1))
    assert process.records.cancel(verification, process.clock.now()) == "canceled"
    process.clock.advance(LIFETIME)
    assert process.expiries.sweep() == 0
    assert sorted(process.deliver_all()) == [f"{verification}_failed", f"{verification}_requested"]


def test_a_cancel_between_the_expiry_and_the_sweep_changes_nothing(process: QueueProcess) -> None:
    verification = process.start()
    process.clock.advance(LIFETIME)
    now = process.clock.now()
    assert process.records.cancel(verification, now) is CancelOutcome.CLOSED
    kept = process.records.get(verification, now)
    assert kept is not None
    assert kept.status is Status.EXPIRED
    process.clock.advance(GRACE)
    assert process.expiries.sweep() == 1
    assert sorted(process.deliver_all()) == [f"{verification}_expired", f"{verification}_requested"]


# Claims


def test_a_claimed_event_is_not_claimed_again_until_the_claim_ends(process: QueueProcess) -> None:
    verification = process.start()
    first = process.claim_one()
    assert first.tries == 1
    process.clock.advance(CLAIM - timedelta(milliseconds=1))
    assert process.outbox.claim(10) == []
    process.clock.advance(timedelta(milliseconds=1))
    second = process.claim_one()
    assert second.tries == 2
    assert second.event == first.event
    process.outbox.settle(second, ACCEPTED)
    assert process.outbox.counts().waiting == 0
    assert second.event.id == f"{verification}_requested"


@pytest.mark.parametrize("answer", [REFUSED, GONE])
def test_an_expired_claim_settles_nothing(process: QueueProcess, answer: Answer) -> None:
    process.start()
    late = process.claim_one()
    process.clock.advance(CLAIM)
    newer = process.claim_one()
    process.outbox.settle(late, answer)
    # The newer claim still holds.
    assert process.outbox.claim(10) == []
    assert process.outbox.counts().dead == 0
    process.outbox.settle(newer, ACCEPTED)
    process.outbox.settle(late, answer)
    counts = process.outbox.counts()
    assert (counts.waiting, counts.delivered_today, counts.dead) == (0, 1, 0)


def test_an_event_that_was_accepted_late_is_not_sent_again(process: QueueProcess) -> None:
    process.start()
    late = process.claim_one()
    process.clock.advance(CLAIM)
    newer = process.claim_one()
    process.outbox.settle(late, ACCEPTED)
    process.outbox.settle(newer, REFUSED)
    process.outbox.settle(newer, ACCEPTED)
    counts = process.outbox.counts()
    assert (counts.waiting, counts.delivered_today, counts.dead) == (0, 1, 0)
    process.clock.advance(WAITS[-1])
    assert process.outbox.claim(10) == []


@pytest.mark.race
def test_claimers_share_the_events_and_no_event_is_claimed_twice(
    process: QueueProcess, client: redis.Redis
) -> None:
    started = [process.start() for _ in range(120)]
    barrier = threading.Barrier(2)
    ids: list[str] = []

    def claim() -> None:
        other = QueueProcess(client, process.clock)
        barrier.wait()
        while claims := other.outbox.claim(7):
            ids.extend(claim.event.id for claim in claims)

    _both(claim)
    assert sorted(ids) == sorted(f"{verification}_requested" for verification in started)


# Tries and dead letters


def test_an_event_is_tried_after_each_wait_and_then_a_dead_letter(process: QueueProcess) -> None:
    verification = process.start()
    for n, wait in enumerate(WAITS, start=1):
        claim = process.claim_one()
        assert claim.tries == n
        process.outbox.settle(claim, REFUSED)
        process.clock.advance(wait - timedelta(milliseconds=1))
        assert process.outbox.claim(10) == []
        process.clock.advance(timedelta(milliseconds=1))
    assert process.outbox.dead_letters() == []
    last = process.claim_one()
    assert last.tries == TRIES
    process.outbox.settle(last, REFUSED)
    (dead,) = process.outbox.dead_letters()
    assert dead.event == last.event
    assert dead.event.id == f"{verification}_requested"
    assert (dead.tries, dead.status, dead.cause) == (TRIES, 500, "It answered with HTTP 500.")
    assert dead.given_up_at == process.clock.now()
    counts = process.outbox.counts()
    assert (counts.waiting, counts.delivered_today, counts.dead) == (0, 0, 1)
    process.clock.advance(timedelta(days=2))
    assert process.outbox.claim(10) == []


@pytest.mark.parametrize(
    ("retry_after", "tries", "wait"),
    [
        (timedelta(minutes=5), 1, timedelta(minutes=5)),
        (timedelta(days=3), 1, timedelta(hours=2)),
        (timedelta(0), 1, WAITS[0]),
        (SECOND, 4, WAITS[3]),
    ],
)
def test_a_receiver_may_request_a_longer_wait_within_bounds(
    process: QueueProcess, retry_after: timedelta, tries: int, wait: timedelta
) -> None:
    process.start()
    for earlier in WAITS[: tries - 1]:
        process.outbox.settle(process.claim_one(), REFUSED)
        process.clock.advance(earlier)
    busy = Answer(Verdict.REFUSED, 429, "It answered with HTTP 429.", retry_after)
    process.outbox.settle(process.claim_one(), busy)
    process.clock.advance(wait - timedelta(milliseconds=1))
    assert process.outbox.claim(10) == []
    process.clock.advance(timedelta(milliseconds=1))
    assert process.claim_one().tries == tries + 1


def test_a_receiver_that_wants_no_more_makes_a_dead_letter_at_once(process: QueueProcess) -> None:
    process.start()
    process.outbox.settle(process.claim_one(), GONE)
    (dead,) = process.outbox.dead_letters()
    assert (dead.tries, dead.status) == (1, 410)


def test_a_dead_letter_that_is_sent_again_has_all_its_tries_once(process: QueueProcess) -> None:
    process.start()
    process.outbox.settle(process.claim_one(), GONE)
    (dead,) = process.outbox.dead_letters()
    assert process.outbox.resend(dead.event.id)
    assert not process.outbox.resend(dead.event.id)
    assert not process.outbox.resend("no such event")
    assert process.outbox.dead_letters() == []
    claim = process.claim_one()
    assert (claim.tries, claim.event) == (1, dead.event)
    process.outbox.settle(claim, ACCEPTED)
    counts = process.outbox.counts()
    assert (counts.waiting, counts.delivered_today, counts.dead) == (0, 1, 0)
    assert process.client.keys("*dead*") == []


def test_all_dead_letters_can_be_sent_again(process: QueueProcess) -> None:
    started = [process.start() for _ in range(5)]
    for claim in process.outbox.claim(10):
        process.outbox.settle(claim, GONE)
    assert process.outbox.resend_all() == 5
    assert process.outbox.resend_all() == 0
    assert sorted(process.deliver_all()) == sorted(
        f"{verification}_requested" for verification in started
    )


def test_the_newest_dead_letters_are_kept_and_the_newest_comes_first(process: QueueProcess) -> None:
    started = []
    for _ in range(DEAD_KEPT + 5):
        started.append(process.start())
        process.outbox.settle(process.claim_one(), GONE)
        process.clock.advance(timedelta(milliseconds=1))
    dead = process.outbox.dead_letters()
    newest = [f"{verification}_requested" for verification in reversed(started)]
    assert [letter.event.id for letter in dead] == newest[:DEAD_KEPT]
    assert [letter.event.id for letter in process.outbox.dead_letters(3)] == newest[:3]
    assert process.client.hlen(process.keys.dead_events) == 3 * DEAD_KEPT
    assert process.client.exists(process.keys.outbox, process.keys.outbox_events) == 0


def test_deliveries_of_yesterday_are_not_counted_today(process: QueueProcess) -> None:
    process.start()
    process.deliver_all()
    assert process.outbox.counts().delivered_today == 1
    process.clock.advance(timedelta(days=1))
    assert process.outbox.counts().delivered_today == 0


def test_every_key_of_the_queue_has_a_ttl_at_every_step(process: QueueProcess) -> None:
    def check_ttls() -> None:
        for key in process.client.scan_iter():
            assert process.client.pttl(key) > 0, key

    verification = process.start()
    check_ttls()
    process.outbox.settle(process.claim_one(), REFUSED)
    check_ttls()
    process.clock.advance(WAITS[0])
    process.outbox.settle(process.claim_one(), GONE)
    check_ttls()
    process.outbox.resend(f"{verification}_requested")
    check_ttls()
    process.deliver_all()
    process.clock.advance(LIFETIME + GRACE)
    process.expiries.sweep()
    check_ttls()
    assert of_verification(process.claim_one().event).kind is WebhookKind.EXPIRED


def _both(work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

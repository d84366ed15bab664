"""The worker in its thread, with receivers that are down, slow or gone, and workers that die."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import redis

from core.model.errors import StoreUnavailable
from core.webhooks.answer import Answer
from core.webhooks.queue import CLAIM, Claim
from core.webhooks.retry_schedule import SPREAD, WAITS
from core.webhooks.worker import AT_ONCE, WebhookWorker
from tests.webhooks.conftest import SECRET, move_the_receivers_clock
from tests.webhooks.queue_process import QueueProcess
from tests.webhooks.receiver import receiving
from tests.world import MovableClock, until

PAST = timedelta(seconds=1)


@pytest.fixture
def process(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> QueueProcess:
    clock = MovableClock()
    move_the_receivers_clock(clock, monkeypatch)
    return QueueProcess(client, clock)


@contextmanager
def working(worker: WebhookWorker) -> Iterator[None]:
    worker.background.start()
    try:
        yield
    finally:
        worker.background.stop()


def last_answer(process: QueueProcess, event_id: str) -> str:
    """The stored answer of the last try of an event; "" before the first."""
    answer = process.client.hget(process.keys.outbox_events, f"{event_id} last")
    return str(answer or "")


def test_a_receiver_that_was_down_gets_the_event_when_it_is_up_again(process: QueueProcess) -> None:
    with receiving(SECRET) as (_, url):
        port = int(url.split(":")[2].partition("/")[0])
    verification = process.start()
    with working(process.worker(url, SECRET)):
        until(lambda: "cannot be reached" in last_answer(process, f"{verification}_requested"))
        with receiving(SECRET, port) as (receiver, _):
            process.clock.advance(WAITS[0] * (1 + SPREAD) + PAST)
            until(lambda: receiver.requests)
            until(lambda: process.outbox.counts().waiting == 0)
    assert [event.id for event in receiver.requests] == [f"{verification}_requested"]
    assert process.outbox.counts().delivered_today == 1


def test_a_refused_event_is_sent_again_unchanged(process: QueueProcess) -> None:
    with receiving(SECRET) as (receiver, url), working(process.worker(url, SECRET)):
        receiver.answers[:] = [(500, {}), (302, {"location": "/elsewhere"}), (200, {})]
        verification = process.start()
        event_id = f"{verification}_requested"
        until(lambda: len(receiver.requests) == 1 and _is_due_after(process, event_id, WAITS[0]))
        process.clock.advance(WAITS[0] * (1 + SPREAD) + PAST)
        until(lambda: len(receiver.requests) == 2 and _is_due_after(process, event_id, WAITS[1]))
        process.clock.advance(WAITS[1] * (1 + SPREAD) + PAST)
        until(lambda: process.outbox.counts().delivered_today == 1)
    assert len(receiver.requests) == 3
    assert len({(request.id, request.body) for request in receiver.requests}) == 1
    assert receiver.other_paths == []


def _is_due_after(process: QueueProcess, event_id: str, wait: timedelta) -> bool:
    """Whether its try has been settled: until then, it is due at the end of its claim."""
    due_ms = process.client.zscore(process.keys.outbox, event_id)
    assert due_ms is not None
    return timedelta(seconds=float(due_ms) / 1000 - process.clock.now().timestamp()) <= wait


def test_a_410_makes_a_dead_letter_and_an_operator_can_send_it_again(process: QueueProcess) -> None:
    with receiving(SECRET) as (receiver, url), working(process.worker(url, SECRET)):
        receiver.answers[:] = [(410, {}), (200, {})]
        verification = process.start()
        until(lambda: process.outbox.counts().dead == 1)
        (dead,) = process.outbox.dead_letters()
        assert (dead.event.id, dead.tries, dead.status) == (f"{verification}_requested", 1, 410)
        assert process.outbox.resend(dead.event.id)
        until(lambda: process.outbox.counts().delivered_today == 1)
    assert Counter(event.id for event in receiver.requests) == {f"{verification}_requested": 2}


@pytest.mark.race
def test_two_workers_at_once_send_each_event_once(
    process: QueueProcess, client: redis.Redis
) -> None:
    other = QueueProcess(client, process.clock)
    with receiving(SECRET) as (receiver, url):
        started = [process.start() for _ in range(150)]
        with working(process.worker(url, SECRET)), working(other.worker(url, SECRET)):
            until(lambda: process.outbox.counts().delivered_today == len(started))
    assert Counter(event.id for event in receiver.requests) == {
        f"{verification}_requested": 1 for verification in started
    }


def test_a_worker_that_died_with_an_event_is_followed_by_another(process: QueueProcess) -> None:
    verification = process.start()
    # Claimed and never settled, as by a process that was killed.
    process.claim_one()
    with receiving(SECRET) as (receiver, url), working(process.worker(url, SECRET)):
        after = process.start()
        until(lambda: process.outbox.counts().delivered_today == 1)
        assert [event.id for event in receiver.requests] == [f"{after}_requested"]
        process.clock.advance(CLAIM)
        until(lambda: process.outbox.counts().delivered_today == 2)
    assert [event.id for event in receiver.requests][1:] == [f"{verification}_requested"]


def test_an_event_without_an_answer_delays_no_other(process: QueueProcess) -> None:
    with receiving(SECRET) as (receiver, url), working(process.worker(url, SECRET)):
        stuck = process.start()
        receiver.held.add(f"{stuck}_requested")
        until(lambda: receiver.requests)
        others = [process.start() for _ in range(3 * AT_ONCE)]
        until(lambda: process.outbox.counts().delivered_today == len(others))
        assert process.outbox.counts().waiting == 1
        # It has no answer yet: the others did not wait for its deadline.
        assert last_answer(process, f"{stuck}_requested") == ""
        receiver.held.clear()
        until(lambda: process.outbox.counts().waiting == 0)


def test_a_stopped_worker_leaves_unanswered_events_to_the_next(process: QueueProcess) -> None:
    with receiving(SECRET) as (receiver, url):
        stuck = process.start()
        receiver.held.add(f"{stuck}_requested")
        worker = process.worker(url, SECRET)
        with working(worker):
            until(lambda: receiver.requests)
        assert process.outbox.counts().waiting == 1
        # The worker did not wait for the deadline of the answer.
        assert last_answer(process, f"{stuck}_requested") == ""
        receiver.held.clear()
        process.clock.advance(CLAIM)
        with working(process.worker(url, SECRET)):
            until(lambda: process.outbox.counts().delivered_today == 1)
    # The first try may have been accepted: the receiver drops duplicates by the id.
    assert Counter(event.id for event in receiver.requests) == {f"{stuck}_requested": 2}


def test_an_accepted_event_is_not_sent_again_where_redis_was_away(
    process: QueueProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_away = threading.Event()
    settled: list[str] = []
    claim, settle = process.outbox.claim, process.outbox.settle

    def claim_if_there(most: int) -> list[Claim]:
        if is_away.is_set():
            raise StoreUnavailable("Redis cannot be reached.", "Wait.")
        return claim(most)

    def settle_if_there(of: Claim, answer: Answer) -> None:
        settled.append(of.event.id)
        if is_away.is_set():
            raise StoreUnavailable("Redis cannot be reached.", "Wait.")
        settle(of, answer)

    monkeypatch.setattr(process.outbox, "claim", claim_if_there)
    monkeypatch.setattr(process.outbox, "settle", settle_if_there)
    with receiving(SECRET) as (receiver, url), working(process.worker(url, SECRET)):
        verification = process.start()
        is_held = receiver.held
        is_held.add(f"{verification}_requested")
        until(lambda: receiver.requests)
        is_away.set()
        is_held.clear()
        # Longer than a stop waits for a try.
        until(lambda: len(settled) >= 7)
        is_away.clear()
        until(lambda: process.outbox.counts().delivered_today == 1)
        process.clock.advance(CLAIM + PAST)
        process.start()
        until(lambda: process.outbox.counts().delivered_today == 2)
    assert len(receiver.requests) == 2
    assert len({request.id for request in receiver.requests}) == 2


def test_the_worker_sweeps_expired_verifications(process: QueueProcess) -> None:
    with receiving(SECRET) as (receiver, url), working(process.worker(url, SECRET)):
        verification = process.start()
        until(lambda: receiver.kinds(verification)["requested"])
        process.clock.advance(303)
        until(lambda: receiver.kinds(verification)["expired"])
        until(lambda: process.outbox.counts().waiting == 0)
    assert receiver.kinds(verification) == {"requested": 1, "expired": 1}


def test_workers_leave_no_thread_behind(process: QueueProcess) -> None:
    before = threading.active_count()
    with receiving(SECRET) as (_, url), working(process.worker(url, SECRET)):
        process.start()
        until(lambda: process.outbox.counts().delivered_today == 1)
    assert threading.active_count() == before

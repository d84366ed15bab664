"""The worker in its thread: receivers that are down, slow or gone, and workers that die."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import redis

from core.webhooks.queue import CLAIM
from core.webhooks.retry_schedule import SPREAD, WAITS
from core.webhooks.worker import AT_ONCE, WebhookWorker
from tests.webhooks.conftest import SECRET, let_the_receivers_clock_go_with
from tests.webhooks.desk import Desk
from tests.webhooks.receiver import receiving
from tests.world import MovableClock, until

PAST = timedelta(seconds=1)


@pytest.fixture
def desk(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Desk:
    clock = MovableClock()
    let_the_receivers_clock_go_with(clock, monkeypatch)
    return Desk(client, clock)


@contextmanager
def working(worker: WebhookWorker) -> Iterator[None]:
    worker.background.start()
    try:
        yield
    finally:
        worker.background.stop()


def last_word(desk: Desk, one: str) -> str:
    """How the last try of an event ended, as it is kept; "" before that."""
    found = desk.client.hget(desk.keys.outbox_events, f"{one} last")
    return str(found or "")


def test_a_receiver_that_was_down_is_told_when_it_is_up_again(desk: Desk) -> None:
    with receiving(SECRET) as (_, url):
        port = int(url.split(":")[2].partition("/")[0])
    verification = desk.start()
    with working(desk.worker(url, SECRET)):
        until(lambda: "cannot be reached" in last_word(desk, f"{verification}_requested"))
        with receiving(SECRET, port) as (receiver, _):
            desk.clock.advance(WAITS[0] * (1 + SPREAD) + PAST)
            until(lambda: receiver.heard)
            until(lambda: desk.outbox.counts().waiting == 0)
    assert [one.id for one in receiver.heard] == [f"{verification}_requested"]
    assert desk.outbox.counts().delivered_today == 1


def test_a_refused_event_comes_again_and_the_same(desk: Desk) -> None:
    with receiving(SECRET) as (receiver, url), working(desk.worker(url, SECRET)):
        receiver.answers[:] = [(500, {}), (302, {"location": "/elsewhere"}), (200, {})]
        verification = desk.start()
        one = f"{verification}_requested"
        until(lambda: len(receiver.heard) == 1 and _is_due_after(desk, one, WAITS[0]))
        desk.clock.advance(WAITS[0] * (1 + SPREAD) + PAST)
        until(lambda: len(receiver.heard) == 2 and _is_due_after(desk, one, WAITS[1]))
        desk.clock.advance(WAITS[1] * (1 + SPREAD) + PAST)
        until(lambda: desk.outbox.counts().delivered_today == 1)
    assert len(receiver.heard) == 3
    assert len({(heard.id, heard.body) for heard in receiver.heard}) == 1
    assert receiver.strayed == []


def _is_due_after(desk: Desk, one: str, wait: timedelta) -> bool:
    """Whether its try has been settled: until then, it is due when its claim is over."""
    due_ms = desk.client.zscore(desk.keys.outbox, one)
    assert due_ms is not None
    return timedelta(seconds=float(due_ms) / 1000 - desk.clock.now().timestamp()) <= wait


def test_gone_is_a_dead_letter_and_an_operator_can_send_it_again(desk: Desk) -> None:
    with receiving(SECRET) as (receiver, url), working(desk.worker(url, SECRET)):
        receiver.answers[:] = [(410, {}), (200, {})]
        verification = desk.start()
        until(lambda: desk.outbox.counts().dead == 1)
        (dead,) = desk.outbox.dead_letters()
        assert (dead.event.verification, dead.tries, dead.status) == (verification, 1, 410)
        assert desk.outbox.resend(dead.event.id)
        until(lambda: desk.outbox.counts().delivered_today == 1)
    assert Counter(one.id for one in receiver.heard) == {f"{verification}_requested": 2}


@pytest.mark.race
def test_two_workers_at_once_send_each_event_once(desk: Desk, client: redis.Redis) -> None:
    other = Desk(client, desk.clock)
    with receiving(SECRET) as (receiver, url):
        made = [desk.start() for _ in range(150)]
        with working(desk.worker(url, SECRET)), working(other.worker(url, SECRET)):
            until(lambda: desk.outbox.counts().delivered_today == len(made))
    assert Counter(one.id for one in receiver.heard) == {f"{one}_requested": 1 for one in made}


def test_a_worker_that_died_with_an_event_is_followed_by_another(desk: Desk) -> None:
    verification = desk.start()
    # Claimed and never settled: all that is left of a process that was killed.
    desk.claim_one()
    with receiving(SECRET) as (receiver, url), working(desk.worker(url, SECRET)):
        after = desk.start()
        until(lambda: desk.outbox.counts().delivered_today == 1)
        assert [one.id for one in receiver.heard] == [f"{after}_requested"]
        desk.clock.advance(CLAIM)
        until(lambda: desk.outbox.counts().delivered_today == 2)
    assert [one.id for one in receiver.heard][1:] == [f"{verification}_requested"]


def test_one_event_that_hangs_holds_up_no_other(desk: Desk) -> None:
    with receiving(SECRET) as (receiver, url), working(desk.worker(url, SECRET)):
        stuck = desk.start()
        receiver.held.add(f"{stuck}_requested")
        until(lambda: receiver.heard)
        others = [desk.start() for _ in range(3 * AT_ONCE)]
        until(lambda: desk.outbox.counts().delivered_today == len(others))
        assert desk.outbox.counts().waiting == 1
        # It hangs still: the others did not wait for its deadline.
        assert last_word(desk, f"{stuck}_requested") == ""
        receiver.held.clear()
        until(lambda: desk.outbox.counts().waiting == 0)


def test_a_worker_that_is_stopped_leaves_what_hangs_to_the_next(desk: Desk) -> None:
    with receiving(SECRET) as (receiver, url):
        stuck = desk.start()
        receiver.held.add(f"{stuck}_requested")
        worker = desk.worker(url, SECRET)
        with working(worker):
            until(lambda: receiver.heard)
            began = time.monotonic()
        assert time.monotonic() - began < 5
        assert desk.outbox.counts().waiting == 1
        receiver.held.clear()
        desk.clock.advance(CLAIM)
        with working(desk.worker(url, SECRET)):
            until(lambda: desk.outbox.counts().delivered_today == 1)
    # It may have been taken the first time: that is what its constant id is for.
    assert Counter(one.id for one in receiver.heard) == {f"{stuck}_requested": 2}


def test_what_expires_is_swept_by_the_worker(desk: Desk) -> None:
    with receiving(SECRET) as (receiver, url), working(desk.worker(url, SECRET)):
        verification = desk.start()
        until(lambda: receiver.whats(verification)["requested"])
        desk.clock.advance(303)
        until(lambda: receiver.whats(verification)["expired"])
        until(lambda: desk.outbox.counts().waiting == 0)
    assert receiver.whats(verification) == {"requested": 1, "expired": 1}


def test_workers_leave_no_thread_behind(desk: Desk) -> None:
    before = threading.active_count()
    with receiving(SECRET) as (_, url), working(desk.worker(url, SECRET)):
        desk.start()
        until(lambda: desk.outbox.counts().delivered_today == 1)
    assert threading.active_count() == before

"""The queue: each event in it once, each claim one worker's, nothing lost with whoever dies."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import redis
from hypothesis import example, given
from hypothesis import strategies as st

from core.model.attempt import EventKind
from core.model.verification import CancelOutcome, Status
from core.webhooks.event import WebhookKind
from core.webhooks.expiry import GRACE
from core.webhooks.queue import CLAIM, DEAD_KEPT
from core.webhooks.retry_schedule import TRIES, WAITS
from core.webhooks.sender import Answer, Verdict
from tests.properties import sharing_fixtures
from tests.webhooks.desk import GONE, LIFETIME, REFUSED, TAKEN, Desk
from tests.world import FrozenClock

SECOND = timedelta(seconds=1)
LOST = {EventKind.REJECTED, EventKind.FAILED, EventKind.UNDELIVERED}
HEARD = [kind for kind in EventKind if kind not in {EventKind.CHECKED, EventKind.VERIFIED}]


@pytest.fixture
def desk(client: redis.Redis) -> Desk:
    return Desk(client, FrozenClock())


# What comes into it


@sharing_fixtures(60)
@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.sampled_from(HEARD)), max_size=12))
@example([(1, EventKind.FAILED), (1, EventKind.UNDELIVERED), (1, EventKind.DELIVERED)])
@example([(1, EventKind.DELIVERED), (1, EventKind.FAILED), (1, EventKind.DELIVERED)])
def test_any_order_and_repetition_of_news_queues_each_event_once(
    desk: Desk, news: list[tuple[int, EventKind]]
) -> None:
    verification = desk.start()
    desk.hear(verification, [(2, EventKind.REQUESTED)])
    told = desk.take_all()
    for one in news:
        desk.hear(verification, [one])
        # Told, it is gone from the queue: a second one would not be mistaken for the first.
        told += desk.take_all()
    expected = {f"{verification}_requested"}
    for number in (1, 2):
        kinds = [kind for n, kind in news if n == number]
        arrived = kinds.index(EventKind.DELIVERED) if EventKind.DELIVERED in kinds else None
        if arrived is not None:
            expected.add(f"{verification}-{number}_delivered")
        if LOST & set(kinds[:arrived]):
            expected.add(f"{verification}-{number}_failed")
    assert sorted(told) == sorted(expected)


def test_the_same_news_heard_by_two_processes_at_once_is_queued_once(
    desk: Desk, client: redis.Redis
) -> None:
    made = [desk.start() for _ in range(20)]
    desk.take_all()
    barrier = threading.Barrier(2)

    def hear() -> None:
        other = Desk(client, desk.clock)
        barrier.wait()
        for verification in made:
            other.hear(verification, [(1, EventKind.SENT), (1, EventKind.DELIVERED)])

    _both(hear)
    assert sorted(desk.take_all()) == sorted(f"{one}-1_delivered" for one in made)


def test_an_event_does_not_change_with_what_comes_after_it(desk: Desk) -> None:
    verification = desk.start()
    first = desk.claim_one()
    desk.hear(verification, [(1, EventKind.SENT), (1, EventKind.DELIVERED)])
    desk.records.cancel(verification, desk.clock.now())
    desk.clock.advance(CLAIM)
    (again,) = [one for one in desk.outbox.claim(10) if one.event.id == first.event.id]
    assert again.event.body == first.event.body
    assert again.event.status == "pending"


# Expiry


@pytest.mark.race
def test_two_sweepers_tell_each_expiry_once(desk: Desk, client: redis.Redis) -> None:
    made = [desk.start() for _ in range(250)]
    desk.take_all()
    desk.clock.advance(LIFETIME + GRACE)
    # So that one of them loads the script while the other is half through.
    client.script_flush()
    barrier = threading.Barrier(2)
    found = []

    def sweep() -> None:
        other = Desk(client, desk.clock)
        barrier.wait()
        found.append(other.expiries.sweep())

    _both(sweep)
    assert sum(found) == len(made)
    assert sorted(desk.take_all()) == sorted(f"{one}_expired" for one in made)
    assert desk.expiries.sweep() == 0


def test_an_expiry_is_told_after_the_grace_and_never_before(desk: Desk) -> None:
    verification = desk.start()
    desk.take_all()
    desk.clock.advance(LIFETIME + GRACE - timedelta(milliseconds=1))
    assert desk.expiries.sweep() == 0
    desk.clock.advance(timedelta(milliseconds=1))
    assert desk.expiries.sweep() == 1
    event = desk.claim_one().event
    assert (event.id, event.status) == (f"{verification}_expired", "expired")


def test_what_ended_in_the_last_moment_does_not_expire_too(desk: Desk) -> None:
    verification = desk.start()
    desk.clock.advance(LIFETIME - timedelta(milliseconds=1))
    assert desk.records.cancel(verification, desk.clock.now()) == "canceled"
    desk.clock.advance(LIFETIME)
    assert desk.expiries.sweep() == 0
    assert sorted(desk.take_all()) == [f"{verification}_failed", f"{verification}_requested"]


def test_a_cancel_between_the_expiry_and_the_sweep_changes_nothing(desk: Desk) -> None:
    verification = desk.start()
    desk.clock.advance(LIFETIME)
    now = desk.clock.now()
    assert desk.records.cancel(verification, now) is CancelOutcome.CLOSED
    kept = desk.records.get(verification, now)
    assert kept is not None
    assert kept.status is Status.EXPIRED
    desk.clock.advance(GRACE)
    assert desk.expiries.sweep() == 1
    assert sorted(desk.take_all()) == [f"{verification}_expired", f"{verification}_requested"]


# Claims


def test_a_claimed_event_is_nobody_elses_until_its_claimer_has_died(desk: Desk) -> None:
    verification = desk.start()
    first = desk.claim_one()
    assert first.tries == 1
    desk.clock.advance(CLAIM - timedelta(milliseconds=1))
    assert desk.outbox.claim(10) == []
    desk.clock.advance(timedelta(milliseconds=1))
    second = desk.claim_one()
    assert second.tries == 2
    assert second.event == first.event
    desk.outbox.settle(second, TAKEN)
    assert desk.outbox.counts().waiting == 0
    assert second.event.id == f"{verification}_requested"


@pytest.mark.parametrize("answer", [REFUSED, GONE])
def test_a_claim_that_ran_out_settles_nothing(desk: Desk, answer: Answer) -> None:
    desk.start()
    late = desk.claim_one()
    desk.clock.advance(CLAIM)
    newer = desk.claim_one()
    desk.outbox.settle(late, answer)
    # Still the newer claimer's, and due again when that one's time is over.
    assert desk.outbox.claim(10) == []
    assert desk.outbox.counts().dead == 0
    desk.outbox.settle(newer, TAKEN)
    desk.outbox.settle(late, answer)
    counts = desk.outbox.counts()
    assert (counts.waiting, counts.told_today, counts.dead) == (0, 1, 0)


def test_an_event_that_was_taken_late_is_not_sent_again(desk: Desk) -> None:
    desk.start()
    late = desk.claim_one()
    desk.clock.advance(CLAIM)
    newer = desk.claim_one()
    desk.outbox.settle(late, TAKEN)
    desk.outbox.settle(newer, REFUSED)
    desk.outbox.settle(newer, TAKEN)
    counts = desk.outbox.counts()
    assert (counts.waiting, counts.told_today, counts.dead) == (0, 1, 0)
    desk.clock.advance(WAITS[-1])
    assert desk.outbox.claim(10) == []


@pytest.mark.race
def test_many_claimers_share_the_events_and_none_gets_one_twice(
    desk: Desk, client: redis.Redis
) -> None:
    made = [desk.start() for _ in range(120)]
    barrier = threading.Barrier(2)
    found: list[str] = []

    def claim() -> None:
        other = Desk(client, desk.clock)
        barrier.wait()
        while claims := other.outbox.claim(7):
            found.extend(one.event.id for one in claims)

    _both(claim)
    assert sorted(found) == sorted(f"{one}_requested" for one in made)


# Tries and dead letters


def test_an_event_is_tried_after_each_wait_and_then_given_up(desk: Desk) -> None:
    verification = desk.start()
    for n, wait in enumerate(WAITS, start=1):
        claim = desk.claim_one()
        assert claim.tries == n
        desk.outbox.settle(claim, REFUSED)
        desk.clock.advance(wait - timedelta(milliseconds=1))
        assert desk.outbox.claim(10) == []
        desk.clock.advance(timedelta(milliseconds=1))
    assert desk.outbox.dead_letters() == []
    last = desk.claim_one()
    assert last.tries == TRIES
    desk.outbox.settle(last, REFUSED)
    (dead,) = desk.outbox.dead_letters()
    assert dead.event == last.event
    assert dead.event.id == f"{verification}_requested"
    assert (dead.tries, dead.status, dead.cause) == (TRIES, 500, "It answered with HTTP 500.")
    assert dead.given_up_at == desk.clock.now()
    counts = desk.outbox.counts()
    assert (counts.waiting, counts.told_today, counts.dead) == (0, 0, 1)
    desk.clock.advance(timedelta(days=2))
    assert desk.outbox.claim(10) == []


@pytest.mark.parametrize(
    ("asked", "tries", "wait"),
    [
        (timedelta(minutes=5), 1, timedelta(minutes=5)),
        (timedelta(days=3), 1, timedelta(hours=2)),
        (timedelta(0), 1, WAITS[0]),
        (SECOND, 4, WAITS[3]),
    ],
)
def test_a_receiver_may_ask_for_a_longer_wait_within_bounds(
    desk: Desk, asked: timedelta, tries: int, wait: timedelta
) -> None:
    desk.start()
    for earlier in WAITS[: tries - 1]:
        desk.outbox.settle(desk.claim_one(), REFUSED)
        desk.clock.advance(earlier)
    busy = Answer(Verdict.REFUSED, 429, "It answered with HTTP 429.", asked)
    desk.outbox.settle(desk.claim_one(), busy)
    desk.clock.advance(wait - timedelta(milliseconds=1))
    assert desk.outbox.claim(10) == []
    desk.clock.advance(timedelta(milliseconds=1))
    assert desk.claim_one().tries == tries + 1


def test_a_receiver_that_wants_no_more_makes_a_dead_letter_at_once(desk: Desk) -> None:
    desk.start()
    desk.outbox.settle(desk.claim_one(), GONE)
    (dead,) = desk.outbox.dead_letters()
    assert (dead.tries, dead.status) == (1, 410)


def test_a_dead_letter_that_is_sent_again_has_all_its_tries_once(desk: Desk) -> None:
    desk.start()
    desk.outbox.settle(desk.claim_one(), GONE)
    (dead,) = desk.outbox.dead_letters()
    assert desk.outbox.resend(dead.event.id)
    assert not desk.outbox.resend(dead.event.id)
    assert not desk.outbox.resend("no such event")
    assert desk.outbox.dead_letters() == []
    claim = desk.claim_one()
    assert (claim.tries, claim.event) == (1, dead.event)
    desk.outbox.settle(claim, TAKEN)
    counts = desk.outbox.counts()
    assert (counts.waiting, counts.told_today, counts.dead) == (0, 1, 0)
    assert desk.client.keys("*dead*") == []


def test_all_dead_letters_can_be_sent_again(desk: Desk) -> None:
    made = [desk.start() for _ in range(5)]
    for claim in desk.outbox.claim(10):
        desk.outbox.settle(claim, GONE)
    assert desk.outbox.resend_all() == 5
    assert desk.outbox.resend_all() == 0
    assert sorted(desk.take_all()) == sorted(f"{one}_requested" for one in made)


def test_the_newest_dead_letters_are_kept_and_the_newest_comes_first(desk: Desk) -> None:
    made = []
    for _ in range(DEAD_KEPT + 5):
        made.append(desk.start())
        desk.outbox.settle(desk.claim_one(), GONE)
        desk.clock.advance(timedelta(milliseconds=1))
    dead = desk.outbox.dead_letters()
    assert [one.event.verification for one in dead] == made[: -DEAD_KEPT - 1 : -1]
    assert [one.event.verification for one in desk.outbox.dead_letters(3)] == made[:-4:-1]
    assert desk.client.hlen(desk.keys.dead_events) == 3 * DEAD_KEPT
    assert desk.client.exists(desk.keys.outbox, desk.keys.outbox_events) == 0


def test_what_was_told_yesterday_is_not_counted_today(desk: Desk) -> None:
    desk.start()
    desk.take_all()
    assert desk.outbox.counts().told_today == 1
    desk.clock.advance(timedelta(days=1))
    assert desk.outbox.counts().told_today == 0


def test_every_key_of_the_queue_has_an_end_at_every_step(desk: Desk) -> None:
    def ends() -> None:
        for key in desk.client.scan_iter():
            assert desk.client.pttl(key) > 0, key

    verification = desk.start()
    ends()
    desk.outbox.settle(desk.claim_one(), REFUSED)
    ends()
    desk.clock.advance(WAITS[0])
    desk.outbox.settle(desk.claim_one(), GONE)
    ends()
    desk.outbox.resend(f"{verification}_requested")
    ends()
    desk.take_all()
    desk.clock.advance(LIFETIME + GRACE)
    desk.expiries.sweep()
    ends()
    assert desk.claim_one().event.what is WebhookKind.EXPIRED


def _both(work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

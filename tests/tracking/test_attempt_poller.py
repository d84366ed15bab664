"""Following attempts by asking: real Redis, the SDK, and a Plivo that says what a test needs."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import redis

from core.ledger.exchanges import Exchanges
from core.ledger.ledger import Ledger
from core.log import logged_id
from core.model.attempt import Attempt, AttemptEvent, EventKind, Source, State
from core.model.way import Way
from core.plivo.client import PlivoClients
from core.store.keys import Keys
from core.store.scripts import Scripts
from core.tracking.attempt_poller import ANSWERED_BY, FIRST, HORIZON, SLOWEST, AttemptPoller
from tests.plivo.scripted import (
    AUTH_ID,
    AUTH_TOKEN,
    REFERENCE,
    Answer,
    Asked,
    Scripted,
    says,
    scripted,
)
from tests.plivo.test_records import CALL, LIVE, MESSAGE
from tests.world import FrozenClock, World, until

#: An environment of its own: the product's own follower does not see these attempts.
KEYS = Keys("polling-test")
KEEP = timedelta(days=1)
VERIFICATION = "abcdefghijklmnopqrstuvwx"
REQUESTED: dict[str, str] = {
    **Way.PHLO_SMS.fields,
    "to_masked": "+1 •••",
    "region": "US",
    "carrier": "",
}


class Following:
    """An empty ledger, a clock that stands still, and as many followers as a test starts."""

    def __init__(self, client: Any, plivo: Scripted) -> None:
        # Any: redis-py types its answers as bytes or text, awaitable or not.
        self.client = client
        self.plivo = plivo
        self.clock = FrozenClock()
        self.scripts = Scripts(client)
        self.ledger = Ledger(client, self.scripts, KEYS, self.clock, KEEP)
        self.exchanges = Exchanges(client, KEYS, KEEP)

    def follower(self, clients: PlivoClients | None = None) -> AttemptPoller:
        """A follower, as each process has one."""
        clients = clients or self.plivo.clients()
        return AttemptPoller(
            self.client, self.scripts, KEYS, self.clock, self.ledger, clients, self.exchanges
        )

    def attempt(self, n: int = 1, way: Way = Way.PHLO_SMS, reference: str = REFERENCE) -> str:
        """An attempt that Plivo has accepted just now, followed."""
        attempt = f"{VERIFICATION}-{n}"
        self.book(attempt, EventKind.REQUESTED, REQUESTED | way.fields)
        self.book(attempt, EventKind.ACCEPTED, {"reference": reference} if reference else {})
        self.follower().follow(attempt)
        return attempt

    def book(self, attempt: str, kind: EventKind, fields: dict[str, str]) -> None:
        self.ledger.apply(AttemptEvent(attempt, kind, self.clock.now(), Source.APP, fields))

    def of(self, attempt: str) -> Attempt:
        found = self.ledger.attempt(attempt)
        assert found is not None
        return found

    @property
    def followed(self) -> list[str]:
        return sorted(self.client.zrange(KEYS.follow, 0, -1))


@pytest.fixture
def following(client: redis.Redis) -> Iterator[Following]:
    with scripted() as plivo:
        yield Following(client, plivo)


def message(state: str) -> Answer:
    return says(200, **(MESSAGE | {"message_state": state}))


UNKNOWN = says(404, error="not found")


def test_nothing_is_asked_before_the_first_wait_is_over(following: Following) -> None:
    following.plivo.plays(message("queued"))
    following.attempt()
    follower = following.follower()
    following.clock.advance(FIRST - timedelta(milliseconds=1))
    assert follower.ask_due() == 0
    following.clock.advance(timedelta(milliseconds=1))
    assert follower.ask_due() == 1
    assert len(following.plivo.asked) == 1


def test_a_message_is_followed_until_its_state_is_final(following: Following) -> None:
    attempt = following.attempt()
    follower = following.follower()
    seen = []
    for state in ("queued", "sent", "delivered"):
        following.plivo.plays(message(state))
        following.clock.advance(5)
        assert follower.ask_due() == 1
        seen.append(following.of(attempt).state)
    assert seen == [State.QUEUED, State.SENT, State.DELIVERED]
    assert following.followed == []
    following.clock.advance(timedelta(hours=1))
    assert follower.ask_due() == 0
    assert len(following.plivo.asked) == 3


@pytest.mark.parametrize("state", ["delivered", "undelivered", "failed"])
def test_every_final_state_ends_it(following: Following, state: str) -> None:
    following.plivo.plays(message(state))
    attempt = following.attempt()
    following.clock.advance(FIRST)
    following.follower().ask_due()
    assert following.of(attempt).state is State(state)
    assert following.followed == []


def test_what_a_callback_has_ended_is_asked_after_once_more_at_most(following: Following) -> None:
    following.plivo.plays(message("sent"))
    attempt = following.attempt()
    following.book(attempt, EventKind.DELIVERED, {})
    following.clock.advance(FIRST)
    following.follower().ask_due()
    assert following.of(attempt).state is State.DELIVERED
    assert following.followed == []


def test_a_call_is_looked_for_among_the_live_ones_until_it_has_a_record(
    following: Following,
) -> None:
    attempt = following.attempt(way=Way.PHLO_CALL)
    follower = following.follower()
    ringing, talking = (
        says(200, **(LIVE | {"call_status": s})) for s in ("ringing", "in-progress")
    )
    seen = []
    # Each time the record is asked for first, then the live call.
    for answers in (
        [UNKNOWN, UNKNOWN],
        [UNKNOWN, ringing],
        [UNKNOWN, talking],
        [says(200, **CALL)],
    ):
        following.plivo.plays(*answers)
        following.clock.advance(10)
        assert follower.ask_due() == 1
        seen.append(following.of(attempt).state)
    paths = [asked.path for asked in following.plivo.asked]
    assert ["status=live" in path for path in paths] == [False, True] * 3 + [False]
    assert seen == [State.ACCEPTED, State.RINGING, State.ANSWERED, State.DELIVERED]
    assert following.followed == []


@pytest.mark.race
def test_two_followers_share_the_work_and_ask_about_nothing_twice(following: Following) -> None:
    references = {f"{n:08}-bfc7-4daf-9d06-726c558bf3b8" for n in range(50)}
    for n, reference in enumerate(sorted(references), start=1):
        following.attempt(n, reference=reference)

    def answer(asked: Asked) -> Answer:
        reference = asked.path.rstrip("/").rpartition("/")[2]
        return says(200, **(MESSAGE | {"message_state": "sent", "message_uuid": reference}))

    following.plivo.answer = answer
    following.clock.advance(FIRST)

    def work(follower: AttemptPoller) -> int:
        asked = 0
        while due := follower.ask_due():
            asked += due
        return asked

    with ThreadPoolExecutor(2) as pool:
        shares = list(pool.map(work, [following.follower(), following.follower()]))
    asked = [one.path.rstrip("/").rpartition("/")[2] for one in following.plivo.asked]
    assert sum(shares) == 50
    assert sorted(asked) == sorted(references)


def test_following_goes_on_after_a_restart(following: Following) -> None:
    following.plivo.plays(message("delivered"))
    attempt = following.attempt()
    following.clock.advance(timedelta(minutes=2))
    # Another process, with clients and scripts of its own.
    again = Following(following.client, following.plivo)
    again.clock = following.clock
    assert again.follower().ask_due() == 1
    assert again.of(attempt).state is State.DELIVERED


def test_what_a_dead_process_had_claimed_comes_back(following: Following) -> None:
    following.plivo.plays(message("delivered"))
    attempt = following.attempt()
    following.clock.advance(FIRST)

    class Killed(BaseException):
        """As SIGKILL: nothing of the process's own runs after it."""

    def no_address() -> str:
        raise Killed

    dying = PlivoClients(AUTH_ID, AUTH_TOKEN, timeout=(1, 1), base=no_address)
    with pytest.raises(Killed):
        following.follower(dying).ask_due()
    survivor = following.follower()
    assert survivor.ask_due() == 0
    assert following.followed == [attempt]
    following.clock.advance(30)
    assert survivor.ask_due() == 1
    assert following.of(attempt).state is State.DELIVERED


def test_an_attempt_that_is_no_longer_kept_is_forgotten(following: Following) -> None:
    following.follower().follow(f"{VERIFICATION}-9")
    following.clock.advance(FIRST)
    following.follower().ask_due()
    assert following.followed == []
    assert following.plivo.asked == []


def test_an_attempt_without_a_reference_is_not_asked_after(following: Following) -> None:
    attempt = following.attempt(reference="")
    following.clock.advance(FIRST)
    assert following.follower().ask_due() == 1
    assert following.plivo.asked == []
    assert following.of(attempt).state is State.ACCEPTED


@pytest.mark.parametrize("way", [Way.PHLO_SMS, Way.PHLO_CALL])
def test_a_record_that_plivo_does_not_have_yet_is_no_news(following: Following, way: Way) -> None:
    following.plivo.plays(UNKNOWN)
    attempt = following.attempt(way=way)
    following.clock.advance(FIRST)
    following.follower().ask_due()
    assert following.of(attempt).state is State.ACCEPTED
    assert following.followed == [attempt]


def test_an_attempt_whose_sender_has_died_becomes_unknown(following: Following) -> None:
    """Followed from before Plivo was asked; nothing came after."""
    attempt = f"{VERIFICATION}-1"
    following.book(attempt, EventKind.REQUESTED, REQUESTED)
    follower = following.follower()
    follower.follow(attempt, ANSWERED_BY)
    following.clock.advance(ANSWERED_BY)
    assert follower.ask_due() == 1
    # A send may take that long; a moment later nobody is left who waits for an answer.
    assert following.of(attempt).state is State.REQUESTED
    following.clock.advance(SLOWEST)
    assert follower.ask_due() == 1
    assert following.of(attempt).state is State.UNKNOWN
    assert following.of(attempt).remedy.startswith("It may still arrive")
    assert following.followed == []
    assert following.plivo.asked == []


def test_an_exchange_is_kept_where_it_brought_news(following: Following) -> None:
    following.attempt()
    follower = following.follower()
    for state in ("sent", "sent", "delivered"):
        following.plivo.plays(message(state))
        following.clock.advance(5)
        follower.ask_due()
    shown = following.exchanges.of(VERIFICATION)
    assert [one.answer["message_state"] for one in shown] == ["sent", "delivered"]
    assert MESSAGE["to_number"] not in repr(shown)


BAD = {
    **{str(status): says(status, error="no") for status in (401, 429, 500, 503)},
    "cut": Answer(200, b"{}", cut=1),
    "no JSON": Answer(200, b"<html>"),
    "null": Answer(200, b"null"),
    "empty": says(200),
    "unknown state": message("received"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("way", [Way.PHLO_SMS, Way.PHLO_CALL])
def test_one_bad_answer_ends_neither_this_following_nor_the_others(
    following: Following, bad: Answer, way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    other = "00000000-bfc7-4daf-9d06-726c558bf3b8"
    one, two = following.attempt(1, way), following.attempt(2, reference=other)
    following.plivo.answer = lambda asked: message("delivered") if other in asked.path else bad
    following.clock.advance(FIRST)
    caplog.set_level(logging.WARNING)
    assert following.follower().ask_due() == 2
    assert following.of(two).state is State.DELIVERED
    assert following.of(one).state is State.ACCEPTED
    assert following.followed == [one]
    if not (way.is_call and bad is BAD["empty"]):  # A call without an end is a live one.
        assert [record.attempt for record in caplog.records] == [logged_id(one)]  # type: ignore[attr-defined]


def test_the_questions_thin_out_and_end(following: Following) -> None:
    following.plivo.plays(message("sent"))
    attempt = following.attempt()
    follower = following.follower()
    start = following.clock.now()
    gaps = []
    while following.followed:
        ((_, due),) = following.client.zrange(KEYS.follow, 0, -1, withscores=True)
        wait = timedelta(milliseconds=due) - timedelta(seconds=following.clock.now().timestamp())
        gaps.append(wait)
        following.clock.advance(wait)
        assert follower.ask_due() == 1
    assert gaps[0] == FIRST
    assert gaps == sorted(gaps)
    assert gaps[-1] == SLOWEST
    assert HORIZON < following.clock.now() - start <= HORIZON + SLOWEST
    # Plivo's limit for lists is 20 a minute; this is one attempt's whole life.
    assert len(following.plivo.asked) == len(gaps) < 60
    assert following.of(attempt).state is State.SENT


def test_what_is_followed_does_not_stay_for_ever(following: Following) -> None:
    following.attempt()
    assert 0 < following.client.ttl(KEYS.follow) <= 24 * 3600


def test_a_thread_follows_until_it_is_stopped(following: Following) -> None:
    following.plivo.plays(message("delivered"))
    follower = following.follower()
    follower.start()
    try:
        attempt = following.attempt()
        following.clock.advance(FIRST)
        until(lambda: following.of(attempt).state is State.DELIVERED)
    finally:
        follower.stop()
    late = following.attempt(2)
    following.clock.advance(timedelta(minutes=1))
    assert following.of(late).state is State.ACCEPTED


# The whole product, with the sandbox for Plivo: nothing calls back about a PHLO.


def test_a_phlos_message_is_followed_to_its_end(at: World, client: redis.Redis) -> None:
    verification = at.started(at.number(), Way.PHLO_SMS)
    until(lambda: at.look(verification).attempts[0].state is State.DELIVERED)
    attempt = at.look(verification).attempts[0]
    heard = at.services.ledger.heard(attempt.id)
    assert {one["source"] for one in heard} == {"app", "poll"}
    moments = attempt.moments
    assert moments[EventKind.QUEUED] <= moments[EventKind.SENT] <= moments[EventKind.DELIVERED]
    assert attempt.cost_micros > 0
    until(lambda: not client.exists(at.services.keys.follow))


def test_a_phlos_message_that_fails_says_why(at: World) -> None:
    verification = at.started(at.number("0030"), Way.PHLO_SMS)
    until(lambda: at.look(verification).attempts[0].state.is_lost)
    assert at.look(verification).attempts[0].error_code == "30"


def test_a_phlos_call_is_followed_from_ringing_to_heard(at: World) -> None:
    number = at.number()
    verification = at.started(number, Way.PHLO_CALL)
    until(lambda: at.look(verification).attempts[0].state is State.RINGING)
    at.touch(number, at.call(number, "ringing"), "answer")
    until(lambda: at.look(verification).attempts[0].state is State.ANSWERED)
    until(lambda: at.handset(number)["calls"][0]["waits_for_key"])
    at.touch(number, at.call(number, "in-progress"), "press/1")
    until(lambda: at.look(verification).attempts[0].state is State.DELIVERED)
    assert at.look(verification).attempts[0].hangup_cause == "4010"


def test_a_phlos_call_that_is_declined_is_followed_to_its_end(at: World) -> None:
    number = at.number()
    verification = at.started(number, Way.PHLO_CALL)
    at.touch(number, at.call(number, "ringing"), "decline")
    until(lambda: at.look(verification).attempts[0].state is State.UNDELIVERED)
    assert at.look(verification).attempts[0].hangup_cause == "3020"

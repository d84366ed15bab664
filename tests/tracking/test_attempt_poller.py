"""Polling attempts, with real Redis, the SDK, and a Plivo with scripted answers."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import redis

from core.background import Periodic
from core.ledger.exchanges import Exchanges
from core.ledger.ledger import Ledger
from core.log import logged_id
from core.model.attempt import Attempt, AttemptEvent, EventKind, Source, State
from core.model.way import Way
from core.plivo.client import PlivoClients
from core.store.keys import Keys
from core.store.scripts import Scripts
from core.tracking.attempt_poller import (
    ANSWERED_BY,
    FIRST_POLL_AFTER,
    POLLING_HORIZON,
    SLOWEST,
    TICK,
    AttemptPoller,
)
from tests.plivo.scripted import (
    AUTH_ID,
    AUTH_TOKEN,
    REFERENCE,
    Answer,
    ReceivedRequest,
    Scripted,
    json_answer,
    scripted,
)
from tests.plivo.test_records import CALL, LIVE, MESSAGE
from tests.world import FrozenClock, World, until

#: An environment of its own: the product's own poller does not see these attempts.
KEYS = Keys("polling-test")
KEEP = timedelta(days=1)
VERIFICATION = "abcdefghijklmnopqrstuvwx"
REQUESTED: dict[str, str] = {
    **Way.PHLO_SMS.fields,
    "to_masked": "+1 •••",
    "region": "US",
    "carrier": "",
}


class Polling:
    """An empty ledger, a clock that stands still, and as many pollers as a test starts."""

    def __init__(self, client: Any, plivo: Scripted) -> None:
        # Any: redis-py types its answers as bytes or text, awaitable or not.
        self.client = client
        self.plivo = plivo
        self.clock = FrozenClock()
        self.scripts = Scripts(client)
        self.ledger = Ledger(client, self.scripts, KEYS, self.clock, KEEP)
        self.exchanges = Exchanges(client, KEYS, KEEP)

    def poller(self, clients: PlivoClients | None = None) -> AttemptPoller:
        """A poller, as in each process."""
        clients = clients or self.plivo.clients()
        return AttemptPoller(
            self.client, self.scripts, KEYS, self.clock, self.ledger, clients, self.exchanges
        )

    def attempt(self, n: int = 1, way: Way = Way.PHLO_SMS, reference: str = REFERENCE) -> str:
        """A polled attempt that Plivo has just accepted."""
        attempt = f"{VERIFICATION}-{n}"
        self.apply(attempt, EventKind.REQUESTED, REQUESTED | way.fields)
        self.apply(attempt, EventKind.ACCEPTED, {"reference": reference} if reference else {})
        self.poller().schedule(attempt)
        return attempt

    def apply(self, attempt: str, kind: EventKind, fields: dict[str, str]) -> None:
        self.ledger.apply(AttemptEvent(attempt, kind, self.clock.now(), Source.APP, fields))

    def of(self, attempt: str) -> Attempt:
        stored = self.ledger.attempt(attempt)
        assert stored is not None
        return stored

    @property
    def polled(self) -> list[str]:
        return sorted(self.client.zrange(KEYS.polls, 0, -1))


@pytest.fixture
def polling(client: redis.Redis) -> Iterator[Polling]:
    with scripted() as plivo:
        yield Polling(client, plivo)


def message(state: str) -> Answer:
    return json_answer(200, **(MESSAGE | {"message_state": state}))


UNKNOWN = json_answer(404, error="not found")


def test_no_attempt_is_polled_before_the_first_wait_is_over(polling: Polling) -> None:
    polling.plivo.answer_with(message("queued"))
    polling.attempt()
    poller = polling.poller()
    polling.clock.advance(FIRST_POLL_AFTER - timedelta(milliseconds=1))
    assert poller.poll_due() == 0
    polling.clock.advance(timedelta(milliseconds=1))
    assert poller.poll_due() == 1
    assert len(polling.plivo.requests) == 1


def test_a_message_is_polled_until_its_state_is_final(polling: Polling) -> None:
    attempt = polling.attempt()
    poller = polling.poller()
    seen = []
    for state in ("queued", "sent", "delivered"):
        polling.plivo.answer_with(message(state))
        polling.clock.advance(5)
        assert poller.poll_due() == 1
        seen.append(polling.of(attempt).state)
    assert seen == [State.QUEUED, State.SENT, State.DELIVERED]
    assert polling.polled == []
    polling.clock.advance(timedelta(hours=1))
    assert poller.poll_due() == 0
    assert len(polling.plivo.requests) == 3


@pytest.mark.parametrize("state", ["delivered", "undelivered", "failed"])
def test_every_final_state_ends_the_polling(polling: Polling, state: str) -> None:
    polling.plivo.answer_with(message(state))
    attempt = polling.attempt()
    polling.clock.advance(FIRST_POLL_AFTER)
    polling.poller().poll_due()
    assert polling.of(attempt).state is State(state)
    assert polling.polled == []


def test_an_attempt_that_a_callback_has_ended_is_polled_at_most_once_more(polling: Polling) -> None:
    polling.plivo.answer_with(message("sent"))
    attempt = polling.attempt()
    polling.apply(attempt, EventKind.DELIVERED, {})
    polling.clock.advance(FIRST_POLL_AFTER)
    polling.poller().poll_due()
    assert polling.of(attempt).state is State.DELIVERED
    assert polling.polled == []


def test_a_call_is_looked_for_among_the_live_ones_until_it_has_a_record(
    polling: Polling,
) -> None:
    attempt = polling.attempt(way=Way.PHLO_CALL)
    poller = polling.poller()
    ringing, talking = (
        json_answer(200, **(LIVE | {"call_status": s})) for s in ("ringing", "in-progress")
    )
    seen = []
    # Each time the record is read first, then the live call.
    for answers in (
        [UNKNOWN, UNKNOWN],
        [UNKNOWN, ringing],
        [UNKNOWN, talking],
        [json_answer(200, **CALL)],
    ):
        polling.plivo.answer_with(*answers)
        polling.clock.advance(10)
        assert poller.poll_due() == 1
        seen.append(polling.of(attempt).state)
    paths = [request.path for request in polling.plivo.requests]
    assert ["status=live" in path for path in paths] == [False, True] * 3 + [False]
    assert seen == [State.ACCEPTED, State.RINGING, State.ANSWERED, State.DELIVERED]
    assert polling.polled == []


@pytest.mark.race
def test_two_pollers_share_the_work_and_poll_no_attempt_twice(polling: Polling) -> None:
    references = {f"{n:08}-bfc7-4daf-9d06-726c558bf3b8" for n in range(50)}
    for n, reference in enumerate(sorted(references), start=1):
        polling.attempt(n, reference=reference)

    def answer(request: ReceivedRequest) -> Answer:
        reference = request.path.rstrip("/").rpartition("/")[2]
        return json_answer(200, **(MESSAGE | {"message_state": "sent", "message_uuid": reference}))

    polling.plivo.answer = answer
    polling.clock.advance(FIRST_POLL_AFTER)

    def work(poller: AttemptPoller) -> int:
        count = 0
        while due := poller.poll_due():
            count += due
        return count

    with ThreadPoolExecutor(2) as pool:
        shares = list(pool.map(work, [polling.poller(), polling.poller()]))
    polled = [request.path.rstrip("/").rpartition("/")[2] for request in polling.plivo.requests]
    assert sum(shares) == 50
    assert sorted(polled) == sorted(references)


def test_polling_goes_on_after_a_restart(polling: Polling) -> None:
    polling.plivo.answer_with(message("delivered"))
    attempt = polling.attempt()
    polling.clock.advance(timedelta(minutes=2))
    # Another process, with clients and scripts of its own.
    again = Polling(polling.client, polling.plivo)
    again.clock = polling.clock
    assert again.poller().poll_due() == 1
    assert again.of(attempt).state is State.DELIVERED


def test_the_claims_of_a_dead_process_are_due_again(polling: Polling) -> None:
    polling.plivo.answer_with(message("delivered"))
    attempt = polling.attempt()
    polling.clock.advance(FIRST_POLL_AFTER)

    class Killed(BaseException):
        """As SIGKILL: nothing of the process's own runs after it."""

    def no_address() -> str:
        raise Killed

    dying = PlivoClients(AUTH_ID, AUTH_TOKEN, timeout=(1, 1), base=no_address)
    with pytest.raises(Killed):
        polling.poller(dying).poll_due()
    survivor = polling.poller()
    assert survivor.poll_due() == 0
    assert polling.polled == [attempt]
    polling.clock.advance(30)
    assert survivor.poll_due() == 1
    assert polling.of(attempt).state is State.DELIVERED


def test_an_attempt_that_is_no_longer_kept_is_forgotten(polling: Polling) -> None:
    polling.poller().schedule(f"{VERIFICATION}-9")
    polling.clock.advance(FIRST_POLL_AFTER)
    polling.poller().poll_due()
    assert polling.polled == []
    assert polling.plivo.requests == []


def test_an_attempt_without_a_reference_is_not_polled(polling: Polling) -> None:
    attempt = polling.attempt(reference="")
    polling.clock.advance(FIRST_POLL_AFTER)
    assert polling.poller().poll_due() == 1
    assert polling.plivo.requests == []
    assert polling.of(attempt).state is State.ACCEPTED


@pytest.mark.parametrize("way", [Way.PHLO_SMS, Way.PHLO_CALL])
def test_a_record_that_plivo_does_not_have_yet_is_no_event(polling: Polling, way: Way) -> None:
    polling.plivo.answer_with(UNKNOWN)
    attempt = polling.attempt(way=way)
    polling.clock.advance(FIRST_POLL_AFTER)
    polling.poller().poll_due()
    assert polling.of(attempt).state is State.ACCEPTED
    assert polling.polled == [attempt]


def test_an_attempt_whose_sender_has_died_becomes_unclear(polling: Polling) -> None:
    """Polled from before the send; no answer was recorded."""
    attempt = f"{VERIFICATION}-1"
    polling.apply(attempt, EventKind.REQUESTED, REQUESTED)
    poller = polling.poller()
    poller.schedule(attempt, ANSWERED_BY)
    polling.clock.advance(ANSWERED_BY)
    assert poller.poll_due() == 1
    # A send may take that long; a moment later no process waits for an answer any more.
    assert polling.of(attempt).state is State.REQUESTED
    polling.clock.advance(SLOWEST)
    assert poller.poll_due() == 1
    assert polling.of(attempt).state is State.UNCLEAR
    assert polling.of(attempt).remedy.startswith("It may still arrive")
    assert polling.polled == []
    assert polling.plivo.requests == []


def test_an_exchange_is_kept_if_it_changed_the_attempt(polling: Polling) -> None:
    polling.attempt()
    poller = polling.poller()
    for state in ("sent", "sent", "delivered"):
        polling.plivo.answer_with(message(state))
        polling.clock.advance(5)
        poller.poll_due()
    shown = polling.exchanges.of(VERIFICATION)
    assert [one.answer["message_state"] for one in shown] == ["sent", "delivered"]
    assert MESSAGE["to_number"] not in repr(shown)


BAD = {
    **{str(status): json_answer(status, error="no") for status in (401, 429, 500, 503)},
    "cut": Answer(200, b"{}", cut=1),
    "no JSON": Answer(200, b"<html>"),
    "null": Answer(200, b"null"),
    "empty": json_answer(200),
    "unknown state": message("received"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("way", [Way.PHLO_SMS, Way.PHLO_CALL])
def test_a_bad_answer_ends_neither_this_polling_nor_the_others(
    polling: Polling, bad: Answer, way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    other = "00000000-bfc7-4daf-9d06-726c558bf3b8"
    one, two = polling.attempt(1, way), polling.attempt(2, reference=other)
    polling.plivo.answer = lambda request: message("delivered") if other in request.path else bad
    polling.clock.advance(FIRST_POLL_AFTER)
    caplog.set_level(logging.WARNING)
    assert polling.poller().poll_due() == 2
    assert polling.of(two).state is State.DELIVERED
    assert polling.of(one).state is State.ACCEPTED
    assert polling.polled == [one]
    if not (way.is_call and bad is BAD["empty"]):  # A call without an end is a live one.
        assert [record.attempt for record in caplog.records] == [logged_id(one)]  # type: ignore[attr-defined]


def test_the_polls_become_rarer_and_end(polling: Polling) -> None:
    polling.plivo.answer_with(message("sent"))
    attempt = polling.attempt()
    poller = polling.poller()
    start = polling.clock.now()
    gaps = []
    while polling.polled:
        ((_, due),) = polling.client.zrange(KEYS.polls, 0, -1, withscores=True)
        wait = timedelta(milliseconds=due) - timedelta(seconds=polling.clock.now().timestamp())
        gaps.append(wait)
        polling.clock.advance(wait)
        assert poller.poll_due() == 1
    assert gaps[0] == FIRST_POLL_AFTER
    assert gaps == sorted(gaps)
    assert gaps[-1] == SLOWEST
    assert POLLING_HORIZON < polling.clock.now() - start <= POLLING_HORIZON + SLOWEST
    # Plivo's limit for lists is 20 a minute; this is one attempt's whole life.
    assert len(polling.plivo.requests) == len(gaps) < 60
    assert polling.of(attempt).state is State.SENT


def test_the_set_of_attempts_has_a_ttl(polling: Polling) -> None:
    polling.attempt()
    assert 0 < polling.client.ttl(KEYS.polls) <= 24 * 3600


def test_a_thread_polls_until_it_is_stopped(polling: Polling) -> None:
    polling.plivo.answer_with(message("delivered"))
    background = Periodic("polling", polling.poller().poll_due, TICK)
    background.start()
    try:
        attempt = polling.attempt()
        polling.clock.advance(FIRST_POLL_AFTER)
        until(lambda: polling.of(attempt).state is State.DELIVERED)
    finally:
        background.stop()
    late = polling.attempt(2)
    polling.clock.advance(timedelta(minutes=1))
    assert polling.of(late).state is State.ACCEPTED


# The whole product, with the sandbox for Plivo: nothing calls back about a PHLO.


def test_a_message_of_a_phlo_is_polled_to_its_end(at: World, client: redis.Redis) -> None:
    verification = at.started(at.number(), Way.PHLO_SMS)
    until(lambda: at.look(verification).attempts[0].state is State.DELIVERED)
    attempt = at.look(verification).attempts[0]
    events = at.services.ledger.events(attempt.id)
    assert {event.source for event in events} == {"app", "poll"}
    moments = attempt.moments
    assert moments[EventKind.QUEUED] <= moments[EventKind.SENT] <= moments[EventKind.DELIVERED]
    assert attempt.cost_micros > 0
    until(lambda: not client.exists(at.services.keys.polls))


def test_a_failed_message_of_a_phlo_has_its_error_code(at: World) -> None:
    verification = at.started(at.number("0030"), Way.PHLO_SMS)
    until(lambda: at.look(verification).attempts[0].state.is_lost)
    assert at.look(verification).attempts[0].error_code == "30"


def test_a_call_of_a_phlo_is_polled_from_ringing_to_delivered(at: World) -> None:
    number = at.number()
    verification = at.started(number, Way.PHLO_CALL)
    until(lambda: at.look(verification).attempts[0].state is State.RINGING)
    at.touch(number, at.call(number, "ringing"), "answer")
    until(lambda: at.look(verification).attempts[0].state is State.ANSWERED)
    until(lambda: at.handset(number)["calls"][0]["waits_for_key"])
    at.touch(number, at.call(number, "in-progress"), "press/1")
    until(lambda: at.look(verification).attempts[0].state is State.DELIVERED)
    assert at.look(verification).attempts[0].hangup_cause == "4010"


def test_a_declined_call_of_a_phlo_is_polled_to_its_end(at: World) -> None:
    number = at.number()
    verification = at.started(number, Way.PHLO_CALL)
    at.touch(number, at.call(number, "ringing"), "decline")
    until(lambda: at.look(verification).attempts[0].state is State.UNDELIVERED)
    assert at.look(verification).attempts[0].hangup_cause == "3020"

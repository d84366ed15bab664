"""The ledger: events in any order and with any repeats give the same attempt."""

import itertools
import re
from datetime import timedelta

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from core.ledger.ledger import EventOutcome
from core.model.attempt import RANKS, AttemptEvent, EventKind, Source, State
from core.model.way import Way
from core.store.scripts import source
from tests.properties import sharing_fixtures
from tests.world import World

FACTS = {EventKind.CHECKED, EventKind.VERIFIED}
REPORTS = [kind for kind in EventKind if kind not in FACTS and kind is not EventKind.REQUESTED]
# Of two kinds with the same rank, one belongs to messages and the other to calls.
RECEIVED: dict[Way, list[EventKind]] = {
    Way.SMS: [k for k in REPORTS if k not in {EventKind.RINGING, EventKind.ANSWERED}],
    Way.VOICE: [k for k in REPORTS if k not in {EventKind.QUEUED, EventKind.SENT}],
}
OTHER_NAMES = {EventKind.UNCONFIRMED: State.UNCLEAR, EventKind.UNREPORTED: State.UNKNOWN}
_ids = itertools.count()


def attempt_of(at: World) -> str:
    """A new attempt, with its request only."""
    attempt = f"{next(_ids):024d}-1"
    record = {"channel": "sms", "mode": "sms", "to_masked": "+1 •", "region": "US", "carrier": ""}
    event = AttemptEvent(attempt, EventKind.REQUESTED, at.clock.now(), Source.APP, record)
    assert at.services.ledger.apply(event) is EventOutcome.APPLIED
    return attempt


def receive(at: World, attempt: str, kind: EventKind, **fields: str) -> EventOutcome:
    """Apply an event. Its moment depends on its kind, in the order of a real attempt."""
    record = at.services.ledger.attempt(attempt)
    assert record is not None
    begun = record.moments[EventKind.REQUESTED]
    happened = begun + timedelta(seconds=list(EventKind).index(kind))
    return at.services.ledger.apply(AttemptEvent(attempt, kind, happened, Source.CALLBACK, fields))


def expected_state(kinds: list[EventKind]) -> State:
    top = max([EventKind.REQUESTED, *kinds], key=lambda kind: RANKS[kind])
    return OTHER_NAMES.get(top) or State(top.value)


def test_every_kind_of_event_has_a_rank_or_is_a_fact() -> None:
    assert set(RANKS) == set(EventKind) - FACTS


def test_the_script_ranks_the_kinds_as_the_model_does() -> None:
    table = source("_ledger").partition("RANK = {")[2].partition("}")[0]
    ranks = {name: int(rank) for name, rank in re.findall(r"(\w+) = (\d+)", table)}
    assert ranks == {kind.value: rank for kind, rank in RANKS.items()}


@sharing_fixtures(150)
@given(st.data(), st.sampled_from(list(RECEIVED)))
def test_events_in_any_order_and_with_repeats_end_in_the_same_state(
    at: World, data: st.DataObject, way: Way
) -> None:
    kinds: list[EventKind] = data.draw(
        st.lists(st.sampled_from(RECEIVED[way]), max_size=8, unique=True)
    )
    repeats = data.draw(st.lists(st.sampled_from(kinds), max_size=6)) if kinds else []
    results = []
    for _ in range(3):
        attempt = attempt_of(at)
        for kind in data.draw(st.permutations(kinds + repeats)):
            receive(at, attempt, kind)
        record = at.services.ledger.attempt(attempt)
        assert record is not None
        begun = record.moments[EventKind.REQUESTED]
        results.append(
            (record.state, {kind: when - begun for kind, when in record.moments.items()})
        )
    assert results[0] == results[1] == results[2]
    assert results[0][0] is expected_state(kinds)


@pytest.mark.parametrize("kind", REPORTS)
def test_a_repeated_event_changes_nothing(at: World, kind: EventKind) -> None:
    attempt = attempt_of(at)
    assert receive(at, attempt, kind) is EventOutcome.APPLIED
    before = at.services.ledger.attempt(attempt)
    assert receive(at, attempt, kind) is EventOutcome.REPEATED
    assert at.services.ledger.attempt(attempt) == before
    assert at.services.ledger.counters()["repeated"] == 1


def test_a_repeat_sets_what_is_missing_and_the_price_of_the_log(at: World) -> None:
    attempt, delivered, log_entry = attempt_of(at), EventKind.DELIVERED, {"cost_micros": "8000"}
    receive(at, attempt, delivered, cost_micros="7700")
    assert receive(at, attempt, delivered, units="2") is EventOutcome.REPEATED
    record = at.services.ledger.attempt(attempt)
    assert record is not None
    assert (record.cost_micros, record.units) == (7700, 2)
    moment = record.moments[delivered]
    at.services.ledger.apply(AttemptEvent(attempt, delivered, moment, Source.LOG, log_entry))
    assert receive(at, attempt, delivered, cost_micros="7700") is EventOutcome.REPEATED
    record = at.services.ledger.attempt(attempt)
    assert record is not None
    assert record.cost_micros == 8000


def test_a_late_event_keeps_its_moment_and_moves_no_state_back(at: World) -> None:
    attempt = attempt_of(at)
    receive(at, attempt, EventKind.DELIVERED)
    assert receive(at, attempt, EventKind.SENT) is EventOutcome.LATE
    record = at.services.ledger.attempt(attempt)
    assert record is not None
    assert record.state is State.DELIVERED
    assert record.moments[EventKind.SENT] < record.moments[EventKind.DELIVERED]


def test_any_later_event_replaces_the_state_after_a_time_out(at: World) -> None:
    attempt = attempt_of(at)
    receive(at, attempt, EventKind.UNCONFIRMED)
    record = at.services.ledger.attempt(attempt)
    assert record is not None
    assert record.state is State.UNCLEAR
    receive(at, attempt, EventKind.QUEUED)
    record = at.services.ledger.attempt(attempt)
    assert record is not None
    assert record.state is State.QUEUED


def test_the_cost_of_a_message_is_stored_with_its_attempt(at: World) -> None:
    attempt = attempt_of(at)
    receive(at, attempt, EventKind.SENT, cost_micros="7700", reference="r-1")
    receive(at, attempt, EventKind.UNDELIVERED, error_code="30")
    record = at.services.ledger.attempt(attempt)
    assert record is not None
    assert (record.cost_micros, record.reference, record.error_code) == (7700, "r-1", "30")


def test_an_event_of_an_attempt_that_is_not_kept_writes_nothing(
    at: World, client: redis.Redis
) -> None:
    event = AttemptEvent(f"{'b' * 24}-1", EventKind.SENT, at.clock.now(), Source.CALLBACK)
    assert at.services.ledger.apply(event) is EventOutcome.ORPHAN
    assert [k for k in client.scan_iter() if "counters" not in k] == []
    assert at.services.ledger.counters() == {"orphan": 1}


@pytest.mark.parametrize("attempt", ["", "x", "no such-1", "-"])
def test_an_event_of_any_unknown_attempt_is_an_orphan(at: World, attempt: str) -> None:
    event = AttemptEvent(attempt, EventKind.SENT, at.clock.now(), Source.CALLBACK)
    assert at.services.ledger.apply(event) is EventOutcome.ORPHAN


def test_all_received_events_are_kept_in_order(at: World) -> None:
    attempt = attempt_of(at)
    for kind in (EventKind.DELIVERED, EventKind.SENT, EventKind.SENT):
        receive(at, attempt, kind)
    events = at.services.ledger.events(attempt)
    assert [(event.kind, event.outcome) for event in events] == [
        ("requested", "applied"),
        ("delivered", "applied"),
        ("sent", "late"),
        ("sent", "repeated"),
    ]

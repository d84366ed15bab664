"""The ledger: any order, any number of repeats, one result."""

import itertools
import re
from datetime import timedelta

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from core.ledger.ledger import Applied
from core.model.attempt import AttemptEvent, EventKind, Source, State
from core.model.way import Way
from core.store.scripts import source
from tests.properties import sharing_fixtures
from tests.world import World

_BLOCK = source("_ledger").partition("RANK = {")[2].partition("}")[0]
RANKS = {name: int(rank) for name, rank in re.findall(r"(\w+) = (\d+)", _BLOCK)}
FACTS = {EventKind.CHECKED, EventKind.VERIFIED}
NEWS = [kind for kind in EventKind if kind not in FACTS and kind is not EventKind.REQUESTED]
# Two kinds of one rank belong to messages and to calls, and never meet.
HEARD: dict[Way, list[EventKind]] = {
    Way.SMS: [k for k in NEWS if k not in {EventKind.RINGING, EventKind.ANSWERED}],
    Way.VOICE: [k for k in NEWS if k not in {EventKind.QUEUED, EventKind.SENT}],
}
UNKNOWN = {EventKind.UNCONFIRMED, EventKind.UNREPORTED}
_ids = itertools.count()


def attempt_of(at: World) -> str:
    """A fresh attempt, requested and nothing more."""
    attempt = f"{next(_ids):024d}-1"
    record = {"channel": "sms", "mode": "sms", "to_masked": "+1 •", "region": "US", "carrier": ""}
    event = AttemptEvent(attempt, EventKind.REQUESTED, at.clock.now(), Source.APP, record)
    assert at.services.ledger.apply(event) is Applied.APPLIED
    return attempt


def tell(at: World, attempt: str, kind: EventKind, **fields: str) -> Applied:
    """One event; its moment follows from its kind, as a true one's would."""
    moment = at.services.ledger.attempt(attempt)
    assert moment is not None
    begun = moment.moments[EventKind.REQUESTED]
    happened = begun + timedelta(seconds=list(EventKind).index(kind))
    return at.services.ledger.apply(AttemptEvent(attempt, kind, happened, Source.CALLBACK, fields))


def expected_state(kinds: list[EventKind]) -> State:
    top = max([EventKind.REQUESTED, *kinds], key=lambda kind: RANKS[kind])
    return State.UNKNOWN if top in UNKNOWN else State(top.value)


def test_every_kind_of_event_has_a_rank_or_is_a_fact() -> None:
    assert set(RANKS) == {kind.value for kind in EventKind if kind not in FACTS}


@sharing_fixtures(150)
@given(st.data(), st.sampled_from(list(HEARD)))
def test_events_in_any_order_and_number_end_in_the_same_state(
    at: World, data: st.DataObject, way: Way
) -> None:
    kinds: list[EventKind] = data.draw(
        st.lists(st.sampled_from(HEARD[way]), max_size=8, unique=True)
    )
    repeats = data.draw(st.lists(st.sampled_from(kinds), max_size=6)) if kinds else []
    results = []
    for _ in range(3):
        attempt = attempt_of(at)
        for kind in data.draw(st.permutations(kinds + repeats)):
            tell(at, attempt, kind)
        found = at.services.ledger.attempt(attempt)
        assert found is not None
        begun = found.moments[EventKind.REQUESTED]
        results.append((found.state, {kind: when - begun for kind, when in found.moments.items()}))
    assert results[0] == results[1] == results[2]
    assert results[0][0] is expected_state(kinds)


@pytest.mark.parametrize("kind", NEWS)
def test_a_repeated_event_changes_nothing(at: World, kind: EventKind) -> None:
    attempt = attempt_of(at)
    assert tell(at, attempt, kind) is Applied.APPLIED
    before = at.services.ledger.attempt(attempt)
    assert tell(at, attempt, kind) is Applied.REPEATED
    assert at.services.ledger.attempt(attempt) == before
    assert at.services.ledger.counters()["repeated"] == 1


def test_an_overtaken_event_keeps_its_moment_and_moves_nothing_back(at: World) -> None:
    attempt = attempt_of(at)
    tell(at, attempt, EventKind.DELIVERED)
    assert tell(at, attempt, EventKind.SENT) is Applied.LATE
    found = at.services.ledger.attempt(attempt)
    assert found is not None
    assert found.state is State.DELIVERED
    assert found.moments[EventKind.SENT] < found.moments[EventKind.DELIVERED]


def test_a_time_out_is_settled_by_any_later_word(at: World) -> None:
    attempt = attempt_of(at)
    tell(at, attempt, EventKind.UNCONFIRMED)
    found = at.services.ledger.attempt(attempt)
    assert found is not None
    assert found.state is State.UNKNOWN
    tell(at, attempt, EventKind.QUEUED)
    found = at.services.ledger.attempt(attempt)
    assert found is not None
    assert found.state is State.QUEUED


def test_what_a_message_cost_is_kept_with_it(at: World) -> None:
    attempt = attempt_of(at)
    tell(at, attempt, EventKind.SENT, cost_micros="7700", reference="r-1")
    tell(at, attempt, EventKind.UNDELIVERED, error_code="30")
    found = at.services.ledger.attempt(attempt)
    assert found is not None
    assert (found.cost_micros, found.reference, found.error_code) == (7700, "r-1", "30")


def test_an_event_for_an_attempt_that_is_gone_writes_nothing(
    at: World, client: redis.Redis
) -> None:
    event = AttemptEvent(f"{'b' * 24}-1", EventKind.SENT, at.clock.now(), Source.CALLBACK)
    assert at.services.ledger.apply(event) is Applied.ORPHAN
    assert [k for k in client.scan_iter() if "counters" not in k] == []
    assert at.services.ledger.counters() == {"orphan": 1}


@pytest.mark.parametrize("attempt", ["", "x", "no such-1", "-"])
def test_an_attempt_of_any_name_may_be_unknown(at: World, attempt: str) -> None:
    event = AttemptEvent(attempt, EventKind.SENT, at.clock.now(), Source.CALLBACK)
    assert at.services.ledger.apply(event) is Applied.ORPHAN


def test_everything_heard_is_kept_in_order(at: World) -> None:
    attempt = attempt_of(at)
    for kind in (EventKind.DELIVERED, EventKind.SENT, EventKind.SENT):
        tell(at, attempt, kind)
    heard = [(e["kind"], e["outcome"]) for e in at.services.ledger.heard(attempt)]
    assert heard == [
        ("requested", "applied"),
        ("delivered", "applied"),
        ("sent", "late"),
        ("sent", "repeated"),
    ]

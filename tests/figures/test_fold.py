"""The fold adds each entry of the journal to the figures exactly once, whatever dies and when."""

import itertools
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis

from core.figures import layout
from core.figures.catalogue import COLUMNS, Leg
from core.figures.fold import Fold
from core.figures.layout import TIERS, Cube, Tier
from core.figures.pipeline import Pipeline
from core.figures.ranges import Piece
from core.figures.slot_reader import SlotReader
from core.ledger.ledger import EventOutcome
from core.model.attempt import AttemptEvent, EventKind, Source
from core.model.clock import SystemClock, from_ms, to_ms
from core.model.series import Series
from core.store.redis_clients import ServerClient
from core.wording.formats import lag_words
from tests.benchmarks.fold_crash import (
    KEYS,
    MortalClient,
    Server,
    Workload,
    fold_until,
    killed_redis,
)
from tests.benchmarks.ledger import ledger_on
from tests.figures.test_rollups import ReportedAttempt
from tests.world import World

REQUESTED = COLUMNS.index("requested")
_ids = itertools.count()


class Died(BaseException):
    """The process of a fold ends here."""


def dies_at(step: int) -> Callable[[], None]:
    """Dies the n-th time that it is asked, from 0."""
    steps = itertools.count()

    def may_die() -> None:
        if next(steps) == step:
            raise Died

    return may_die


def requested_at(ms: int, region: str = "DE", carrier: str = "O2") -> AttemptEvent:
    record = {"channel": "sms", "mode": "sms", "to_masked": "+49 •", "region": region}
    return AttemptEvent(
        f"fold{next(_ids):020}-1",
        EventKind.REQUESTED,
        from_ms(ms),
        Source.APP,
        record | {"carrier": carrier, "origin": "first"},
    )


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A Redis in which no other process folds."""
    server = Server(tmp_path, "everysec")
    yield server.url
    server.kill()


def test_a_fold_may_die_between_any_two_steps(url: str) -> None:
    work = Workload.of(40, seed=4)
    work.request(url)
    work.apply(url)
    deaths = 0
    with (
        MortalClient.from_url(url) as raw,
        ServerClient.from_url(url, decode_responses=True) as client,
    ):
        for step in itertools.count():
            raw.may_die = dies_at(step)
            try:
                Fold(raw, KEYS, SystemClock(), ledger_on(client)).fold(most=15)
            except Died:
                deaths += 1
                continue
            break
    fold_until(url, lambda: True)
    assert deaths >= 6  # before and after each of three round trips
    assert work.wrong_cells(url) == 0


def test_three_folds_at_once_add_each_entry_once(url: str) -> None:
    work = Workload.of(60, seed=5)
    work.request(url)
    is_over = threading.Event()
    folds = [threading.Thread(target=fold_until, args=(url, is_over.is_set)) for _ in range(3)]
    for fold in folds:
        fold.start()
    work.apply(url, batch=7)
    is_over.set()
    for fold in folds:
        fold.join()
    assert work.wrong_cells(url) == 0


@pytest.mark.parametrize(
    ("appendfsync", "cut_bytes"), [("everysec", 0), ("always", 0), ("everysec", 20_000)]
)
def test_figures_and_attempts_agree_after_redis_was_killed(
    tmp_path: Path, appendfsync: str, cut_bytes: int
) -> None:
    work = Workload.of(50, seed=6)
    assert killed_redis(tmp_path, appendfsync, work, 2, cut_bytes) == 0


def test_entries_behind_the_newest_fold_are_folded_and_reported(
    at: World, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    now_ms = to_ms(at.clock.now())
    at.services.ledger.apply(requested_at(now_ms))
    at.services.fold.settle()
    epoch, folds, _ = str(client.get(KEYS.folded)).split()
    client.set(KEYS.folded, f"{epoch} {folds} {now_ms + 10**9}-0", px=60_000)
    at.services.ledger.apply(requested_at(now_ms))
    at.services.fold.settle()
    assert "begins before the newest fold" in caplog.text
    assert at.services.queries.seen_dimensions().countries == ("DE",)
    reader = SlotReader(at.services.client, at.services.connection.raw, KEYS)
    day = Piece(Tier.DAY, now_ms // Tier.DAY.slot_ms * Tier.DAY.slot_ms, 1)
    assert reader.counters(Cube.CHANNEL, [Series("sms")], [day])[0, 0, REQUESTED] == 2


def test_the_copy_in_the_process_equals_what_redis_holds(at: World) -> None:
    """One reader keeps its copy over many folds; a new one reads everything."""
    s, rng = at.services, np.random.default_rng(2)
    kept = SlotReader(s.client, s.connection.raw, s.keys)
    now_ms = to_ms(at.clock.now())
    names = {
        Cube.CHANNEL: [Series("sms")],
        Cube.COUNTRY: [Series(f"sms/{region}") for region in ("DE", "FR")],
        Cube.CARRIER: [Series(f"sms/{region}/O2") for region in ("DE", "FR")],
    }
    errors = [Series("sms//30"), Series("sms/DE/30")]
    pieces = [
        Piece(tier, (now_ms // tier.slot_ms - 20) * tier.slot_ms, 21) for tier in reversed(TIERS)
    ]
    hours = [Piece(Tier.HOUR, (now_ms // Tier.HOUR.slot_ms - 20) * Tier.HOUR.slot_ms, 21)]

    def read(reader: SlotReader) -> list[list[Any]]:
        reader.series(Cube.CHANNEL, 0)
        values: list[Any] = [reader.counters(cube, names[cube], pieces) for cube in names]
        values.append(reader.histograms(Leg.TTD, Cube.COUNTRY, names[Cube.COUNTRY], hours))
        values.append(reader.errors(errors, pieces))
        return [value.tolist() for value in values]

    for region in rng.choice(["DE", "FR"], 12):
        ms = now_ms - int(rng.integers(0, 3_600_000 * 15))
        event = requested_at(ms, str(region))
        later = [
            AttemptEvent(event.attempt, kind, from_ms(ms + took), Source.CALLBACK, fields)
            for kind, took, fields in (
                (EventKind.UNDELIVERED, 900, {"error_code": "30"}),
                (EventKind.DELIVERED, 2_000, {}),
            )
        ]
        for part in ([event], later[:1], later[1:]):
            s.ledger.apply_all(part)
            s.fold.settle()
            new = SlotReader(s.client, s.connection.raw, s.keys)
            assert read(kept) == read(new)
    assert sum(read(kept)[0][0][0]) > 0


def test_a_copy_forgets_errors_that_only_their_code_has_moved(at: World) -> None:
    """The log reports the end first, without its cause, and the callback repeats it with one."""
    attempt = ReportedAttempt(at)
    errors = Series("sms//unstated"), Series("sms//30")
    s, ms = at.services, to_ms(attempt.requested)
    reader = SlotReader(s.client, s.connection.raw, s.keys)
    day = Piece(Tier.DAY, ms // Tier.DAY.slot_ms * Tier.DAY.slot_ms, 1)
    for fields, expected in (({}, [1, 0]), ({"error_code": "30"}, [0, 1])):
        attempt.report(EventKind.UNDELIVERED, 5, **fields)
        s.fold.settle()
        reader.series(Cube.ERROR, 0)
        assert reader.errors(errors, [day]).tolist() == expected


def test_a_copy_forgets_what_a_failover_has_lost(at: World) -> None:
    """The new primary lacks the last folds; others follow, so the number of folds is as before."""
    s, now_ms = at.services, to_ms(at.clock.now())
    reader = SlotReader(s.client, s.connection.raw, s.keys)
    piece = Piece(Tier.QUARTER, now_ms // Tier.QUARTER.slot_ms * Tier.QUARTER.slot_ms, 1)

    def fold(*regions: str) -> None:
        for region in regions:
            s.ledger.apply_all([requested_at(now_ms, region)])
            s.fold.settle()

    def requested() -> list[int]:
        reader.series(Cube.CHANNEL, 0)
        names = [Series("sms/DE"), Series("sms/FR")]
        return [int(row[0, REQUESTED]) for row in reader.counters(Cube.COUNTRY, names, [piece])]

    raw: Any = s.connection.raw
    fold("DE")
    assert requested() == [1, 0]
    stored = {key: raw.dump(key) for key in raw.keys("*")}
    fold("DE", "DE")
    assert requested() == [3, 0]
    raw.flushdb()
    for key, dump in stored.items():
        raw.restore(key, 3_600_000, dump)
    fold("FR", "FR", "FR")
    assert requested() == [1, 3]
    fold("DE")
    assert requested() == [2, 3]


def test_series_beyond_the_limit_are_added_up_as_others(
    at: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(layout.MOST_SERIES, Cube.CARRIER, 2)
    ms = to_ms(at.clock.now() - timedelta(minutes=1))
    events = [requested_at(ms, "DE", carrier) for carrier in ("A", "B", "C", "D")]
    at.services.ledger.apply_all(events)
    at.services.fold.settle()
    lost = {"error_code": "30"}
    for event in events:
        for kind, fields in ((EventKind.UNDELIVERED, lost), (EventKind.DELIVERED, {})):
            at.services.ledger.apply(
                AttemptEvent(event.attempt, kind, from_ms(ms + 5), Source.CALLBACK, fields)
            )
            at.services.fold.settle()
    s = at.services
    reader = SlotReader(s.client, s.connection.raw, s.keys)
    day = Piece(Tier.DAY, ms // Tier.DAY.slot_ms * Tier.DAY.slot_ms, 1)
    series = reader.series(Cube.CARRIER, 0)
    assert series == ["sms/DE/A", "sms/DE/B", "sms/DE/others"]
    counters = reader.counters(Cube.CARRIER, series, [day])[:, 0]
    assert counters[:, REQUESTED].tolist() == [1, 1, 2]
    assert counters[:, COLUMNS.index("delivered")].tolist() == [1, 1, 2]
    assert not counters[:, COLUMNS.index("undelivered")].any()


def test_the_place_of_an_attempt_never_changes(at: World) -> None:
    """Plivo names another network than the numbering plan, by a poll and by its log."""
    attempt = ReportedAttempt(at, carrier="Vodafone")
    fields = {"network": "O2", "carrier": "O2", "region": "AT", "mode": "call", "channel": "voice"}
    for kind, source in ((EventKind.SENT, Source.POLL), (EventKind.DELIVERED, Source.LOG)):
        event = attempt.event(kind, 3, **fields)
        at.services.ledger.apply(
            AttemptEvent(event.attempt, event.kind, event.at, source, event.fields)
        )
    record = at.services.ledger.attempt(attempt.id)
    assert record is not None
    assert (record.carrier, record.region, record.network) == ("Vodafone", "DE", "O2")
    at.services.fold.settle()
    assert at.services.queries.seen_dimensions().carriers == {"DE": ("Vodafone",)}


def test_a_batch_keeps_the_order_of_its_events(at: World) -> None:
    """The first cost wins: events of a batch are applied in their order, also where the error moves
    in between."""
    attempt = ReportedAttempt(at)
    events = [
        attempt.event(EventKind.UNDELIVERED, 2, error_code="30", cost_micros="100"),
        attempt.event(EventKind.FAILED, 3, error_code="900"),
        attempt.event(EventKind.SENT, 1, cost_micros="200"),
        attempt.event(EventKind.DELIVERED, 4, cost_micros="300"),
        attempt.event(EventKind.QUEUED, 1, cost_micros="400"),
    ]
    outcomes = at.services.ledger.apply_all(events)
    assert outcomes == {EventOutcome.APPLIED: 2, EventOutcome.LATE: 3}
    record = at.services.ledger.attempt(attempt.id)
    assert record is not None
    assert record.cost_micros == 300


def test_an_attempt_that_an_older_version_has_counted_is_counted_anew(
    at: World, client: redis.Redis
) -> None:
    attempt = ReportedAttempt(at)
    at.services.fold.settle()
    client.hdel(KEYS.attempt(attempt.id), "counted")
    client.hset(KEYS.attempt(attempt.id), "booked", "1")
    client.delete(*client.scan_iter(match="*:roll4:*"))
    attempt.report(EventKind.DELIVERED, 3)
    at.services.fold.settle()
    s = at.services
    reader = SlotReader(s.client, s.connection.raw, s.keys)
    ms = to_ms(attempt.requested)
    day = Piece(Tier.DAY, ms // Tier.DAY.slot_ms * Tier.DAY.slot_ms, 1)
    counters = reader.counters(Cube.CHANNEL, [Series("sms")], [day])[0, 0]
    assert (counters[REQUESTED], counters[COLUMNS.index("delivered")]) == (1, 1)


def test_one_process_has_the_turn_and_another_takes_over_when_it_ends(
    at: World, client: redis.Redis, redis_url: str
) -> None:
    raw: Any = ServerClient.from_url(redis_url)
    first, second = (Fold(raw, KEYS, SystemClock(), ledger_on(client)) for _ in range(2))

    def fold(by: Fold) -> int:
        ledger_on(client).apply(requested_at(to_ms(SystemClock().now())))
        return by.fold(turn_ms=60_000).entries

    with at.services.fold._lock:  # the background of the world waits meanwhile
        assert fold(first) == 1
        assert fold(second) == 0
        assert fold(first) == 2
        client.delete(KEYS.fold_turn)
        assert fold(second) == 1
    raw.close()


def test_the_length_and_the_age_of_the_journal_are_known(at: World, client: redis.Redis) -> None:
    def pipeline() -> Pipeline:
        return at.services.figure_export.pipeline()

    with at.services.fold._lock:  # no fold of the world's background
        age = timedelta(minutes=3)
        seconds, _ = client.time()
        oldest_ms = int(seconds) * 1000 - age // timedelta(milliseconds=1)
        client.xadd(KEYS.journal, {"check": "a b c"}, id=f"{oldest_ms}-0")
        at.services.ledger.apply(requested_at(to_ms(at.clock.now())))
        found = pipeline()
        assert (found.journal_length, found.checks_waiting, found.is_late) == (2, 1, True)
        assert age <= found.journal_age < age + timedelta(seconds=30)
        assert lag_words(found.journal_age).startswith("The figures lag 4 minutes behind")
    at.services.fold.settle()
    assert (pipeline().journal_length, pipeline().is_late) == (0, False)

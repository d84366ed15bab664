"""Sample traffic is counted as its events would be, once, and can be taken back exactly."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import redis

from core.figures import packing
from core.figures.catalogue import Leg
from core.figures.layout import Tier
from core.figures.ranges import Range
from core.findings.causes import Outcome
from core.model.attempt import Proof
from core.model.errors import SampleRefused
from core.sample.control import SampleControl
from core.sample.entries import events_of
from core.sample.loading import RECORDS, Sample
from core.sample.plan import Plan, SampleState, SampleStatus
from core.sample.traffic import attempts_of, days_of
from core.services import Services
from core.settings.settings import Settings
from core.store.keys import ROLLUP_LAYOUT, Keys
from core.wiring import build
from tests.benchmarks.ledger import attempts, callbacks, requests
from tests.world import FrozenClock

DAYS, PER_DAY, SEED = 5, 120, 7
KINDS = {"c": packing.COUNTER_KIND, "e": packing.ERROR_KIND} | {
    str(leg): packing.LEG_KINDS[leg] for leg in Leg
}

Cells = dict[str, dict[int, int]]


class Died(BaseException):
    """The process ends here."""


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def settings(tmp_path: Path, own_database: str) -> Settings:
    return Settings(data_dir=tmp_path, redis_url=own_database)


@pytest.fixture
def services(settings: Settings, clock: FrozenClock) -> Iterator[Services]:
    """A process in which nothing runs in the background."""
    process = build(settings, clock)
    yield process
    process.close()


@pytest.fixture
def other_process(settings: Settings, clock: FrozenClock) -> Iterator[Services]:
    process = build(settings, clock)
    yield process
    process.close()


def cells(services: Services) -> Cells:
    """All cells that are not zero, by key, and the registered series."""
    services.fold.settle(60)
    raw: Any = services.connection.raw
    found: Cells = {}
    for key in raw.scan_iter(match=f"*:{ROLLUP_LAYOUT}:*:*"):
        name = key.decode().partition(f"{ROLLUP_LAYOUT}:")[2]
        kind, tier, *_ = name.split(":")
        if kind == "series":
            found[name] = {0: int(raw.zcard(key))}
            continue
        values = KINDS[kind].decode(raw.get(key), Tier(tier)).ravel()
        places = np.flatnonzero(values)
        if len(places):
            found[name] = dict(zip(places.tolist(), values[places].tolist(), strict=True))
    return found


def load(services: Services) -> SampleState:
    return services.sample.load(days=DAYS, per_day=PER_DAY, seed=SEED)


def plan_at(clock: FrozenClock) -> Plan:
    return Plan(DAYS, PER_DAY, SEED, clock.now())


def flush(services: Services) -> None:
    redis.Redis.from_url(str(services.settings.redis_url)).flushdb()


def add_real_traffic(services: Services, frame: pd.DataFrame) -> list[Any]:
    """Attempts of people; returns reports that have not arrived yet."""
    services.ledger.apply_all(requests(frame))
    reports = list(callbacks(frame, np.arange(4 * len(frame))))
    services.ledger.apply_all(reports[:300])
    return reports[300:]


def test_a_day_is_counted_as_its_events_would_be(services: Services, clock: FrozenClock) -> None:
    plan = plan_at(clock)
    tables = {day: attempts_of(day, plan) for day in days_of(plan)}
    rows = [(row, day) for day, table in tables.items() for row in table]
    events = [event for row, day in rows for event in events_of(row, day, plan)]
    for event in events:
        # The ledger finds out itself which attempt brought a code.
        for name in ("proof", "attempts", "code_ms"):
            event.fields.pop(name, None)
    services.ledger.apply_all(events)
    expected = cells(services)
    ids = [event.attempt for event in events]
    assert {attempt.proof for attempt in services.ledger.attempts(ids)} == {None, *Proof}
    listed = [entry.attempt for entry in services.ledger.recent(count=len(rows) + 1)]
    records = services.ledger.attempts(listed[:RECORDS])
    histories = [services.ledger.events(each.id) for each in records[:20]]
    flush(services)
    state = load(services)
    assert (state.status, state.days) == (SampleStatus.LOADED, DAYS)
    assert state.attempts == len(rows) == len(listed)
    assert cells(services) == expected
    assert [entry.attempt for entry in services.ledger.recent(count=1000)] == listed[:RECORDS]
    assert services.ledger.attempts(listed[:RECORDS]) == records
    assert all(attempt.is_sample for attempt in records)
    assert [services.ledger.events(each.id) for each in records[:20]] == histories
    # Days of weeks ago are not events that come too late.
    assert "late_dropped" not in services.ledger.counters()


def test_a_day_is_counted_once_wherever_the_process_dies(
    services: Services, other_process: Services
) -> None:
    load(services)
    expected = cells(services)
    flush(services)

    def die() -> None:
        raise Died

    sample, keys = services.sample, services.keys
    raw, client, clock = services.connection.raw, services.client, services.clock
    services.sample_control.load(DAYS, PER_DAY, SEED)
    dies_after_a_day = Sample(
        services.sample_control,
        client,
        raw,
        keys,
        clock,
        services.ledger,
        die,
        services.alerts.forget,
    )
    with pytest.raises(Died):
        dies_after_a_day.work()
    assert services.sample_control.state().days == 1
    # After each further step another process goes on.
    for turn in range(40):
        steps = iter([False, True])
        (sample if turn % 2 else other_process.sample).work(lambda: next(steps))  # noqa: B023
        if not services.sample_control.state().status.has_work:
            break
    assert services.sample_control.state().status is SampleStatus.LOADED
    assert cells(services) == expected


def test_two_processes_that_load_at_the_same_time_count_each_day_once(
    services: Services, other_process: Services
) -> None:
    load(services)
    expected = cells(services)
    flush(services)
    threads = [threading.Thread(target=load, args=[each]) for each in (services, other_process)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cells(services) == expected
    assert services.sample_control.state() == other_process.sample_control.state()
    assert len(services.ledger.recent(count=1000)) == RECORDS


def test_removing_it_leaves_all_other_figures_exactly_as_they_are(services: Services) -> None:
    frame = attempts(150, seed=3)
    late_reports = add_real_traffic(services, frame)
    services.ledger.apply_all(late_reports[:-100])
    services.ledger.apply_all(late_reports[-100:])
    expected = cells(services)
    listed = services.ledger.recent(count=1000)
    flush(services)
    late_reports = add_real_traffic(services, frame)
    load(services)
    services.ledger.apply_all(late_reports[:-100])
    services.fold.settle(60)
    assert services.sample.remove() > 500
    services.ledger.apply_all(late_reports[-100:])
    assert cells(services) == expected
    assert services.ledger.recent(count=1000) == listed
    assert services.sample_control.state() == SampleState()
    assert not services.queries.is_simulated()
    raw: Any = services.connection.raw
    for key in raw.scan_iter():
        assert raw.pttl(key) > 0, key


def test_without_other_traffic_no_series_and_no_attempt_stays(services: Services) -> None:
    load(services)
    assert services.queries.seen_dimensions().countries
    services.sample.remove()
    assert cells(services) == {}
    services.queries.forget()
    assert services.queries.seen_dimensions().countries == ()
    assert services.ledger.recent() == []
    assert services.sample.remove() == 0


def test_a_removal_that_was_interrupted_goes_on(
    services: Services, other_process: Services
) -> None:
    add_real_traffic(services, attempts(150, seed=3))
    expected = cells(services)
    load(services)
    services.sample_control.remove()
    steps = iter([False, False, True])
    services.sample.work(lambda: next(steps))
    assert services.sample_control.state().days == DAYS - 2
    with pytest.raises(SampleRefused, match="being removed"):
        services.sample_control.load(DAYS, PER_DAY, SEED)
    other_process.sample.work()
    assert cells(services) == expected


def test_a_loading_raises_no_alarm_and_a_stopped_one_keeps_its_days_until_it_is_resumed(
    services: Services, clock: FrozenClock
) -> None:
    control = services.sample_control
    control.load(DAYS, PER_DAY, SEED)
    steps = iter([False, False, False, True])
    services.sample.work(lambda: next(steps))
    # Of a carrier that never sends receipts, the first days would be an incident.
    week = Range(clock.now() - timedelta(days=7), clock.now())
    verdict = services.findings.verdict(week)
    assert (verdict.outcome, verdict.causes) == (Outcome.LOADING, ())
    assert verdict.requested > 100
    (alerts,) = (each for each in services.background if each.name == "alerts")
    alerts._run()
    assert services.alerts.checked() is None
    control.stop()
    services.sample.work()
    stopped = control.state()
    assert (stopped.status, stopped.days) == (SampleStatus.STOPPED, 2)
    clock.advance(3600)
    control.go_on()
    services.sample.work()
    loaded = control.state()
    assert (loaded.status, loaded.days, loaded.plan) == (SampleStatus.LOADED, DAYS, stopped.plan)
    assert services.findings.verdict(week).outcome is Outcome.CAUSES
    alerts._run()
    assert services.alerts.checked() is not None
    # What is loaded cannot be stopped, and loading it again changes nothing.
    control.stop()
    assert load(services) == loaded


def test_another_size_is_refused_until_it_is_removed(services: Services) -> None:
    loaded = load(services)
    with pytest.raises(SampleRefused, match="another size"):
        services.sample.load(days=DAYS + 1, per_day=PER_DAY, seed=SEED)
    assert services.sample_control.state() == loaded


@pytest.mark.parametrize(("days", "per_day"), [(0, 10), (91, 10), (3, 0), (3, 20_001)])
def test_a_size_outside_the_limits_is_refused(services: Services, days: int, per_day: int) -> None:
    with pytest.raises(SampleRefused, match="outside the limits"):
        services.sample.load(days=days, per_day=per_day)
    assert services.sample_control.state() == SampleState()


def test_the_newest_day_comes_first(services: Services) -> None:
    days: list[tuple[int, int]] = []

    def note(state: SampleState) -> None:
        newest = services.queries.freshness().newest_attempt
        days.append((state.days, 0 if newest is None else 1))

    services.sample.load(days=3, per_day=200, progress=note)
    # With the records the attempts can be listed, before older days are loaded.
    assert days == [(0, 0), (1, 0), (1, 1), (2, 1), (3, 1), (3, 1)][: len(days)]


def test_live_there_is_no_sample_traffic(services: Services, clock: FrozenClock) -> None:
    live = SampleControl(
        services.client, services.ledger._scripts, Keys("live"), clock, lambda: None
    )
    for change in (lambda: live.load(3, 10, 7), live.go_on, live.stop, live.remove):
        with pytest.raises(SampleRefused, match="live environment"):
            change()
    assert live.state() == SampleState()

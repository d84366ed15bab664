"""Alerts on real figures in Redis: once for all processes, on time, with their history."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import cast

import numpy as np
import pytest
import redis

from core.alerts.alerts import KEEP, MATURITY, Alerts
from core.alerts.hours import QUARTER_MS, HourReader
from core.alerts.records import AlertStatus, StoredStatus, Transition, by_severity, with_leaders
from core.alerts.replay import ReplayedAlert
from core.alerts.rules import Measure, Rule
from core.alerts.states import AlertState
from core.background import Periodic
from core.figures import packing
from core.figures.catalogue import COLUMNS
from core.figures.layout import Cube, Tier
from core.model.attempt import AttemptEvent, EventKind, Source
from core.model.clock import from_ms, to_ms
from core.model.errors import StoreUnavailable
from core.model.series import NO_SERIES, Series
from core.store.client import Client, RawClient
from core.store.keys import Keys
from tests.world import FrozenClock, World, until

QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
WEEK = timedelta(weeks=1)
DAY = timedelta(days=1)
FIRING, PENDING, OK = AlertState.FIRING, AlertState.PENDING, AlertState.OK


@dataclass(frozen=True)
class Span:
    start: datetime
    end: datetime


@dataclass(frozen=True)
class SeriesFilter:
    channel: str | None = None
    country: str | None = None


class Figures:
    """Writes packed quarter-hours as the ledger would."""

    def __init__(self, client: redis.Redis, raw: redis.Redis, keys: Keys) -> None:
        self._client = client
        self._raw = raw
        self._keys = keys

    def add(self, series: str, since: datetime, till: datetime, **per_quarter: int) -> None:
        """Add so many to each quarter of an hour of this time."""
        cube = Cube.COUNTRY if "/" in series else Cube.CHANNEL
        quarters = range(to_ms(since) // QUARTER_MS, to_ms(till) // QUARTER_MS)
        for tier in (Tier.QUARTER, Tier.DAY):
            slots: defaultdict[int, list[int]] = defaultdict(list)
            for ms in (quarter * QUARTER_MS for quarter in quarters):
                slots[tier.chunk_of(ms)].append(tier.slot_of(ms))
            for chunk, part in slots.items():
                key = self._keys.rollup("c", tier, cube, series, chunk)
                values = packing.COUNTER_KIND.decode(cast(bytes | None, self._raw.get(key)), tier)
                for slot in part:
                    for name, count in per_quarter.items():
                        values[slot, COLUMNS.index(name)] += count
                self._raw.set(key, packing.COUNTER_KIND.encode(values, tier), ex=timedelta(days=36))
        self._client.zadd(self._keys.registry(cube), {series: to_ms(till)}, gt=True)
        self._client.expire(self._keys.registry(cube), timedelta(days=36))

    def country(self, name: str, since: datetime, till: datetime, **per_quarter: int) -> None:
        """Add to a country and its channel."""
        self.add(name, since, till, **per_quarter)
        self.add(Series(name).parent, since, till, **per_quarter)


class Room:
    """Alerts of an environment of their own, at a moment that stands still."""

    def __init__(self, client: redis.Redis, raw: redis.Redis) -> None:
        self.client = client
        self.clock = FrozenClock()
        self.keys = Keys("sandbox")
        self.raw = raw
        self.figures = Figures(client, raw, self.keys)
        self.alerts = self.another()
        #: The end of the newest hour that may be checked.
        quarter = to_ms(self.clock.now() - MATURITY) // QUARTER_MS
        self.now = from_ms(quarter * QUARTER_MS)
        self.clock.advance(self.now + MATURITY - self.clock.now())

    def another(self, kind: type[HourReader] = HourReader) -> Alerts:
        """The alerts of another process."""
        client, raw = cast(Client, self.client), cast(RawClient, self.raw)
        return Alerts(client, self.keys, self.clock, kind(client, raw, self.keys, lambda: None))

    def healthy(self, name: str, till: datetime | None = None, per_quarter: int = 50) -> None:
        """Five weeks of a country in which 96 % arrive."""
        good = per_quarter * 96 // 100
        counts = {"requested": per_quarter, "confirmed": good, "within_60": good, "verified": good}
        self.figures.country(name, self.now - 5 * WEEK, till or self.now, **counts)

    def sick(self, name: str, since: datetime, till: datetime, per_quarter: int = 50) -> None:
        """Nothing arrives, for so long."""
        self.figures.country(name, since, till, requested=per_quarter)

    def check_on(self, quarters: int) -> list[Transition]:
        """Check at the end of each of the next quarters."""
        changes = []
        for _ in range(quarters):
            self.clock.advance(QUARTER)
            changes += self.alerts.check()
        return changes

    def status(self, series: str, measure: Measure = Measure.CONFIRMED) -> AlertStatus:
        return next(
            one for one in self.alerts.current() if (one.series, one.measure) == (series, measure)
        )


@pytest.fixture
def room(own_database: str) -> Iterator[Room]:
    with (
        redis.Redis.from_url(own_database, decode_responses=True) as client,
        redis.Redis.from_url(own_database) as raw,
    ):
        yield Room(client, raw)


def test_a_healthy_series_is_ok_and_has_no_history(room: Room) -> None:
    room.healthy("sms/DE")
    assert room.alerts.check() == []
    status = room.status("sms/DE")
    assert (status.state, status.rule, status.since) == (OK, None, room.now)
    assert (status.n, status.verified, status.observed) == (200, 192, 0.96)
    assert status.baseline == pytest.approx(0.96)
    assert status.detectable_drop == pytest.approx(0.105)
    assert room.status("sms/DE", Measure.TRAFFIC).baseline == 200
    assert room.alerts.checked() == room.now
    assert room.alerts.history() == []


def test_an_incident_is_pending_then_fires_then_recovers_and_all_is_recorded(room: Room) -> None:
    room.healthy("sms/DE", room.now)
    room.sick("sms/DE", room.now, room.now + HOUR)
    good = {"requested": 50, "confirmed": 48, "within_60": 48, "verified": 48}
    room.figures.country("sms/DE", room.now + HOUR, room.now + 4 * HOUR, **good)
    room.alerts.check()
    changes = room.check_on(12)
    own = [
        (change.at - room.now, change.before, change.after)
        for change in changes
        if (change.series, change.measure) == ("sms", Measure.CONFIRMED)
    ]
    assert own == [
        (QUARTER, OK, PENDING),
        (2 * QUARTER, PENDING, FIRING),
        (8 * QUARTER, FIRING, AlertState.RECOVERING),
        (9 * QUARTER, AlertState.RECOVERING, OK),
    ]
    assert room.alerts.history() == changes[::-1]
    assert room.alerts.history(count=1) == changes[-1:]


def test_one_alert_explains_the_others_and_stands_before_them(room: Room) -> None:
    room.healthy("sms/DE")
    room.healthy("sms/FR")
    room.healthy("voice/DE")
    room.sick("sms/DE", room.now, room.now + HOUR)
    room.sick("sms/FR", room.now, room.now + HOUR)
    room.figures.country(
        "voice/DE", room.now, room.now + HOUR, requested=50, confirmed=48, within_60=48
    )
    room.alerts.check()
    room.check_on(3)
    firing = [one for one in room.alerts.current() if one.state is FIRING]
    assert [(one.series, one.measure, one.under) for one in firing] == [
        ("sms", Measure.CONFIRMED, ""),
        ("sms", Measure.WITHIN_60, "sms"),
        ("sms/DE", Measure.CONFIRMED, "sms"),
        ("sms/DE", Measure.WITHIN_60, "sms"),
        ("sms/FR", Measure.CONFIRMED, "sms"),
        ("sms/FR", Measure.WITHIN_60, "sms"),
    ]
    assert room.alerts.current()[: len(firing)] == firing
    first = firing[0]
    assert (first.rule, first.n, first.since) == (Rule.EXACT, 400, room.now + 2 * QUARTER)


def test_no_alert_is_explained_by_a_less_severe_one() -> None:
    states = {"sms": PENDING, "sms/DE": FIRING, "sms/FR": PENDING}
    status = AlertStatus(NO_SERIES, Measure.CONFIRMED, OK, None, 0, 0, None, None, None, from_ms(0))
    stored = [
        StoredStatus(replace(status, series=Series(series), state=state), 0, 0)
        for series, state in states.items()
    ]
    statuses = by_severity(entry.status for entry in with_leaders(stored))
    assert [(status.series, status.under) for status in statuses] == [
        ("sms/DE", ""),
        ("sms", ""),
        ("sms/FR", "sms"),
    ]


def test_pumping_fires_for_traffic_alone(room: Room) -> None:
    room.healthy("sms/DE", room.now + HOUR, per_quarter=200)
    room.healthy("sms/LV", room.now + HOUR, per_quarter=2)
    room.figures.country(
        "sms/LV", room.now, room.now + HOUR, requested=40, confirmed=40, within_60=40
    )
    room.alerts.check()
    room.check_on(3)
    firing = [one for one in room.alerts.current() if one.state is FIRING]
    assert [(one.series, one.measure, one.rule) for one in firing] == [
        ("sms/LV", Measure.TRAFFIC, Rule.SPIKE)
    ]
    assert (firing[0].observed, firing[0].baseline, firing[0].verified) == (128, 8, 4)


def test_a_quarter_is_checked_once(room: Room) -> None:
    room.healthy("sms/DE")
    room.alerts.check()
    before = room.client.get(room.keys.alert_check)
    room.sick("sms/DE", room.now - HOUR, room.now)
    room.clock.advance(QUARTER - timedelta(seconds=1))
    assert room.another().check() == []
    assert room.client.get(room.keys.alert_check) == before


@pytest.mark.race
def test_of_many_processes_only_one_does_the_check(room: Room) -> None:
    room.healthy("sms/DE", room.now)
    room.sick("sms/DE", room.now - HOUR, room.now)
    together = threading.Barrier(8)
    results: list[list[Transition]] = []

    def check(alerts: Alerts) -> None:
        together.wait()
        results.append(alerts.check())

    threads = [threading.Thread(target=check, args=(room.another(),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    changed = [changes for changes in results if changes]
    assert len(results) == 8
    assert len(changed) == 1
    assert room.alerts.history() == changed[0][::-1]


def test_a_process_that_is_overtaken_during_a_check_writes_nothing(room: Room) -> None:
    room.sick("sms/DE", room.now - 5 * WEEK, room.now)
    quarter = to_ms(room.now) // QUARTER_MS

    class Overtaken(HourReader):
        def series(self, since_ms: int) -> list[Series]:
            # The turn is over, and another process has made the check.
            room.client.delete(room.keys.alert_turn(quarter))
            room.alerts.check()
            room.client.set(room.keys.alert_check, '{"quarter": 7, "standings": []}')
            return super().series(since_ms)

    slow = room.another(Overtaken)
    assert slow.check() == []
    assert room.alerts.checked() == from_ms(7 * QUARTER_MS)


def test_a_check_of_a_dead_process_is_done_by_another(room: Room) -> None:
    room.healthy("sms/DE")
    turn = room.keys.alert_turn(to_ms(room.now) // QUARTER_MS)
    room.client.set(turn, "1", px=timedelta(minutes=1))
    room.alerts.check()
    assert room.alerts.checked() is None
    room.client.delete(turn)
    room.alerts.check()
    assert room.alerts.checked() == room.now


def test_after_missed_checks_a_pending_alert_begins_again(room: Room) -> None:
    room.healthy("sms/DE", room.now)
    room.sick("sms/DE", room.now, room.now + DAY)
    room.alerts.check()
    room.check_on(1)
    assert room.status("sms/DE").state is PENDING
    room.clock.advance(HOUR)
    room.check_on(1)
    assert room.status("sms/DE").state is PENDING
    room.check_on(1)
    assert room.status("sms/DE").state is FIRING


def test_the_hour_in_which_traffic_began_is_no_baseline(room: Room) -> None:
    # Went live in the middle of an hour, just four weeks ago: three quarters of nothing.
    room.figures.country("sms/DE", room.now - 4 * WEEK - QUARTER, room.now, requested=50)
    room.alerts.check()
    assert room.status("sms", Measure.TRAFFIC).baseline == 200
    span = Span(room.now - 4 * WEEK, room.now)
    moments = room.alerts.dry_run(span, SeriesFilter()).moments
    assert [one for one in moments if one.measure is Measure.TRAFFIC] == []


def test_every_key_has_a_ttl(room: Room) -> None:
    room.healthy("sms/DE")
    room.sick("sms/DE", room.now - HOUR, room.now)
    room.alerts.check()
    assert room.alerts.history()
    for key in room.client.scan_iter():
        assert 0 < room.client.ttl(key) <= timedelta(days=36).total_seconds(), key
    assert room.client.ttl(room.keys.alerts) <= KEEP.total_seconds()


def test_without_figures_there_is_no_status(room: Room) -> None:
    assert room.alerts.current() == []
    assert room.alerts.checked() is None
    assert room.alerts.check() == []
    assert room.alerts.current() == []
    assert room.alerts.checked() == room.now
    assert room.alerts.dry_run(Span(room.now - DAY, room.now), SeriesFilter()).moments == []


def test_a_dry_run_has_the_alerts_of_the_checks(room: Room) -> None:
    chance = np.random.default_rng(3)
    room.healthy("sms/DE", room.now)
    room.healthy("sms/FR", room.now, per_quarter=12)
    quarters = 48
    for name, usual in (("sms/DE", 50), ("sms/FR", 12)):
        for n in range(quarters):
            at = room.now + n * QUARTER
            requested = int(chance.poisson(usual))
            share = 0.3 if name == "sms/DE" and 12 <= n < 20 else 0.96
            arrived = int(chance.binomial(requested, share))
            counts = {"requested": requested, "confirmed": arrived, "within_60": arrived}
            room.figures.country(name, at, at + QUARTER, **counts)
    room.alerts.check()
    changes = room.check_on(quarters)
    began = {
        (one.at, one.series, one.measure)
        for one in changes
        if one.after is FIRING and one.before is not AlertState.RECOVERING
    }
    ended = {(one.at, one.series, one.measure) for one in changes if one.after is OK}
    span = Span(room.now, room.now + quarters * QUARTER)
    dry_run = room.alerts.dry_run(span, SeriesFilter())
    assert {(one.at, one.series, one.measure) for one in dry_run.moments} == began
    assert {(one.until, one.series, one.measure) for one in dry_run.moments} <= ended
    assert dry_run.fired == 1
    assert dry_run.checks == quarters + 1


def test_a_dry_run_has_the_selected_series_only(room: Room) -> None:
    room.healthy("sms/DE", room.now)
    room.healthy("voice/DE", room.now)
    room.healthy("sms/FR", room.now)
    room.sick("sms/DE", room.now - 3 * HOUR, room.now - 2 * HOUR, per_quarter=20)
    day = Span(room.now - DAY, room.now)

    def fired_series(filters: SeriesFilter, span: Span = day) -> set[str]:
        return {one.series for one in room.alerts.dry_run(span, filters).moments}

    assert fired_series(SeriesFilter()) == {"sms", "sms/DE"}
    assert fired_series(SeriesFilter(channel="voice")) == set()
    assert fired_series(SeriesFilter(country="DE")) == {"sms/DE"}
    assert fired_series(SeriesFilter(channel="sms", country="FR")) == set()
    assert fired_series(SeriesFilter(), Span(room.now - HOUR / 2, room.now)) == set()
    one = room.alerts.dry_run(day, SeriesFilter(country="DE"))
    assert one.fired == 1
    assert one.moments[0] == ReplayedAlert(
        series=Series("sms/DE"),
        measure=Measure.CONFIRMED,
        rule=Rule.EXACT,
        at=room.now - 3 * HOUR + 3 * QUARTER,
        until=one.moments[0].until,
    )


def test_a_dry_run_judges_only_the_kept_past(room: Room) -> None:
    room.healthy("sms/DE")
    everything = Span(datetime(2020, 1, 1, tzinfo=UTC), room.now + DAY)
    quarters = Tier.QUARTER.keep_ms // QUARTER_MS
    assert room.alerts.dry_run(everything, SeriesFilter()).checks == quarters
    assert room.alerts.dry_run(Span(room.now + HOUR, room.now + DAY), SeriesFilter()).checks == 0


def test_the_counts_of_the_ledger_are_checked(at: World, redis_url: str) -> None:
    services = at.services
    with redis.Redis.from_url(redis_url) as raw:
        reader = HourReader(services.client, raw, services.keys, services.fold.settle)
        alerts = Alerts(services.client, services.keys, at.clock, reader)
        requested = at.clock.now() - timedelta(minutes=20)
        record = {"channel": "sms", "mode": "sms", "to_masked": "+49 •", "region": "DE"}
        record |= {"carrier": "Vodafone", "origin": "first"}
        for n in range(7):
            attempt = f"{n:024d}-1"
            events = [(EventKind.REQUESTED, 0, record), (EventKind.DELIVERED, 9, {})][: 2 - n % 2]
            for kind, seconds, fields in events:
                moment = requested + timedelta(seconds=seconds)
                event = AttemptEvent(attempt, kind, moment, Source.CALLBACK, dict(fields))
                services.ledger.apply(event)
        alerts.check()
        shares = {
            (str(one.series), one.measure): (one.n, one.observed, one.state)
            for one in alerts.current()
        }
    no_data = AlertState.NO_DATA
    for series in ("sms", "sms/DE"):
        assert shares[series, Measure.CONFIRMED] == (7, 4 / 7, no_data)
        assert shares[series, Measure.TRAFFIC] == (7, 7, no_data)


def test_it_checks_in_the_background_and_survives_a_redis_that_is_away(
    room: Room,
) -> None:
    room.healthy("sms/DE")
    failed = threading.Event()

    class Away(HourReader):
        def series(self, since_ms: int) -> list[Series]:
            if not failed.is_set():
                failed.set()
                room.client.delete(room.keys.alert_turn(to_ms(room.now) // QUARTER_MS))
                raise StoreUnavailable("Redis cannot be reached.", "Try again.")
            return super().series(since_ms)

    alerts = room.another(Away)
    soon = timedelta(milliseconds=5)
    background = Periodic("alerts", alerts.check, soon, pause=soon)
    background.start()
    try:
        assert until(alerts.checked) == room.now
    finally:
        background.stop()
    assert failed.is_set()

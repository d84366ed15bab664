"""Alerts on real figures in Redis: once for all processes, on time, with their history."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import cast

import numpy as np
import pytest
import redis
from numpy.typing import NDArray

from core.alerts.alerts import KEEP, Alerts
from core.alerts.figures import AlertFigures
from core.alerts.measures import Measure
from core.alerts.notifications import SILENT, Announcer
from core.alerts.records import AlertCheck, AlertStatus, Transition
from core.alerts.states import AlertState
from core.alerts.watch import AlertWatch
from core.figures import packing
from core.figures.catalogue import COLUMNS
from core.figures.layout import TIERS, Cube, Tier
from core.model.clock import from_ms, to_ms
from core.model.errors import StoreUnavailable
from core.model.series import Series
from core.store.client import Client, RawClient
from core.store.keys import Keys
from tests.alerts.checking_process import ANNOUNCER
from tests.world import FrozenClock, World, until

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FIRING, OK, NO_DATA = AlertState.FIRING, AlertState.OK, AlertState.NO_DATA
CUBES = (Cube.CHANNEL, Cube.COUNTRY, Cube.CARRIER)
#: Each minute of a healthy carrier: in the figures of weeks one in forty is not confirmed.
GOOD = {"requested": 2, "confirmed": 2, "delivered": 2, "verified": 2, "within_60": 2}
GOOD |= {"started": 2, "converted": 2, "priced": 2, "cost_micros": 20_000}
DEAD = {"requested": 2, "started": 2}


class Room:
    """Alerts of an environment of their own, at a moment that stands still: noon."""

    def __init__(self, client: redis.Redis, raw: redis.Redis) -> None:
        self.client = client
        self.raw = raw
        self.clock = FrozenClock()
        self.keys = Keys("sandbox")
        self.alerts = self.another()
        noon = self.clock.now().replace(hour=12, minute=0, second=0, microsecond=0) + DAY
        self.clock.advance(noon - self.clock.now())
        self.now = noon

    def another(self, announcer: Announcer = SILENT) -> Alerts:
        """The alerts of another process."""
        client, raw = cast(Client, self.client), cast(RawClient, self.raw)
        figures = AlertFigures(client, raw, self.keys, lambda: None)
        return Alerts(client, self.keys, self.clock, figures, announcer)

    def add(self, carrier: str, minutes: int, counts: dict[str, int], begin: int = 0) -> None:
        """Add to each of so many minutes of a carrier, its country and its channel; the first
        minute is `begin` after now."""
        first = to_ms(self.now) // 60_000 + begin
        parts = Series(carrier).parts
        for length, cube in enumerate(CUBES, 1):
            series = Series("/".join(parts[:length]))
            for tier in TIERS:
                # No more minutes than alerts read.
                least = to_ms(self.now) // 60_000 - 300 if tier is Tier.MINUTE else first
                ms = np.arange(max(first, least), first + minutes) * 60_000
                for chunk in np.unique(ms // tier.chunk_ms).tolist():
                    slots = ms[ms // tier.chunk_ms == chunk] % tier.chunk_ms // tier.slot_ms
                    self._add(tier, cube, series, chunk, slots, counts)
            self.client.zadd(self.keys.registry(cube), {series: to_ms(self.now)}, gt=True)
            self.client.expire(self.keys.registry(cube), timedelta(days=36))

    def _add(
        self,
        tier: Tier,
        cube: Cube,
        series: Series,
        chunk: int,
        slots: NDArray[np.int64],
        counts: dict[str, int],
    ) -> None:
        key = self.keys.rollup("c", tier, cube, series, chunk)
        values = packing.COUNTER_KIND.decode(cast(bytes | None, self.raw.get(key)), tier)
        for name, count in counts.items():
            values[:, COLUMNS.index(name)] += count * np.bincount(slots, minlength=tier.slots)
        self.raw.set(key, packing.COUNTER_KIND.encode(values, tier), ex=timedelta(days=36))

    def healthy(self, *carriers: str) -> None:
        """A month of two attempts a minute, up to now."""
        for carrier in carriers:
            self.add(carrier, 30 * 1440, GOOD, -30 * 1440)

    def after(self, minutes: int) -> list[Transition]:
        """Check each minute for so long."""
        changes = []
        for _ in range(minutes):
            self.clock.advance(MINUTE)
            changes += self.alerts.check()
        return changes

    def was_checked(self) -> None:
        """As if another process had made each check until now, without a change."""
        stored = cast(str | None, self.client.get(self.keys.alert_check))
        check = AlertCheck.from_json(stored)
        minute = to_ms(self.clock.now()) // 60_000
        self.client.set(self.keys.alert_check, replace(check, minute=minute).to_json(), ex=KEEP)

    def fires(self) -> list[tuple[str, Measure, str]]:
        return [
            (status.series, status.measure, status.under)
            for status in self.alerts.current()
            if status.state is FIRING
        ]

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


def test_a_dead_carrier_fires_within_minutes_explains_its_country_and_recovers(room: Room) -> None:
    room.healthy("sms/DE/O2", "sms/DE/Vodafone", "sms/FR/Orange")
    room.alerts.check()
    healthy = room.status("sms/DE/O2")
    assert (healthy.state, healthy.observed, healthy.chance) == (OK, 1.0, None)
    assert healthy.detectable_drop is not None
    assert healthy.detectable_drop < 0.05
    assert room.alerts.history() == []
    room.add("sms/DE/O2", 20, DEAD)
    for carrier in ("sms/DE/Vodafone", "sms/FR/Orange"):
        room.add(carrier, 60, GOOD)
    changes = room.after(15)
    heads = [(change.series, change.after) for change in changes if not change.under]
    assert heads == [("sms/DE/O2", FIRING)]
    first = next(change for change in changes if not change.under)
    assert first.at - room.now <= 5 * MINUTE
    assert first.since == room.now
    assert {under for _, _, under in room.fires()} <= {"", "sms/DE/O2"}
    dead = room.status(*room.fires()[0][:2])
    assert (dead.series, dead.observed) == ("sms/DE/O2", 0.0)
    assert dead.chance is not None
    assert dead.chance < 0.01
    # From the twentieth minute on it is good again.
    room.add("sms/DE/O2", 60, GOOD, 20)
    ended = [change for change in room.after(25) if change.after is OK]
    assert {(change.series, change.since) for change in ended} >= {("sms/DE/O2", room.now)}
    assert room.fires() == []
    assert room.alerts.history()[0] == ended[-1]
    assert room.after(20) == []


def test_a_failure_of_all_is_one_alert_of_the_channel(room: Room) -> None:
    room.healthy("sms/DE/O2", "sms/FR/Orange")
    room.alerts.check()
    unclear = DEAD | {"unclear": 2}
    for carrier in ("sms/DE/O2", "sms/FR/Orange"):
        room.add(carrier, 6, unclear)
    # In the minute that has not ended yet.
    room.clock.advance(timedelta(seconds=30))
    assert room.alerts.check() == []
    assert room.alerts.check(at_once=True)
    assert room.fires()[0] == ("sms", Measure.UNCLEAR, "")
    room.after(6)
    assert {under for series, _, under in room.fires() if series != "sms"} == {"sms"}


@pytest.mark.parametrize(
    ("counts", "minutes"), [(DEAD | {"unclear": 2}, 40), (DEAD | {"unclear": 2}, 1), (DEAD, 40)]
)
def test_of_an_outage_one_alert_is_notified_and_its_end(
    room: Room, counts: dict[str, int], minutes: int
) -> None:
    room.healthy("sms/DE/O2", "sms/FR/Orange")
    room.alerts = room.another(ANNOUNCER)
    room.add("sms/FR/Orange", 90, GOOD)
    # A short one is over before its codes are old enough to be missed.
    for _ in range(4 if minutes == 1 else 1):
        room.add("sms/DE/O2", minutes, counts)
    room.add("sms/DE/O2", 90 - minutes, GOOD, minutes)
    room.after(85)
    events = [json.loads(text) for text in room.client.hvals(room.keys.outbox_events)]
    assert [event["type"] for event in events] == ["alert.firing", "alert.resolved"]
    firing, resolved = events
    assert firing["facts"]["carrier"] == resolved["facts"]["carrier"] == "O2"
    assert firing["facts"]["since_ms"] == resolved["facts"]["since_ms"] == to_ms(room.now)


@pytest.mark.parametrize("hours", [0.2, 2, 20])
def test_after_hours_without_a_process_nothing_fires_but_what_is_wrong_then(
    room: Room, hours: float
) -> None:
    room.healthy("sms/DE/O2")
    room.add("sms/DE/O2", 2, GOOD)
    room.after(2)
    # Of the last attempts before the stop no receipt was taken, and there is no traffic then.
    room.add("sms/DE/O2", 3, DEAD, 2)
    room.clock.advance(MINUTE)
    room.alerts.check()
    room.clock.advance(hours * HOUR)
    begin = (room.clock.now() - room.now) // MINUTE
    room.add("sms/DE/O2", 10, GOOD, begin)
    assert room.after(10) == []
    room.add("sms/DE/O2", 20, DEAD, begin + 10)
    changes = room.after(10)
    assert {change.after for change in changes} == {FIRING}
    assert {change.since for change in changes if not change.under} == {
        room.now + (begin + 10) * MINUTE
    }


def test_a_carrier_that_comes_and_goes_is_few_alerts_and_ends(room: Room) -> None:
    room.healthy("sms/DE/O2")
    period, bad_for = 8, 96
    for begin in range(0, bad_for, 2 * period):
        room.add("sms/DE/O2", period, DEAD, begin)
        room.add("sms/DE/O2", period, GOOD, begin + period)
    room.add("sms/DE/O2", 40, GOOD, bad_for)
    heads = [change for change in room.after(bad_for) if not change.under]
    fired = [change for change in heads if change.after is FIRING and change.before is OK]
    assert len(fired) <= 3
    assert room.alerts.firing()
    room.after(40)
    assert room.alerts.firing() == []


def test_a_check_of_a_clock_that_was_far_ahead_stops_no_other(room: Room) -> None:
    room.healthy("sms/DE/O2")
    room.clock.advance(DAY)
    room.alerts.check()
    room.clock.advance(-DAY)
    room.add("sms/DE/O2", 10, DEAD)
    room.after(8)
    assert Measure.CONFIRMED in {measure for _, measure, _ in room.fires()}
    assert room.alerts.checked() == room.now + 8 * MINUTE


@pytest.mark.parametrize("apart", [5, 15, 30])
def test_processes_whose_clocks_differ_see_an_incident_and_its_end_once(
    room: Room, apart: int
) -> None:
    ahead = room.another()
    ahead._clock = clock = FrozenClock()
    room.healthy("sms/DE/O2")
    room.add("sms/DE/O2", 40, GOOD)
    room.add("sms/DE/O2", 20, DEAD, 40)
    room.add("sms/DE/O2", 90, GOOD, 60)
    changes = []
    for _ in range(90):
        changes += room.after(1)
        clock.advance(room.clock.now() + apart * MINUTE - clock.now())
        changes += ahead.check()
    heads = [change.after for change in changes if not change.under]
    assert [state for state in heads if state in {FIRING, OK}] == [FIRING, OK]


def test_a_check_of_a_newer_version_is_read_and_its_own_measures_are_kept(room: Room) -> None:
    room.healthy("sms/DE/O2")
    room.add("sms/DE/O2", 20, DEAD)
    room.after(8)
    fires = room.fires()
    assert fires
    stored = json.loads(cast(str, room.client.get(room.keys.alert_check)))
    newer = json.loads(json.dumps(stored["statuses"][0]))
    newer["status"] |= {"measure": "luck", "state": "lucky"}
    for entry in stored["statuses"]:
        entry["status"]["weather"] = entry["weather"] = "fine"
    stored["statuses"].append(newer)
    room.client.set(room.keys.alert_check, json.dumps(stored), ex=KEEP)
    assert room.fires() == fires
    assert room.after(1) == []
    written = json.loads(cast(str, room.client.get(room.keys.alert_check)))
    assert written["minute"] == stored["minute"] + 1
    assert newer in written["statuses"]


def test_receipts_that_stop_are_not_taken_for_lost_codes(room: Room) -> None:
    room.healthy("sms/DE/O2")
    silent = GOOD | {"delivered": 0, "within_60": 0}
    room.add("sms/DE/O2", 15, silent)
    changes = room.after(12)
    heads = {(change.series, change.measure) for change in changes if not change.under}
    assert heads == {("sms", Measure.RECEIPTS)} or heads == {("sms/DE/O2", Measure.RECEIPTS)}


def test_pumping_into_a_new_country_fires_and_a_welcome_new_country_does_not(room: Room) -> None:
    room.healthy("sms/DE/O2")
    room.add("sms/DE/O2", 60, GOOD)
    room.add("sms/LV/LMT", 60, DEAD)
    room.add("sms/EE/Telia", 60, GOOD)
    changes = room.after(10)
    heads = {(change.series, change.measure) for change in changes if not change.under}
    assert len(heads) == 1
    series, measure = heads.pop()
    assert series.startswith("sms/LV")
    assert measure is Measure.TRAFFIC


def test_a_price_that_trebles_fires(room: Room) -> None:
    room.healthy("sms/DE/O2")
    room.add("sms/DE/O2", 360, {"requested": 2, "priced": 2, "cost_micros": 60_000} | GOOD)
    room.add("sms/DE/O2", 360, {"cost_micros": 40_000})
    room.clock.advance(6 * HOUR)
    room.alerts.check()
    price = room.status("sms/DE/O2", Measure.PRICE)
    assert (price.state, price.baseline) == (FIRING, 10_000)


def test_a_series_with_too_little_traffic_to_see_anything_says_so(room: Room) -> None:
    room.healthy("sms/DE/O2")
    for day in range(1, 31):
        room.add("sms/FR/Orange", 1, GOOD, -day * 1440)
    room.alerts.check()
    assert room.status("sms/FR").state is OK
    assert room.status("sms/FR").detectable_drop is None


def test_a_minute_is_checked_once_and_of_many_processes_one_does_it(room: Room) -> None:
    room.healthy("sms/DE/O2")
    room.add("sms/DE/O2", 10, DEAD)
    room.clock.advance(8 * MINUTE)
    together = threading.Barrier(4)
    results: list[list[Transition]] = []

    def check(alerts: Alerts) -> None:
        together.wait()
        results.append(alerts.check())

    threads = [threading.Thread(target=check, args=(room.another(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    changed = [changes for changes in results if changes]
    assert len(results) == 4
    assert len(changed) == 1
    assert room.alerts.history() == changed[0][::-1]
    before = room.client.get(room.keys.alert_check)
    room.clock.advance(timedelta(seconds=59))
    assert room.another().check() == []
    assert room.client.get(room.keys.alert_check) == before


def test_a_process_that_is_overtaken_during_a_check_writes_nothing(room: Room) -> None:
    room.healthy("sms/DE/O2")
    newer = '{"minute": 7, "statuses": []}'

    class Overtaken(AlertFigures):
        def series(self, since_ms: int) -> list[Series]:
            room.client.set(room.keys.alert_check, newer)
            return super().series(since_ms)

    client, raw = cast(Client, room.client), cast(RawClient, room.raw)
    figures = Overtaken(client, raw, room.keys, lambda: None)
    assert Alerts(client, room.keys, room.clock, figures).check() == []
    assert room.alerts.checked() == from_ms(7 * 60_000)


def test_nothing_is_checked_while_the_figures_lag_behind(room: Room) -> None:
    """Traffic that is in the journal only would look stopped."""
    room.healthy("sms/DE/O2")
    room.after(2)
    room.clock.advance(HOUR)
    room.was_checked()
    seconds, _ = room.client.time()
    room.client.xadd(room.keys.journal, {"check": "a b c"}, id=f"{int(seconds) * 1000 - 60_000}-0")
    assert room.after(3) == []
    assert room.alerts.checked() == room.clock.now() - 3 * MINUTE
    room.client.delete(room.keys.journal)
    assert room.after(1) != []


def test_after_a_process_died_in_its_turn_the_next_minute_finds_the_same(room: Room) -> None:
    room.healthy("sms/DE/O2")
    room.add("sms/DE/O2", 10, DEAD)
    room.clock.advance(6 * MINUTE)
    turn = room.keys.alert_turn(str(to_ms(room.clock.now()) // 60_000))
    room.client.set(turn, "1", px=timedelta(minutes=1))
    assert room.alerts.check() == []
    assert room.alerts.checked() is None
    changes = room.after(1)
    assert {change.since for change in changes} == {room.now}
    assert room.alerts.checked() == room.now + 7 * MINUTE


def test_every_key_has_a_ttl(room: Room) -> None:
    room.healthy("sms/DE/O2")
    room.add("sms/DE/O2", 10, DEAD)
    assert room.after(8)
    for key in room.client.scan_iter():
        assert 0 < room.client.ttl(key) <= timedelta(days=36).total_seconds(), key
    assert room.client.ttl(room.keys.alert_history) <= KEEP.total_seconds()


def test_without_figures_there_is_no_status(room: Room) -> None:
    assert room.alerts.current() == []
    assert room.alerts.checked() is None
    assert room.alerts.check() == []
    assert room.alerts.current() == []
    assert room.alerts.checked() == room.now


def test_an_unclear_send_wakes_the_check() -> None:
    urgent: list[bool] = []
    watch = AlertWatch(urgent.append)
    watch.background.start()
    try:
        watch.wake()
        until(lambda: urgent == [True])
    finally:
        watch.background.stop()


def test_a_check_at_once_is_followed_by_another_as_it_may_have_missed_the_newest_sends() -> None:
    urgent: list[bool] = []
    fails = [True]

    def check(at_once: bool) -> None:
        urgent.append(at_once)
        if fails:
            fails.pop()
            raise StoreUnavailable("Redis cannot be reached.", "Try again.")

    watch = AlertWatch(check)
    watch.wake()
    with pytest.raises(StoreUnavailable):
        watch.run()
    for _ in range(3):
        watch.run()
    assert urgent == [True, True, False, False]
    urgent.clear()
    watch.wake()
    for _ in range(3):
        watch.run()
    assert urgent == [True, True, False]


def test_without_redis_a_check_raises(room: Room) -> None:
    class Down(AlertFigures):
        def series(self, since_ms: int) -> list[Series]:
            raise StoreUnavailable("Redis cannot be reached.", "Try again.")

    client, raw = cast(Client, room.client), cast(RawClient, room.raw)
    figures = Down(client, raw, room.keys, lambda: None)
    with pytest.raises(StoreUnavailable):
        Alerts(client, room.keys, room.clock, figures).check()


def test_the_alerts_of_the_services_read_real_figures(at: World) -> None:
    at.services.sample.load(days=2, per_day=50)
    at.services.alerts.check()
    assert at.services.alerts.checked() is not None

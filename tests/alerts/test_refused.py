"""Sends that budgets refuse: counted by number, minute and place, and judged by what is usual."""

import itertools
from datetime import timedelta
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import pytest
import redis

from core.alerts.measures import Measure
from core.alerts.records import AlertStatus
from core.model.verification import SendOutcome
from core.panels.alert_cards import firing_card
from core.panels.alert_course import points
from core.store.client import Client
from core.store.refusals import MOST_FIELDS, RefusalCounter
from core.store.scripts import Scripts
from core.webhooks.alert_event import AlertEventKind
from core.wording.alert_messages import alert_message
from tests.alerts.checking_process import BASE
from tests.alerts.test_alerts import DAY, DEAD, GOOD, HOUR, MINUTE, OK, Room
from tests.alerts.test_alerts import room as room
from tests.alerts.test_explaining import heads
from tests.verification.test_warnings import rest
from tests.world import FrozenClock, until, world

_NUMBERS = itertools.count()
#: Queries of a verdict, and whether they concern refused sends to the USA today.
VERDICTS = {
    "range=24h": True,
    "range=24h&country=US": True,
    "range=24h&country=FR": False,
    "range=24h&channel=sms": True,
    "range=24h&channel=voice": False,
    "range=yesterday": False,
}


def refuse(
    room: Room,
    numbers: int,
    begin: timedelta = timedelta(),
    *,
    budget: str = "sends_per_country",
    country: str = "DE",
) -> None:
    """Refuse so many numbers, `begin` after noon."""
    now = room.clock.now()
    room.clock.advance(room.now + begin - now)
    counter = RefusalCounter(Scripts(cast(Client, room.client)), room.keys, room.clock)
    for _ in range(numbers):
        counter.count(budget, "sms", country, f"number {next(_NUMBERS)}")
    room.clock.advance(now - room.clock.now())


def test_a_spent_budget_fires_at_its_country_with_words_and_recovers(room: Room) -> None:
    room.healthy("sms/DE/O2", "sms/FR/Orange")
    for day in range(1, 28):
        refuse(room, 3, -day * DAY)
    for carrier in ("sms/DE/O2", "sms/FR/Orange"):
        room.add(carrier, 90, GOOD)
    for minute in range(20):
        refuse(room, 3, minute * MINUTE)
    refuse(room, 1, 5 * MINUTE, budget="sends_per_address")
    changes = room.after(20)
    assert {(change.series, change.measure) for change in changes if not change.under} == {
        ("sms/DE", Measure.REFUSED)
    }
    first = changes[0]
    assert first.at - room.now <= 8 * MINUTE
    assert first.since == room.now
    fired = room.status("sms/DE", Measure.REFUSED)
    assert fired.budgets == ("sends_per_country", "sends_per_address")
    title, text, link = alert_message(AlertEventKind.FIRING, fired, room.clock.now(), "live", BASE)
    assert title == "SMS to Germany: budgets refuse more people than usual"
    assert text.startswith("Budgets refused 61 of ")
    assert "one country (SENDS_PER_COUNTRY_PER_HOUR); one client address (SENDS_PER_" in text
    assert "country=DE" in link
    assert "abuse=true" in link
    now = room.clock.now()
    card = firing_card(room.alerts.firing()[0], None, 1, now, ZoneInfo("UTC"))
    assert card.advice.startswith("Which budget refuses: one country")
    course = room.alerts.course(card.place)
    drawn = points(course, Measure.REFUSED, card.baseline or 0, card.since, now)
    assert (drawn.name, drawn.unit, drawn.usual > 99) == ("numbers within the budgets", "%", True)
    assert max(drawn.value) > 95
    assert 35 < min(drawn.value) < 45
    # Of carriers nothing is counted, so nothing is said.
    assert not any(status.series.last for status in of_refused(room))
    ended = [change for change in room.after(60) if change.after is OK]
    assert ("sms/DE", Measure.REFUSED) in {(change.series, change.measure) for change in ended}
    assert room.fires() == []


def of_refused(room: Room) -> list[AlertStatus]:
    return [status for status in room.alerts.current() if status.measure is Measure.REFUSED]


@pytest.mark.parametrize("has_past", [True, False])
def test_one_person_who_is_refused_again_and_again_is_no_alert(room: Room, has_past: bool) -> None:
    if has_past:
        room.healthy("sms/DE/O2")
    room.add("sms/DE/O2", 60 if has_past else 1, GOOD)
    counter = RefusalCounter(Scripts(cast(Client, room.client)), room.keys, room.clock)
    for number in range(14):
        for _ in range(20):
            counter.count("sends_per_10_minutes", "sms", "DE", f"tester {number}")
    room.after(30)
    assert room.fires() == []
    assert room.status("sms", Measure.REFUSED).n >= 14
    # So many more are not one person who tries what the budgets do.
    refuse(room, 8, 30 * MINUTE)
    refuse(room, 8, 31 * MINUTE)
    room.after(3)
    assert heads(room) == {("sms/DE", Measure.REFUSED)}


def test_where_budgets_refuse_all_the_missing_traffic_is_explained(room: Room) -> None:
    room.healthy("sms/DE/O2", "sms/FR/Orange")
    for minute in range(40):
        for country in ("DE", "FR"):
            refuse(room, 2, minute * MINUTE, budget="spend_per_day", country=country)
    room.after(40)
    assert heads(room) == {("sms", Measure.REFUSED)}
    assert Measure.TRAFFIC in {measure for _, measure, _ in room.fires()}


def test_what_budgets_refuse_of_pumping_and_of_an_outage_is_explained_by_these(room: Room) -> None:
    room.healthy("sms/DE/O2", "sms/FR/Orange")
    # Pumping that the budget of a prefix stops after some minutes; people who try again.
    room.add("sms/DE/O2", 40, GOOD)
    room.add("sms/LV/LMT", 40, DEAD)
    room.add("sms/FR/Orange", 40, DEAD)
    for minute in range(10, 40):
        refuse(room, 4, minute * MINUTE, budget="sends_per_prefix", country="LV")
        refuse(room, 2, minute * MINUTE, budget="sends_per_10_minutes", country="FR")
    room.after(40)
    places = {series.split("/")[1]: measure for series, measure in heads(room)}
    assert places["LV"] is Measure.TRAFFIC
    assert places["FR"] in {Measure.CONFIRMED, Measure.WITHIN_60}
    assert len(heads(room)) == 2
    refused = {series: under for series, measure, under in room.fires() if measure == "refused"}
    assert {"sms/LV", "sms/FR"} <= set(refused)


def test_the_past_of_refusals_begins_with_the_first_that_was_counted(room: Room) -> None:
    """So a release that counts them first is not alarmed by what is usual."""
    room.healthy("sms/DE/O2")
    room.alerts.check()
    assert room.status("sms", Measure.REFUSED).baseline is None
    for ago in (1, 2):
        for hour in range(24):
            refuse(room, 12, -ago * DAY + (hour - 12) * HOUR)
    room = Room(room.client, room.raw)
    room.after(1)
    # 288 beside 2,880 attempts, not divided by four weeks.
    assert room.status("sms", Measure.REFUSED).baseline == pytest.approx(0.91, abs=0.005)
    room.add("sms/DE/O2", 60, GOOD)
    for minute in range(0, 60, 5):
        refuse(room, 1, minute * MINUTE)
    room.after(60)
    assert room.fires() == []


def test_refusals_that_are_usual_at_an_hour_are_no_alert(room: Room) -> None:
    room.healthy("sms/DE/O2")
    # Each noon a fifth of the numbers is refused, for an hour.
    for day in range(1, 29):
        refuse(room, 30, -day * DAY)
    room.add("sms/DE/O2", 60, GOOD)
    refuse(room, 30)
    room.after(30)
    assert room.fires() == []


def test_what_is_kept_of_refusals_is_bounded_and_names_no_number(room: Room) -> None:
    counter = RefusalCounter(Scripts(cast(Client, room.client)), room.keys, room.clock)
    key = room.keys.budget_refusals(room.now)
    filled = [f"{n} sms/DE sends_per_day" for n in range(1440, 1440 + MOST_FIELDS - 1)]
    room.client.hset(key, items=[part for field in filled for part in (field, "1")])
    for number in range(300):
        country = "DE" if number == 0 else f"{chr(65 + number % 26)}{chr(65 + number // 26)}"
        counter.count("sends_per_prefix", "sms", country, f"digest {number}")
    assert room.client.hlen(key) <= MOST_FIELDS + 2
    counted = room.client.hgetall(key)
    assert counted.keys() - set(filled) == {"720 sms/DE sends_per_prefix", "720 sms"}
    assert int(counted["720 sms"]) > 280
    assert (room.client.memory_usage(room.keys.refused_numbers(room.now)) or 0) < 16_000
    text = str([*room.client.scan_iter(), *counted])
    assert "digest" not in text
    for name in room.client.scan_iter():
        assert 0 < room.client.ttl(name) <= timedelta(days=35).total_seconds(), name


def test_a_budget_of_a_country_that_real_sends_exhaust_fires(
    tmp_path: Path, redis_url: str, client: redis.Redis
) -> None:
    clock = FrozenClock()
    # The very beginning of a minute.
    clock.advance(60 - clock.now().second)
    with world(tmp_path, redis_url, clock, sends_per_country_per_hour=3) as at:
        outcomes = [at.start(at.number()).outcome for _ in range(20)]
        assert outcomes == [SendOutcome.SENT] * 3 + [SendOutcome.OVER_BUDGET] * 17
        again = at.number()
        for _ in range(20):
            at.start(again)
        assert at.services.ledger.counters()["refused_sends_per_country"] == 37
        # The check in the background may have taken this turn before the last send.
        clock.advance(5)
        at.services.alerts.check(at_once=True)
        until(lambda: [entry.status.n for entry in at.services.alerts.firing()] == [21])
        (entry,) = at.services.alerts.firing()
        assert (entry.status.series, entry.status.measure) == ("sms/US", Measure.REFUSED)
        assert (entry.status.n, entry.status.budgets) == (21, ("sends_per_country",))
        with rest(at) as api:
            (fired,) = [
                alert
                for alert in api.get("/delivery/alerts").json()
                if alert["state"] == "firing" and not alert["under"]
            ]
            assert (fired["measure"], fired["budgets"]) == ("refused", ["sends_per_country"])
            # As the verdict of the page, which has the sentence in place of "nothing differs".
            for query, is_named in VERDICTS.items():
                verdict = api.get(f"/delivery/verdict?{query}").json()
                assert verdict["alerts"] == ([fired] if is_named else []), query
                assert ("Budgets refused 18 of 21 numbers" in verdict["sentence"]) is is_named


def test_where_budgets_only_warn_nothing_is_refused_and_nothing_counted(
    tmp_path: Path, redis_url: str, client: redis.Redis
) -> None:
    with world(
        tmp_path, redis_url, FrozenClock(), sends_per_country_per_hour=3, sandbox_budgets="warn"
    ) as at:
        for _ in range(18):
            assert at.start(at.number()).outcome is SendOutcome.SENT
        at.services.alerts.check(at_once=True)
        assert not client.exists(at.services.keys.budget_refusals(at.clock.now()))
        assert at.services.alerts.firing() == []

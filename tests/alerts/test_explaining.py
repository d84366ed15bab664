"""A failure is one alert, however many series it shows in."""

from datetime import timedelta

import pytest

from core.alerts.explaining import with_leaders
from core.alerts.measures import Measure
from core.alerts.records import AlertStatus, StoredStatus
from core.alerts.states import AlertState
from core.model.clock import from_ms
from core.model.series import Series
from tests.alerts.test_alerts import DEAD, GOOD, Room
from tests.alerts.test_alerts import room as room

PLACES = ("sms/DE/O2", "sms/DE/Vodafone", "sms/FR/Orange", "voice/DE/O2")
UNCLEAR = DEAD | {"unclear": 2}
SILENT_RECEIPTS = GOOD | {"delivered": 0, "within_60": 0}


def heads(room: Room) -> set[tuple[str, Measure]]:
    """The alerts that no other one explains."""
    return {(series, measure) for series, measure, under in room.fires() if not under}


@pytest.mark.parametrize(
    ("attempts", "measures", "minutes"),
    [
        (UNCLEAR, {Measure.UNCLEAR}, 10),
        (DEAD, {Measure.CONFIRMED, Measure.WITHIN_60}, 10),
        (SILENT_RECEIPTS, {Measure.RECEIPTS}, 10),
        ({}, {Measure.TRAFFIC}, 30),
    ],
)
def test_a_failure_of_everything_is_one_alert_of_all_traffic(
    room: Room, attempts: dict[str, int], measures: set[Measure], minutes: int
) -> None:
    room.healthy(*PLACES)
    room.alerts.check()
    for place in PLACES:
        room.add(place, minutes, attempts)
    at_any_time = set()
    for _ in range(minutes):
        room.after(1)
        at_any_time |= heads(room)
    assert {series for series, _ in at_any_time} == {"all"}
    assert {measure for _, measure in at_any_time} <= measures
    # The places fire too, and each has its explanation.
    assert len(room.fires()) > len(PLACES)


def test_a_failed_channel_explains_its_places_and_all_traffic(room: Room) -> None:
    room.healthy(*PLACES)
    for place in PLACES:
        room.add(place, 10, UNCLEAR if place.startswith("sms") else GOOD)
    room.after(8)
    assert heads(room) == {("sms", Measure.UNCLEAR)}
    assert ("all", Measure.UNCLEAR, "sms") in room.fires()


def test_unclear_sends_of_a_country_that_then_look_like_pumping_stay_one_alert(room: Room) -> None:
    room.healthy("sms/FR/Orange")
    room.add("sms/FR/Orange", 12, GOOD)
    for day in range(1, 29):
        room.add("sms/DE/O2", 40, GOOD, -day * 1440 - 300)
    # Pumped places do not count in their whole.
    room.add("sms/DE/O2", 1, {"requested": 14, "started": 14, "unclear": 14})
    at_any_time = set()
    for _ in range(10):
        room.after(1)
        at_any_time |= heads(room)
    fires = {(series, measure) for series, measure, _ in room.fires()}
    assert ("sms/DE/O2", Measure.TRAFFIC) in fires
    assert at_any_time == {("sms/DE/O2", Measure.UNCLEAR)}


def test_two_dead_carriers_of_a_good_country_are_two_alerts(room: Room) -> None:
    carriers = [f"sms/DE/{name}" for name in ("O2", "Telekom", "Vodafone")]
    room.healthy(*carriers)
    room.add(carriers[0], 12, DEAD)
    room.add(carriers[1], 12, DEAD)
    room.add(carriers[2], 12, GOOD)
    room.after(10)
    assert {series for series, _ in heads(room)} == set(carriers[:2])


def test_with_one_channel_that_is_all_traffic(room: Room) -> None:
    room.healthy("sms/DE/O2")
    room.alerts.check()
    assert {status.series for status in room.alerts.current()} == {"sms", "sms/DE", "sms/DE/O2"}


def test_all_traffic_is_the_sum_of_the_channels(room: Room) -> None:
    room.healthy("sms/DE/O2", "voice/FR/Orange")
    room.clock.advance(timedelta(minutes=1))
    room.alerts.check()
    parts = room.status("sms").n, room.status("voice").n
    assert room.status("all").n == sum(parts) > 0


@pytest.mark.parametrize("explained_by", ["sms/DE", ""])
def test_without_new_evidence_an_alert_keeps_its_explanation(explained_by: str) -> None:
    """As after a stop of the process, when the minutes of the incident are left out."""
    entries = [
        StoredStatus(
            AlertStatus(
                Series(series), Measure.UNCLEAR, AlertState.FIRING, 16, 4, 0.25, 1.0, None,
                from_ms(0), Series(under),
            ),
            0, 0, 1,
        )
        for series, under in (("sms", explained_by), ("sms/DE", ""))
    ]  # fmt: skip
    marked = with_leaders({entry.place: entry for entry in entries}, {})
    heads = {entry.status.series for entry in marked.values() if entry.is_head}
    assert heads == {explained_by or "sms"}

"""Alerts and the verdict of the Delivery page name the same place and kind for each incident."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from core.alerts.measures import Measure
from core.alerts.records import AlertStatus
from core.alerts.unnamed import unnamed
from core.figures.filters import Filters
from core.figures.queries import Queries
from core.figures.ranges import Range
from core.findings.causes import Cause, CauseKind
from core.findings.findings import Findings
from core.findings.places import EVERYTHING, TrafficPlace
from core.model.series import Series
from core.store.client import Client, RawClient
from tests.alerts.test_alerts import DEAD, FIRING, GOOD, Room
from tests.alerts.test_alerts import room as room

HOURS = 6
AT = datetime(2026, 3, 14, 12, tzinfo=UTC)
HEALTHY = GOOD | dict.fromkeys(
    ("accepted", "sent", "within_10", "within_30", "n_person", "units"), 2
)
LOST = DEAD | {"accepted": 2, "sent": 2, "undelivered": 2, "priced": 2, "cost_micros": 20_000}
LATE = HEALTHY | dict.fromkeys(("within_10", "within_30", "within_60"), 0)
SILENT = HEALTHY | dict.fromkeys(
    ("delivered", "within_10", "within_30", "within_60", "n_person"), 0
)
O2, ALL = ("sms/DE/O2",), ("sms/DE/O2", "sms/DE/Vodafone", "sms/FR/Orange")
#: What an incident is: where, with which figures, and the kind and the measures that name it.
INCIDENTS = {
    "dead": (O2, LOST, CauseKind.LOSES, Measure.CONFIRMED),
    "slow": (O2, LATE, CauseKind.SLOW, Measure.WITHIN_60),
    "unclear": (ALL, DEAD | {"unclear": 2}, CauseKind.UNCLEAR, Measure.UNCLEAR),
    "silent": (ALL, SILENT, CauseKind.RECEIPTS_SILENT, Measure.RECEIPTS),
    "pumping": (("sms/LV/LMT",), LOST, CauseKind.PUMPING, Measure.TRAFFIC),
    "price": (O2, HEALTHY | {"cost_micros": 60_000}, CauseKind.PRICE, Measure.PRICE),
    "calm": ((), HEALTHY, None, None),
}


@pytest.mark.parametrize("name", INCIDENTS)
def test_the_alert_and_the_verdict_name_the_same(room: Room, name: str) -> None:
    carriers, counts, kind, measure = INCIDENTS[name]
    minutes = HOURS * 60
    for carrier in ALL:
        is_affected = carrier in carriers
        room.add(carrier, 30 * 1440, HEALTHY, -30 * 1440)
        room.add(carrier, minutes, counts if is_affected else HEALTHY)
    for carrier in set(carriers) - set(ALL):
        room.add(carrier, minutes, counts)
    for _ in range(HOURS * 12):
        room.clock.advance(timedelta(minutes=5))
        room.was_checked()
        room.alerts.check()
    alerts = {(entry.status.series, entry.status.measure) for entry in room.alerts.firing()}
    causes, unnamed = verdict_of(room)
    assert unnamed == []
    if kind is None:
        assert (alerts, causes) == (set(), ())
        return
    (cause,) = causes
    assert cause.kind is kind
    ((series, named),) = alerts
    assert named is measure
    assert place_of(cause) == (series.country, series.last)


@pytest.mark.parametrize("name", ["slow", "silent"])
def test_an_alert_is_in_the_verdict_from_its_first_minute_on(room: Room, name: str) -> None:
    """Before the verdict, which tests a whole day, has a cause for it."""
    carriers, counts, _, measure = INCIDENTS[name]
    room.healthy(*ALL)
    for carrier in ALL:
        room.add(carrier, 30, counts if carrier in carriers else HEALTHY)
    until_it_fires = (minute for minute in range(30) if room.after(1) and room.alerts.firing())
    assert next(until_it_fires) < 10
    causes, (alert,) = verdict_of(room)
    assert (causes, alert.measure) == ((), measure)
    assert [entry.status for entry in room.alerts.firing()] == [alert]


def verdict_of(room: Room) -> tuple[tuple[Cause, ...], list[AlertStatus]]:
    """The causes of the verdict on the last day, and the alerts that these do not name."""
    client, raw = cast(Client, room.client), cast(RawClient, room.raw)
    queries = Queries(client, raw, room.keys, room.clock, lambda: None)
    now = room.clock.now()
    day = Range(now - timedelta(days=1), now)
    causes = Findings(queries, room.clock).verdict(day).causes
    return causes, room.alerts.unnamed(causes, day, Filters())


ALERT = AlertStatus(Series("sms/ID"), Measure.CONFIRMED, FIRING, 5, 0, 0.0, 0.97, None, AT)
LOSES = Cause(
    CauseKind.LOSES, TrafficPlace(None, "ID", "Telkomsel"), AT, None, 8, 8, 0.03, 7, None,
)  # fmt: skip
EARLIER = AT - timedelta(days=3)


@pytest.mark.parametrize(
    ("cause", "is_named"),
    [
        (LOSES, True),
        (replace(LOSES, place=EVERYTHING, since=EARLIER), True),
        (replace(LOSES, kind=CauseKind.UNCLEAR), True),
        # A carrier that has lost codes for days is not why the whole country does now.
        (replace(LOSES, since=EARLIER), False),
        (replace(LOSES, place=EVERYTHING, since=EARLIER, until=AT), False),
        (replace(LOSES, place=TrafficPlace(None, "DE")), False),
        (replace(LOSES, kind=CauseKind.PRICE), False),
    ],
)
def test_a_cause_names_the_alert_of_its_incident_only(cause: Cause, is_named: bool) -> None:
    day = Range(AT - timedelta(days=1), AT + timedelta(minutes=5))
    assert (unnamed([ALERT], [cause], day, Filters()) == []) is is_named
    for filters in (Filters("voice"), Filters(None, "DE")):
        assert unnamed([ALERT], [], day, filters) == []
    assert unnamed([ALERT], [], Range(EARLIER, AT), Filters()) == []


def place_of(cause: Cause) -> tuple[str, str]:
    return cause.place.country or "", cause.place.carrier or ""

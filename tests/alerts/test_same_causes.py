"""Alerts and the verdict of the Delivery page name the same place and kind for each incident."""

from datetime import timedelta
from typing import cast

import pytest

from core.alerts.measures import Measure
from core.figures.queries import Queries
from core.figures.ranges import Range
from core.findings.causes import Cause, CauseKind
from core.findings.findings import Findings
from core.store.client import Client, RawClient
from tests.alerts.test_alerts import DEAD, GOOD, Room
from tests.alerts.test_alerts import room as room

HOURS = 6
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
    client, raw = cast(Client, room.client), cast(RawClient, room.raw)
    queries = Queries(client, raw, room.keys, room.clock, lambda: None)
    now = room.clock.now()
    verdict = Findings(queries, room.clock).verdict(Range(now - timedelta(days=1), now))
    if kind is None:
        assert (alerts, verdict.causes) == (set(), ())
        return
    (cause,) = verdict.causes
    assert cause.kind is kind
    ((series, named),) = alerts
    assert named is measure
    assert place_of(cause) == (series.country, series.last)


def place_of(cause: Cause) -> tuple[str, str]:
    return cause.place.country or "", cause.place.carrier or ""

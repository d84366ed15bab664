"""Verdicts over attempts that went through the real ledger, with their REST answer."""

from datetime import timedelta

from core.figures.ranges import Range
from core.findings.causes import CauseKind
from core.findings.places import EVERYTHING, Place
from tests.findings.incidents import INCIDENTS, TELKOMSEL, events, history, midnight
from tests.world import World

HISTORY = 10
CARRIER = Place(None, *TELKOMSEL)
EXPECTED = {
    "dead": (CauseKind.LOSES, CARRIER),
    "slow": (CauseKind.SLOW, CARRIER),
    "unclear": (CauseKind.UNCLEAR, EVERYTHING),
    "silent": (CauseKind.RECEIPTS_SILENT, EVERYTHING),
    "pumping": (CauseKind.PUMPING, Place(None, "VU", "Digicel")),
    "price": (CauseKind.PRICE, Place(None, "DE", "Vodafone")),
}


def test_each_day_of_the_ledger_has_its_incident_and_no_other(at: World) -> None:
    days = [*history(HISTORY), *INCIDENTS]
    first = midnight(at.clock.now()) - timedelta(days=len(days))
    at.services.ledger.apply_all(events(first, days))
    at.services.fold.settle()
    found = {}
    for n, day in enumerate(INCIDENTS, HISTORY):
        start = first + timedelta(days=n)
        verdict = at.services.findings.verdict(Range(start, start + timedelta(days=1)))
        found[day.name] = [(cause.kind, cause.place) for cause in verdict.causes]
        if day.name != "calm":
            (cause,) = verdict.causes or [None]
            assert cause is not None, day.name
            assert abs(cause.since - start) < timedelta(hours=2), (day.name, cause.since)
    assert found == {name: [cause] for name, cause in EXPECTED.items()} | {"calm": []}

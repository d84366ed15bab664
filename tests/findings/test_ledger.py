"""Verdicts over attempts that went through the real ledger, with their REST answer."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.figures.catalogue import COLUMNS
from core.figures.filters import ALL, Filters
from core.figures.layout import Cube
from core.figures.ranges import Preset, Range, pieces, preset
from core.findings import candidates, findings, leaves
from core.findings.causes import CauseKind, DeliveryVerdict
from core.findings.findings import Findings
from core.findings.leaves import Leaves
from core.findings.places import EVERYTHING, TrafficPlace
from core.model.clock import to_ms
from core.wording.findings import headline
from tests.findings.incidents import (
    INCIDENTS,
    PLACES,
    TELKOMSEL,
    USUAL,
    Course,
    at_rates,
    events,
    history,
    midnight,
    unclear_since,
)
from tests.world import World

HISTORY = 10
CARRIER = TrafficPlace(None, *TELKOMSEL)
EXPECTED = {
    "dead": (CauseKind.LOSES, CARRIER),
    "slow": (CauseKind.SLOW, CARRIER),
    "unclear": (CauseKind.UNCLEAR, EVERYTHING),
    "silent": (CauseKind.RECEIPTS_SILENT, EVERYTHING),
    "pumping": (CauseKind.PUMPING, TrafficPlace(None, "VU", "Digicel")),
    "price": (CauseKind.PRICE, TrafficPlace(None, "DE", "Vodafone")),
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


def _load(
    at: World, *phases: tuple[tuple[str, str], list[tuple[timedelta, Course, float]]]
) -> Findings:
    """Ten days of 1.2 attempts an hour to each place; the phases differ (`at_rates`). The findings
    that are returned have read nothing of another test."""
    now = at.clock.now()
    of_place = dict(phases)
    for place in {*PLACES, *of_place}:
        start = now - (timedelta(days=10) if place in PLACES else of_place[place][0][0])
        at.services.ledger.apply_all(at_rates(start, now, place, *of_place.get(place, [])))
    at.services.fold.settle()
    at.services.queries.forget()
    return Findings(at.services.queries, at.clock)


def _verdict(at: World, findings: Findings, name: str, filters: Filters = ALL) -> DeliveryVerdict:
    return findings.verdict(preset(Preset(name), at.clock.now(), ZoneInfo("UTC")), filters)


def _named(verdict: DeliveryVerdict) -> list[tuple[CauseKind, TrafficPlace]]:
    return [(cause.kind, cause.place) for cause in verdict.causes]


def test_two_incidents_of_little_traffic_are_named_in_every_range(at: World) -> None:
    """In the last hours alone there are too few attempts to say which place it is."""
    vodafone = ("DE", "Vodafone")
    findings = _load(
        at,
        (TELKOMSEL, [(timedelta(hours=30), replace(USUAL, arrives=0), 3)]),
        (vodafone, [(timedelta(hours=10), replace(USUAL, seconds=184), 3)]),
    )
    slow = (CauseKind.SLOW, TrafficPlace(None, *vodafone))
    for name in ("1h", "6h", "24h", "7d"):
        assert _named(_verdict(at, findings, name)) == [(CauseKind.LOSES, CARRIER), slow], name
        assert _named(_verdict(at, findings, name, Filters(None, "ID"))) == [
            (CauseKind.LOSES, CARRIER)
        ], name
        assert _named(_verdict(at, findings, name, Filters(None, "BR"))) == [], name


def test_an_incident_that_began_days_before_a_short_range_is_no_usual_state(at: World) -> None:
    findings = _load(at, (TELKOMSEL, [(timedelta(hours=72), replace(USUAL, arrives=0), 2)]))
    began = at.clock.now() - timedelta(hours=72)
    for name in ("1h", "6h", "24h", "7d"):
        (cause,) = _verdict(at, findings, name).causes
        assert (cause.kind, cause.place) == (CauseKind.LOSES, CARRIER)
        assert abs(cause.since - began) < timedelta(hours=2), (name, cause.since)


def test_an_incident_that_is_over_has_its_exact_end_and_the_numbers_of_its_time(
    at: World,
) -> None:
    """A week is read in steps of a day."""
    dead, over = replace(USUAL, arrives=0), timedelta(hours=28)
    findings = _load(at, (TELKOMSEL, [(timedelta(hours=40), dead, 3), (over, USUAL, 3)]))
    ended = at.clock.now() - over
    (cause,) = _verdict(at, findings, "7d").causes
    assert (cause.kind, cause.place) == (CauseKind.LOSES, CARRIER)
    assert cause.until is not None
    # There are three attempts an hour.
    assert abs(cause.until - ended) < timedelta(hours=2)
    of_place = at.services.queries.totals(
        Range(cause.since, cause.until), Filters(None, *TELKOMSEL)
    )
    assert (cause.n, cause.requested) == (of_place["requested"], of_place["requested"])
    assert cause.rate > 0.9


def test_pumping_is_in_the_place_of_the_codes_in_a_range_of_one_hour(at: World) -> None:
    """There are hardly any other codes in it."""
    pumped = replace(USUAL, enters=0)
    findings = _load(at, (("VU", "Digicel"), [(timedelta(hours=10), pumped, 60)]))
    for name in ("1h", "6h", "24h"):
        assert _named(_verdict(at, findings, name)) == [
            (CauseKind.PUMPING, TrafficPlace(None, "VU", "Digicel"))
        ]


def test_where_nothing_was_requested_the_verdict_says_so_and_since_when(at: World) -> None:
    gone = timedelta(hours=30)
    findings = _load(
        at, *((place, [(gone, USUAL, 0.0)]) for place in (("DE", "Vodafone"), ("DE", "O2")))
    )
    now = at.clock.now()
    for name in ("1h", "24h"):
        verdict = _verdict(at, findings, name, Filters(None, "DE"))
        assert headline(verdict) == "No code was requested in this range."
        (cause,) = verdict.causes
        assert (cause.kind, cause.place) == (CauseKind.TRAFFIC_GONE, TrafficPlace(None, "DE"))
        assert timedelta(hours=30) <= now - cause.since < timedelta(hours=34)


def test_codes_of_the_last_minutes_are_too_new_and_were_requested(at: World) -> None:
    at.services.ledger.apply_all(unclear_since(at.clock.now() - timedelta(minutes=2), 2))
    at.services.fold.settle()
    at.services.queries.forget()
    findings = Findings(at.services.queries, at.clock)
    verdict = _verdict(at, findings, "1h", Filters("voice"))
    assert headline(verdict) == "No code was requested in this range."
    verdict = _verdict(at, findings, "1h", Filters("sms"))
    assert headline(verdict) == "No code is old enough to be judged yet."


def test_an_incident_of_the_last_minutes_is_named_in_a_day_and_over_rest(at: World) -> None:
    now = at.clock.now()
    first = now - timedelta(days=HISTORY)
    at.services.ledger.apply_all(events(first, history(HISTORY)))
    at.services.ledger.apply_all(unclear_since(now - timedelta(minutes=12), 12))
    at.services.fold.settle()
    at.services.queries.forget()
    token = at.services.tokens.sandbox_token
    answer = at.http.get(
        "/api/v1/delivery/verdict?range=24h", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 200, answer.text
    verdict = answer.json()
    assert verdict["outcome"] == "causes"
    (cause,) = verdict["causes"]
    assert (cause["kind"], cause["channel"], cause["country"]) == ("unclear", None, None)
    assert cause["sentence"] in verdict["sentence"]
    since = datetime.fromisoformat(cause["since"])
    assert timedelta(minutes=10) < now - since < timedelta(minutes=14)
    # Under a filter of a part of it, the incident is named as a whole.
    period = preset(Preset.DAY, now, ZoneInfo("UTC"))
    inside = at.services.findings.verdict(period, Filters(None, "DE"))
    assert [cause.place for cause in inside.causes] == [EVERYTHING]
    assert 0 < inside.requested < verdict["requested"] / 2


def test_the_carriers_that_are_not_read_are_the_rest_of_their_country(at: World) -> None:
    now = at.clock.now()
    at.services.ledger.apply_all(events(now - timedelta(days=2), history(2)))
    at.services.fold.settle()
    queries = at.services.queries
    period = Range(now - timedelta(days=4), now)
    carriers = queries.series_since(Cube.CARRIER, period.start)
    cut, starts = pieces(period, now), [to_ms(period.start)]
    whole = queries.counters(Cube.CARRIER, carriers, cut, starts)
    some = Leaves(carriers[:2], queries.series_since(Cube.COUNTRY, period.start))
    counts = some.read(queries, cut, starts)
    assert len(counts) == len(some.names) == 2 + 3
    assert (counts.sum(axis=0) == whole.sum(axis=0)).all()
    assert whole[:, 0, COLUMNS.index("requested")].sum() > 200


def test_a_choice_of_the_carriers_gives_the_same_verdict(
    at: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = next(day for day in INCIDENTS if day.name == "dead")
    days = [*history(HISTORY), dead]
    first = midnight(at.clock.now()) - timedelta(days=len(days))
    at.services.ledger.apply_all(events(first, days))
    at.services.fold.settle()
    period = Range(first + timedelta(days=HISTORY), first + timedelta(days=HISTORY + 1))
    queries = at.services.queries
    queries.forget()
    whole = Findings(queries, at.clock).verdict(period)
    assert whole.causes
    queries.forget()
    for module in (leaves, findings):
        monkeypatch.setattr(module, "MOST_CARRIERS", 2)
    monkeypatch.setattr(leaves, "_KEPT", 2)
    monkeypatch.setattr(candidates, "_LARGEST", 1)
    monkeypatch.setattr(candidates, "_CLEAREST", 1)
    chosen = Findings(queries, at.clock).verdict(period)
    assert chosen == whole

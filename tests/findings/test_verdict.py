"""The causes that are named for simulated traffic: 20 countries with three carriers each, by SMS
and by call, 28 days of history and a day in hours."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from core.figures.catalogue import COLUMNS
from core.findings.causes import Cause, CauseKind, Outcome
from core.findings.combining import combined
from core.findings.places import EVERYTHING, TrafficPlace
from core.findings.verdict import Cutoffs, causes, outcome
from core.model.series import Series
from tests.findings.simulated import DAYS, STEPS, Simulated, traffic

RIPE = Cutoffs(np.inf, np.inf, np.inf)
HALF = slice(DAYS + STEPS // 2, None)
NOON = datetime(2026, 11, 24, 0, tzinfo=UTC)
CARRIER = TrafficPlace(None, "AB", "Carrier 1")
COUNTRY = TrafficPlace(None, "AC")
Change = Callable[[Simulated], None]


def found(change: Change | None = None, *, seed: int = 1, per_day: float = 200) -> list[Cause]:
    simulated = traffic(20, 3, per_day, seed, ("sms", "voice"))
    if change:
        change(simulated)
    return combined(causes(simulated.evidence(), RIPE))


def named(causes: list[Cause]) -> list[tuple[CauseKind, TrafficPlace]]:
    return [(cause.kind, cause.place) for cause in causes]


def at(place: TrafficPlace) -> Callable[[Series], bool]:
    return lambda name: place.overlaps(name.channel, name.country, name.last)


def change(shares: str, place: TrafficPlace, value: float, cells: slice = HALF) -> Change:
    def apply(simulated: Simulated) -> None:
        getattr(simulated, shares)[simulated.where(at(place)), cells] = value

    return apply


def both(*changes: Change) -> Change:
    def apply(simulated: Simulated) -> None:
        for one in changes:
            one(simulated)

    return apply


@pytest.mark.parametrize("per_day", [5, 100, 3000])
def test_of_sixty_equal_carriers_hardly_any_is_named(per_day: float) -> None:
    looks = [causes(traffic(20, 3, per_day, seed).evidence(), RIPE) for seed in range(50)]
    assert sum(bool(look) for look in looks) <= 1


def test_shares_that_differ_from_day_to_day_and_from_place_to_place_name_nothing() -> None:
    def uneven(simulated: Simulated) -> None:
        rng = np.random.default_rng(simulated.seed)
        places = len(simulated.names)
        day = rng.normal(0, 0.03, (places, DAYS + 1)) + rng.uniform(-0.2, 0.1, (places, 1))
        cells = np.concatenate([day[:, :DAYS], np.repeat(day[:, DAYS:], STEPS, axis=1)], axis=1)
        simulated.enters = np.clip(simulated.enters + cells, 0, 1)

    looks = [found(uneven, seed=seed, per_day=800) for seed in range(40)]
    assert sum(bool(look) for look in looks) <= 1


@pytest.mark.parametrize(
    ("shares", "value", "place", "kind"),
    [
        ("arrives", 0.05, CARRIER, CauseKind.LOSES),
        ("arrives", 0.5, COUNTRY, CauseKind.LOSES),
        ("arrives", 0.6, TrafficPlace("sms"), CauseKind.LOSES),
        ("arrives", 0.6, EVERYTHING, CauseKind.LOSES),
        ("arrives", 0.1, TrafficPlace("sms", "AB", "Carrier 1"), CauseKind.LOSES),
        ("enters", 0.2, CARRIER, CauseKind.LOSES),
        ("in_time", 0.1, CARRIER, CauseKind.SLOW),
        ("in_time", 0.3, EVERYTHING, CauseKind.SLOW),
        ("unclear", 0.3, EVERYTHING, CauseKind.UNCLEAR),
        ("unclear", 0.6, TrafficPlace("voice"), CauseKind.UNCLEAR),
        ("reported", 0.0, EVERYTHING, CauseKind.RECEIPTS_SILENT),
        ("reported", 0.0, CARRIER, CauseKind.RECEIPTS_SILENT),
        ("reported", 0.4, COUNTRY, CauseKind.RECEIPTS_UNTRUSTED),
        ("price", 0.15, COUNTRY, CauseKind.PRICE),
        ("price", 0.15, EVERYTHING, CauseKind.PRICE),
    ],
)
def test_an_incident_is_one_cause_with_its_place_and_its_beginning(
    shares: str, value: float, place: TrafficPlace, kind: CauseKind
) -> None:
    for seed in (1, 2):
        (cause,) = found(change(shares, place, value), seed=seed)
        assert (cause.kind, cause.place) == (kind, place)
        assert cause.since == NOON
        assert cause.until is None


def test_without_receipts_and_codes_a_carrier_loses_its_codes() -> None:
    silent = both(change("arrives", CARRIER, 0), change("reported", CARRIER, 0))
    assert named(found(silent)) == [(CauseKind.LOSES, CARRIER)]


def test_an_incident_that_began_days_ago_is_sized_from_its_beginning() -> None:
    (cause,) = found(change("arrives", CARRIER, 0.3, slice(DAYS - 3, None)))
    assert cause.since == datetime(2026, 11, 20, tzinfo=UTC)
    assert cause.requested > 1200
    assert 0.5 * cause.requested < cause.lost < 0.7 * cause.requested


def test_an_incident_that_is_over_has_an_end() -> None:
    hours = slice(DAYS + 6, DAYS + 12)
    (cause,) = found(change("arrives", CARRIER, 0.05, hours))
    assert cause.until == NOON
    assert cause.since == datetime(2026, 11, 23, 18, tzinfo=UTC)


@pytest.mark.parametrize("fresh", [True, False])
def test_pumping_is_growth_of_codes_that_are_not_entered(fresh: bool) -> None:
    def pump(simulated: Simulated) -> None:
        rows = simulated.where(at(CARRIER))
        if fresh:
            simulated.mean[rows, :] = 0
        simulated.mean[rows, -6:] += 5000 / 6 / len(rows)
        simulated.enters[rows, -6:] = 0.0

    (cause,) = found(pump)
    assert (cause.kind, cause.place, cause.is_new) == (CauseKind.PUMPING, CARRIER, fresh)
    assert cause.since == datetime(2026, 11, 24, 6, tzinfo=UTC)
    assert 4800 < cause.requested < 5300
    # At 0.05 a code.
    assert cause.money == pytest.approx(0.05 * cause.requested, rel=0.25)


def test_growth_with_the_usual_conversion_is_a_campaign() -> None:
    def grow(simulated: Simulated) -> None:
        simulated.mean[simulated.where(at(COUNTRY)), -6:] *= 8

    assert found(grow) == []


def test_traffic_that_is_gone_is_named_where_it_always_was() -> None:
    def stop(simulated: Simulated) -> None:
        simulated.mean[simulated.where(at(COUNTRY)), DAYS:] = 0

    (cause,) = found(stop)
    assert (cause.kind, cause.place) == (CauseKind.TRAFFIC_GONE, COUNTRY)
    assert cause.usual == pytest.approx(6 * 200, rel=0.2)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("arrives", CARRIER, 0.05, CauseKind.LOSES), ("in_time", COUNTRY, 0.1, CauseKind.SLOW)),
        (("arrives", COUNTRY, 0.4, CauseKind.LOSES), ("arrives", CARRIER, 0.0, CauseKind.LOSES)),
        (("unclear", EVERYTHING, 0.1, CauseKind.UNCLEAR),
         ("arrives", CARRIER, 0.05, CauseKind.LOSES)),
        (("in_time", EVERYTHING, 0.2, CauseKind.SLOW),
         ("arrives", CARRIER, 0.0, CauseKind.LOSES)),
        (("reported", EVERYTHING, 0.0, CauseKind.RECEIPTS_SILENT),
         ("price", CARRIER, 0.15, CauseKind.PRICE)),
    ],
)  # fmt: skip
def test_two_incidents_at_once_are_two_causes(
    first: tuple[str, TrafficPlace, float, CauseKind],
    second: tuple[str, TrafficPlace, float, CauseKind],
) -> None:
    changes = [change(*one[:3]) for one in (first, second)]
    expected = [(kind, place) for _, place, _, kind in (first, second)]
    assert named(found(both(*changes))) == expected


def test_two_of_three_carriers_are_not_their_country() -> None:
    others = TrafficPlace(None, "AB", "Carrier 2")
    dead = both(change("arrives", CARRIER, 0.05), change("arrives", others, 0.05))
    assert {place for _, place in named(found(dead))} == {CARRIER, others}


def test_a_first_day_is_compared_with_the_other_places_only() -> None:
    def first_day(simulated: Simulated) -> None:
        simulated.mean[:, :DAYS] = 0

    assert found(first_day) == []
    dead = both(first_day, change("arrives", CARRIER, 0.0, slice(DAYS, None)))
    assert named(found(dead)) == [(CauseKind.LOSES, CARRIER)]


def test_receipts_that_come_after_the_codes_are_entered_are_late() -> None:
    simulated = traffic(20, 3, 200, 1)
    change("in_time", EVERYTHING, 0.05)(simulated)
    evidence = simulated.evidence()
    late = evidence.steps.copy()
    late[:, STEPS // 2 :, COLUMNS.index("n_person")] = 0
    evidence.steps[:] = late
    assert named(combined(causes(evidence, RIPE))) == [(CauseKind.RECEIPTS_LATE, EVERYTHING)]


def test_without_traffic_nothing_is_found_and_nothing_is_calm() -> None:
    simulated = traffic(2, 2, 0, 1)
    assert causes(simulated.evidence(), RIPE) == []
    assert outcome(0, 0, [], 0).outcome is Outcome.NO_TRAFFIC
    assert outcome(3, 4, [], 0).outcome is Outcome.TOO_FEW
    assert outcome(97, 100, [], 28).outcome is Outcome.CALM

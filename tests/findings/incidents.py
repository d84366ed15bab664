"""Days of traffic for the ledger: usual ones, and ones with an incident each."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

from core.model.attempt import AttemptEvent, EventKind, Source

PLACES = (
    *(("ID", "Telkomsel"), ("ID", "Indosat"), ("DE", "Vodafone"), ("DE", "O2")),
    *(("BR", "Vivo"), ("BR", "Claro")),
)
_MICROS = 50_000


@dataclass(frozen=True)
class Course:
    """What becomes of the attempts of a place on a day: shares, seconds and prices."""

    attempts: int = 25
    clear: bool = True
    arrives: float = 0.97
    reported: bool = True
    seconds: float = 4
    enters: float = 0.9
    micros: int = _MICROS


USUAL = Course()


@dataclass(frozen=True)
class Day:
    """A day of traffic; `places` are those that differ from USUAL."""

    name: str
    places: dict[tuple[str, str], Course]


def everywhere(course: Course) -> dict[tuple[str, str], Course]:
    return dict.fromkeys(PLACES, course)


TELKOMSEL = ("ID", "Telkomsel")
INCIDENTS = (
    Day("dead", {TELKOMSEL: replace(USUAL, arrives=0)}),
    Day("slow", {TELKOMSEL: replace(USUAL, seconds=184)}),
    Day("unclear", everywhere(replace(USUAL, clear=False))),
    Day("silent", everywhere(replace(USUAL, reported=False))),
    Day("pumping", {("VU", "Digicel"): replace(USUAL, attempts=200, enters=0)}),
    Day("price", {("DE", "Vodafone"): replace(USUAL, micros=3 * _MICROS)}),
    Day("calm", {}),
)


def history(days: int) -> list[Day]:
    return [Day("usual", {})] * days


def events(first: datetime, days: list[Day], seed: int = 5) -> Iterator[AttemptEvent]:
    """The events of these days, one day after the other from the moment `first` on."""
    rng = Random(seed)  # noqa: S311
    number = count()
    for n, day in enumerate(days):
        start = first + timedelta(days=n)
        for place in sorted({*PLACES, *day.places}):
            course = day.places.get(place, USUAL)
            if place not in PLACES and place not in day.places:
                continue
            for _ in range(course.attempts):
                at = start + timedelta(minutes=rng.uniform(0, 23 * 60))
                yield from _attempt(rng, f"{next(number):024}-1", place, course, at)


def at_rates(
    start: datetime,
    end: datetime,
    place: tuple[str, str],
    *phases: tuple[timedelta, Course, float],
    seed: int = 3,
) -> Iterator[AttemptEvent]:
    """Traffic of a place at random moments: from so long before the end on, each phase has its
    course and its attempts an hour; before the first one 1.2 usual ones."""
    rng = Random(f"{place} {seed}")  # noqa: S311
    number = count()
    begins = [start, *(end - before for before, _, _ in phases), end]
    for (_, course, rate), first, last in zip(
        ((end - start, USUAL, 1.2), *phases), begins, begins[1:], strict=False
    ):
        at = first
        while rate and (at := at + timedelta(hours=rng.expovariate(rate))) < last:
            name = f"{PLACES.index(place) if place in PLACES else 99:02}{next(number):022}-1"
            for event in _attempt(rng, name, place, course, at):
                if event.at <= end:
                    yield event


def unclear_since(first: datetime, minutes: int) -> Iterator[AttemptEvent]:
    """Sends without a clear answer, one a minute to each place."""
    rng = Random(1)  # noqa: S311
    for n in range(minutes):
        for place in PLACES:
            name = f"unclear{n:08}{PLACES.index(place):09}-1"
            at = first + timedelta(minutes=n, seconds=1)
            yield from _attempt(rng, name, place, replace(USUAL, clear=False), at)


def _attempt(
    rng: Random, attempt: str, place: tuple[str, str], course: Course, at: datetime
) -> Iterator[AttemptEvent]:
    def event(
        kind: EventKind, seconds: float, fields: dict[str, str], source: Source = Source.CALLBACK
    ) -> AttemptEvent:
        return AttemptEvent(attempt, kind, at + timedelta(seconds=seconds), source, fields)

    region, carrier = place
    record = {
        **{"channel": "sms", "mode": "sms", "origin": "first", "to_masked": "+62 •"},
        **{"region": region, "carrier": carrier},
    }
    yield event(EventKind.REQUESTED, 0, record, Source.APP)
    if not course.clear:
        yield event(EventKind.UNCONFIRMED, 10, {}, Source.APP)
        return
    yield event(EventKind.ACCEPTED, 0.3, {"reference": f"u-{attempt}"}, Source.APP)
    cost = {"cost_micros": str(course.micros), "units": "1"}
    arrives = rng.random() < course.arrives
    if course.reported and arrives:
        yield event(EventKind.DELIVERED, course.seconds, cost)
    elif course.reported:
        yield event(EventKind.UNDELIVERED, course.seconds, cost | {"error_code": "30"})
    if arrives and rng.random() < course.enters:
        yield event(EventKind.VERIFIED, course.seconds + 9, {}, Source.APP)


def midnight(now: datetime) -> datetime:
    return datetime(now.year, now.month, now.day, tzinfo=UTC)

"""Generates verifications: their times, the result of each attempt, and the checks.

Each UTC day has a random generator of its own, seeded by the seed and the day. So the same seed
gives the same events for a day at any time and for any number of days; and loading them again
changes nothing, because the attempts' ids are the same too.
"""

import base64
import hashlib
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Protocol

from core.model.attempt import AttemptEvent, EventKind, Source, attempt_id
from core.model.clock import from_ms, to_ms
from core.model.way import Way
from core.sample.places import COUNTRIES, INCIDENT, PUMPED, SampleCarrier, SampleCountry

#: Weights of the hours of the local day: few requests at night, most in the evening.
_HOURS = (2, 1, 1, 1, 1, 2, 4, 7, 10, 12, 13, 13, 14, 13, 12, 12, 12, 13, 15, 16, 15, 11, 7, 4)
_WEEKDAYS = (1.05, 1.08, 1.08, 1.06, 1.1, 0.85, 0.78)
#: The period in days and the hours (UTC) of an incident and of an attack.
_INCIDENT_EVERY, _INCIDENT_HOURS = 13, (9, 14)
_ATTACK_EVERY, _ATTACK_HOURS = 11, (1, 6)
_LIFETIME_MS = 300_000
_UNREPORTED_MS = 72 * 3_600_000
_MOST_ATTEMPTS = 3
_MESSAGE_ERRORS = ("30", "50", "80", "420", "40")
_HANGUP_CAUSES = ("3000", "3010", "3020")
_NOTHING: dict[str, str] = {}
_CAUSE, _REMEDY = "Plivo refused the request.", "Check the number and the sender."


@dataclass(slots=True)
class _Verification:
    id: str
    country: SampleCountry
    carrier: SampleCarrier
    start_ms: int
    pumped: bool
    mask: str
    events: list[AttemptEvent] = field(default_factory=list)


def events_of(day: date, per_day: int, seed: int, until: datetime) -> list[AttemptEvent]:
    """The events of the verifications that start on this UTC day, in the order of the requests, and
    of each attempt in the order of time; none later than `until`."""
    rng = Random(f"{seed}/{day.toordinal()}")  # noqa: S311
    events: list[AttemptEvent] = []
    until_ms = to_ms(until)
    verifications = sorted(_starts(rng, day, per_day, seed), key=lambda v: v.start_ms)
    for verification in verifications:
        if verification.start_ms >= until_ms:
            break
        _play(rng, verification)
        events += (event for event in verification.events if to_ms(event.at) <= until_ms)
    return events


def days_of(count: int, until: datetime) -> list[date]:
    """The UTC days that end with today."""
    today = until.astimezone(UTC).date()
    return [today - timedelta(days=ago) for ago in reversed(range(count))]


def _starts(rng: Random, day: date, per_day: int, seed: int) -> Iterator[_Verification]:
    midnight = to_ms(datetime(day.year, day.month, day.day, tzinfo=UTC))
    mean = per_day * _WEEKDAYS[day.weekday()]
    count = max(0, round(rng.gauss(mean, mean**0.5)))
    weights = list(accumulate(country.weight for country in COUNTRIES))
    hours = list(accumulate(_HOURS))
    pumped = 0
    if day.toordinal() % _ATTACK_EVERY == seed % _ATTACK_EVERY:
        pumped = round(0.25 * per_day)
    for n in range(count + pumped):
        if n < count:
            country = COUNTRIES[bisect(weights, rng.random() * weights[-1])]
            local_hour = bisect(hours, rng.random() * hours[-1])
            offset = datetime(day.year, day.month, day.day, tzinfo=country.zone).utcoffset()
            shift = int((offset or timedelta()).total_seconds())
            second = (local_hour * 3600 + rng.random() * 3600 - shift) % 86_400
        else:
            country = next(place for place in COUNTRIES if place.region == PUMPED)
            begin, end = _ATTACK_HOURS
            second = (begin + rng.random() * (end - begin)) * 3600
        shares = list(accumulate(carrier.share for carrier in country.carriers))
        carrier = country.carriers[min(bisect(shares, rng.random()), len(shares) - 1)]
        yield _Verification(
            id=_id(f"{seed}/{day.toordinal()}/{n}"),
            country=country,
            carrier=carrier,
            start_ms=midnight + int(second * 1000),
            pumped=n >= count,
            mask=f"{country.mask} ••• ••{rng.randrange(100):02}",
        )


def _id(text: str) -> str:
    digest = hashlib.sha256(f"sample {text}".encode()).digest()
    return base64.b32encode(digest[:15]).decode().lower()


def _play(rng: Random, verification: _Verification) -> None:
    """The attempts and checks of a verification, until the code is right or the person gives up."""
    way = first = _first_way(rng)
    now_ms = verification.start_ms
    for number in range(1, _MOST_ATTEMPTS + 1):
        origin = "first" if number == 1 else "resend" if way is first else "fallback"
        arrived_ms = _attempt(rng, verification, number, way, origin, now_ms)
        wait = rng.uniform(32, 75) * 1000
        if arrived_ms is not None and arrived_ms < now_ms + wait:
            _enter(rng, verification, number, arrived_ms)
            return
        now_ms += int(wait)
        if (
            verification.pumped
            or now_ms > verification.start_ms + _LIFETIME_MS
            or rng.random() < 0.25
        ):
            return
        if not way.is_call and rng.random() < 0.45:
            way = way.as_call


def _first_way(rng: Random) -> Way:
    draw = rng.random()
    if draw < 0.80:
        return Way.SMS
    if draw < 0.91:
        return Way.VOICE
    return Way.PHLO_SMS if draw < 0.97 else Way.PHLO_CALL


def _attempt(
    rng: Random,
    verification: _Verification,
    number: int,
    way: Way,
    origin: str,
    at_ms: int,
) -> int | None:
    """Add the events of an attempt; returns when the code arrived, None if it never did."""
    attempt = attempt_id(verification.id, number)

    def add(
        kind: EventKind,
        ms: float,
        fields: dict[str, str] = _NOTHING,
        source: Source = Source.CALLBACK,
    ) -> None:
        verification.events.append(AttemptEvent(attempt, kind, from_ms(int(ms)), source, fields))

    record = {
        **way.fields,
        "to_masked": verification.mask,
        "region": verification.country.region,
        "carrier": verification.carrier.name,
        "origin": origin,
    }
    add(EventKind.REQUESTED, at_ms, record, Source.APP)
    app_ms = at_ms + 1000 * rng.lognormvariate(-1.6, 0.5)
    draw = rng.random()
    if draw < 0.003:
        add(EventKind.REJECTED, app_ms, {"cause": _CAUSE, "remedy": _REMEDY}, Source.APP)
        return None
    if draw < 0.005:
        add(EventKind.UNCONFIRMED, at_ms + 13_050, {}, Source.APP)
    else:
        add(EventKind.ACCEPTED, app_ms, {"reference": _id(attempt)}, Source.APP)
    if way.is_call:
        return _call(rng, verification, app_ms, add)
    return _message(rng, verification, at_ms, app_ms, add)


def _message(
    rng: Random, verification: _Verification, at_ms: int, app_ms: float, add: "_AddEvent"
) -> int | None:
    carrier, cost = (
        verification.carrier,
        {"cost_micros": str(verification.country.sms_micros), "units": "1"},
    )
    trouble = _incident(verification, at_ms)
    queued = app_ms + 1000 * rng.lognormvariate(-2.0, 0.4)
    add(EventKind.QUEUED, queued)
    if rng.random() < 0.004:
        add(EventKind.FAILED, queued + 900, {"error_code": "900"})
        return None
    sent = queued + 1000 * rng.lognormvariate(-0.6, 0.7)
    leg = carrier.seconds * rng.lognormvariate(0, 0.55)
    if rng.random() < 0.03:
        leg *= rng.uniform(5, 40)
    if trouble:
        leg *= 6
    final = sent + 1000 * leg
    arrives = rng.random() < (0.3 if trouble else carrier.arrives)
    if not carrier.receipts:
        add(EventKind.SENT, sent, cost)
        add(EventKind.UNREPORTED, at_ms + _UNREPORTED_MS, {}, Source.LOG)
        return int(final) if arrives else None
    add(EventKind.SENT, sent)
    if arrives:
        add(EventKind.DELIVERED, final, cost)
        return int(final)
    codes = ("50",) * 4 + _MESSAGE_ERRORS if trouble else _MESSAGE_ERRORS
    add(EventKind.UNDELIVERED, final, cost | {"error_code": rng.choice(codes)})
    return None


def _call(rng: Random, verification: _Verification, app_ms: float, add: "_AddEvent") -> int | None:
    ringing = app_ms + 1000 * rng.lognormvariate(0.3, 0.4)
    add(EventKind.RINGING, ringing)
    if rng.random() < (0.6 if verification.pumped else 0.16):
        ended = ringing + 1000 * rng.uniform(4, 32)
        add(EventKind.UNDELIVERED, ended, {"hangup_cause": rng.choice(_HANGUP_CAUSES)})
        return None
    answered = ringing + 1000 * rng.uniform(3, 14)
    add(EventKind.ANSWERED, answered)
    read_out = answered + 1000 * rng.uniform(4, 9)
    add(EventKind.DELIVERED, read_out, {"cost_micros": str(verification.country.call_micros)})
    return int(read_out)


def _enter(rng: Random, verification: _Verification, number: int, arrived_ms: int) -> None:
    """Add the checks after the code has arrived."""
    if rng.random() > (0.02 if verification.pumped else 0.93):
        return
    attempt = attempt_id(verification.id, number)
    entered = arrived_ms + int(1000 * rng.lognormvariate(2.2, 0.55))
    if rng.random() < 0.08:
        verification.events.append(
            AttemptEvent(attempt, EventKind.CHECKED, from_ms(entered), Source.APP)
        )
        entered += int(rng.uniform(4, 15) * 1000)
        if rng.random() < 0.1:
            return
    if entered < verification.start_ms + _LIFETIME_MS:
        verification.events.append(
            AttemptEvent(attempt, EventKind.VERIFIED, from_ms(entered), Source.APP)
        )


def _incident(verification: _Verification, at_ms: int) -> bool:
    """Whether the carrier has an incident at that time."""
    moment = from_ms(at_ms)
    begin, end = _INCIDENT_HOURS
    return (
        (verification.country.region, verification.carrier.name) == INCIDENT
        and moment.toordinal() % _INCIDENT_EVERY == 4
        and begin <= moment.hour < end
    )


class _AddEvent(Protocol):
    """The type of `add`."""

    def __call__(
        self, kind: EventKind, ms: float, fields: dict[str, str] = ..., source: Source = ...
    ) -> None: ...

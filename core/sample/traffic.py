"""Generates the attempts of a day: their times, the result of each, and the entered codes.

Each UTC day has a random generator of its own, seeded by the seed and the day. So the same seed
gives the same attempts for a day, whatever the number of days. `entries` counts them, and makes
events of them.
"""

from datetime import UTC, date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.ledger.attribution import OTHER, SHARED, SOLE, UNATTRIBUTED
from core.model.attempt import EventKind
from core.model.clock import to_ms
from core.model.way import Mode, Way
from core.sample.demand import starts
from core.sample.incident_effects import IncidentEffects, incident_effects
from core.sample.incidents import INCIDENTS
from core.sample.places import COUNTRIES, PLACES
from core.sample.plan import Plan

#: `way` of an attempt is an index.
WAYS = (Way.SMS, Way.VOICE, Way.PHLO_SMS, Way.PHLO_CALL)
_FIRST_WAYS = (0.80, 0.11, 0.06, 0.03)
#: `error` of an attempt is an index; 0 for none.
ERRORS = ("", "900", "30", "50", "80", "420", "40", "3000", "3010", "3020")
_FAILED_BY_PLIVO, _MESSAGE_ERRORS, _HANGUP_CAUSES = 1, (2, 7), (7, 10)
#: The error of most messages that an incident stops.
_INCIDENT_ERROR = ERRORS.index("50")

MOMENTS = tuple(
    kind
    for kind in EventKind
    if kind not in {EventKind.REQUESTED, EventKind.RINGING, EventKind.ANSWERED}
)
#: One attempt. Moments are Unix ms, -1 for what did not happen; a call rings at `queued` and is
#: answered at `sent`. `verification` is its number within the day, `digits` the last ones of its
#: phone number. `origin`: an index of ORIGINS. `priced`: when the price is known. `send_status`: of
#: an unclear send, 0 for none. `proof`, `attempts` and `code`: see `core.ledger.attribution`.
ATTEMPT = np.dtype(
    [
        *((name, "i4") for name in ("verification", "number", "place", "digits")),
        *((name, "i1") for name in ("way", "origin", "error", "proof")),
        *((name, "i4") for name in ("send_status", "attempts")),
        *((name, "f8") for name in ("requested", "priced", "cost_micros", "units", "code")),
        *((str(kind), "f8") for kind in MOMENTS),
    ]
)
_LOST = (EventKind.REJECTED, EventKind.FAILED, EventKind.UNDELIVERED)
_LIFETIME_MS = 300_000
#: The answer of Plivo in an incident.
BROKEN_STATUS = 503
_UNREPORTED_MS = 72 * 3_600_000
_MOST_ATTEMPTS = 3

Numbers = NDArray[np.float64]
Bools = NDArray[np.bool_]

_IS_CALL = np.array([way.is_call for way in WAYS])
_AS_CALL = np.array([WAYS.index(way.in_mode(Mode.CALL)) for way in WAYS])
_COUNTRY_OF_PLACE = np.array([COUNTRIES.index(country) for country, _ in PLACES])
_SHARE = np.array([carrier.share for _, carrier in PLACES])
_ARRIVES = np.array([carrier.arrives for _, carrier in PLACES])
_SECONDS = np.array([carrier.seconds for _, carrier in PLACES])
_SMS_MICROS = np.array([country.sms_micros for country, _ in PLACES], dtype=np.float64)
_CALL_MICROS = np.array([country.call_micros for country, _ in PLACES], dtype=np.float64)


def days_of(plan: Plan) -> list[date]:
    """The UTC days of a plan, the newest first."""
    last = plan.until.astimezone(UTC).date()
    return [last - timedelta(days=ago) for ago in range(plan.days)]


def attempts_of(day: date, plan: Plan) -> NDArray[Any]:
    """The attempts (ATTEMPT) of the verifications that start on this UTC day, by the moment of
    their request, as they are at the moment `plan.until`."""
    simulation = _DaySimulation(day, plan)
    table = np.concatenate(
        [simulation.next_attempts(number) for number in range(1, _MOST_ATTEMPTS + 1)]
    )
    table = _as_of(table[np.argsort(table["requested"], kind="stable")], to_ms(plan.until))
    _attribute(table)
    return table


def _as_of(table: NDArray[Any], until_ms: int) -> NDArray[Any]:
    """The attempts without what happens after a moment; all moments in whole ms."""
    table = table[table["requested"] <= until_ms]
    for name in ("requested", "priced", *MOMENTS):
        table[name] = np.floor(table[name])
    for kind in MOMENTS:
        table[kind][table[kind] > until_ms] = -1
    is_priced = (table["priced"] >= 0) & (table["priced"] <= until_ms)
    for name in ("cost_micros", "units"):
        table[name][~is_priced] = -1
    has_failed = (table["failed"] >= 0) | (table["undelivered"] >= 0)
    table["error"][~has_failed] = 0
    return table


def _attribute(table: NDArray[Any]) -> None:
    """Fill in which attempts brought the right codes, as `attribute.lua` finds it."""
    verification = table["verification"]
    size = int(verification.max(initial=0)) + 1
    code, newest = np.full(size, -1.0), np.zeros(size, dtype=np.int32)
    is_right = table["verified"] >= 0
    code[verification[is_right]] = table["verified"][is_right]
    newest[verification[is_right]] = table["number"][is_right]
    table["code"] = code[verification]
    is_lost = np.logical_or.reduce([table[str(kind)] >= 0 for kind in _LOST])
    is_able = ~is_lost | (table["delivered"] >= 0)
    able = np.bincount(verification[is_able], minlength=size)
    # Where all ended badly, a report is wrong.
    is_able |= able[verification] == 0
    able = np.where(able == 0, newest, able)[verification]
    proof = np.where(is_able, np.where(able == 1, SOLE, SHARED), OTHER)
    proof += np.where((able > 1) & (table["number"] == 1), UNATTRIBUTED, 0)
    attempts = newest[verification]
    table["attempts"] = np.where(attempts > 1, attempts, 0)
    table["proof"] = np.where(attempts > 1, proof, 0)


class _DaySimulation:
    """Simulates the verifications of a day in rounds: `next_attempts(n)` returns the n-th ones."""

    def __init__(self, day: date, plan: Plan) -> None:
        self._rng = rng = np.random.default_rng([plan.seed, day.toordinal()])
        self._last = plan.until.astimezone(UTC).date()
        started = starts(rng, day, self._last, plan.per_day, INCIDENTS)
        self._is_pumped = started.is_pumped
        self._place = self._places(started.country)
        count = len(started.at)
        self._digits = rng.integers(0, 100, count)
        self._first_way = rng.choice(len(WAYS), size=count, p=_FIRST_WAYS)
        self._start = started.at
        # Of the next attempt.
        self._way, self._now = self._first_way.copy(), started.at.copy()
        self._is_open = np.ones(count, dtype=np.bool_)

    def next_attempts(self, number: int) -> NDArray[Any]:
        rng = self._rng
        rows = np.flatnonzero(self._is_open)
        table = np.zeros(len(rows), dtype=ATTEMPT)
        for name in ("priced", "cost_micros", "units", "code", *MOMENTS):
            table[name] = -1
        table["verification"], table["number"] = rows, number
        table["place"], table["digits"] = self._place[rows], self._digits[rows]
        table["way"] = way = self._way[rows]
        table["origin"] = 0 if number == 1 else np.where(way == self._first_way[rows], 1, 2)
        table["requested"] = now = self._now[rows]
        is_call, pumped = _IS_CALL[way], self._is_pumped[rows]
        effects = incident_effects(table["place"], now, self._last)
        goes_on, app = self._send(table, effects)
        arrived = np.full(len(rows), np.inf)
        for play, is_own in ((self._messages, ~is_call), (self._calls, is_call)):
            at = np.flatnonzero(goes_on & is_own)
            part, part_effects = table[at], effects.of(at)
            arrived[at] = play(part, app[at], part_effects, pumped[at])
            table[at] = part
        wait = np.floor(rng.uniform(32, 75, len(rows)) * 1000)
        in_time = arrived < now + wait
        self._enter(table, arrived, in_time, pumped, self._start[rows] + _LIFETIME_MS)
        self._now[rows] = now = now + wait
        gives_up = pumped | (now > self._start[rows] + _LIFETIME_MS) | self._chance(0.25, rows)
        self._is_open[rows] = ~in_time & ~gives_up
        self._way[rows] = np.where(self._chance(0.45, rows), _AS_CALL[way], way)
        return table

    def _places(self, country: NDArray[np.intp]) -> NDArray[np.intp]:
        """A carrier of each country, by its share."""
        first = np.searchsorted(_COUNTRY_OF_PLACE, np.arange(len(COUNTRIES)))
        whole = np.cumsum(_SHARE)
        before = whole[first] - _SHARE[first]
        after = np.append(before[1:], whole[-1])
        drawn = before[country] + self._rng.random(len(country)) * (after - before)[country]
        places = np.searchsorted(whole, drawn, side="right")
        inside: NDArray[np.intp] = np.minimum(places, len(PLACES) - 1)
        return inside

    def _send(self, table: NDArray[Any], effects: IncidentEffects) -> tuple[Bools, Numbers]:
        """Plivo's answer to the send. Returns which attempts go on, and from when."""
        count = len(table)
        app = table["requested"] + self._after(-1.6, 0.5, count)
        draw = self._rng.random(count)
        is_refused, is_silent = draw < 0.003, (draw >= 0.003) & (draw < 0.005)
        is_broken = self._rng.random(count) < effects.unclear
        table["rejected"] = np.where(is_refused & ~is_broken, app, -1)
        # Without an answer in time, or with a 5xx at once.
        unclear_at = np.where(is_broken, app, table["requested"] + 13_050)
        table["unconfirmed"] = np.where(is_silent | is_broken, unclear_at, -1)
        table["send_status"] = np.where(is_broken, BROKEN_STATUS, 0)
        table["accepted"] = np.where(is_refused | is_silent | is_broken, -1, app)
        # Some of what Plivo answered with a 5xx is sent all the same.
        is_sent = ~is_broken | (self._rng.random(count) < 0.05)
        return ~is_refused & is_sent, app

    def _messages(
        self, table: NDArray[Any], app: Numbers, effects: IncidentEffects, pumped: Bools
    ) -> Numbers:
        """Fills in the results of messages; returns when they arrive, infinite for never."""
        count, place = len(table), table["place"]
        table["queued"] = queued = app + self._after(-2.0, 0.4, count)
        fails = self._chance(0.004, table)
        table["failed"] = np.where(fails, queued + 900, -1)
        sent = queued + self._after(-0.6, 0.7, count)
        leg = _SECONDS[place] * effects.time_factor * self._after(0, 0.55, count)
        leg *= np.where(self._chance(0.03, table), self._rng.uniform(5, 40, count), 1)
        final = np.floor(sent + leg)
        arrives = ~fails & (self._rng.random(count) < _ARRIVES[place] * effects.arrives)
        table["sent"] = np.where(fails, -1, sent)
        silent = ~fails & effects.silent
        table["unreported"] = np.where(silent, table["requested"] + _UNREPORTED_MS, -1)
        table["delivered"] = np.where(arrives & ~silent, final, -1)
        table["undelivered"] = np.where(~arrives & ~silent & ~fails, final, -1)
        errors = self._rng.integers(*_MESSAGE_ERRORS, count)
        by_incident = (effects.arrives < 1) & self._chance(0.7, table)
        table["error"] = np.where(by_incident, _INCIDENT_ERROR, errors)
        table["error"][fails] = _FAILED_BY_PLIVO
        table["cost_micros"] = np.where(fails, -1, _SMS_MICROS[place] * effects.price_factor)
        table["units"] = np.where(fails, -1, 1)
        table["priced"] = np.where(fails, -1, np.where(silent, sent, final))
        return np.where(arrives, final, np.inf)

    def _calls(
        self, table: NDArray[Any], app: Numbers, effects: IncidentEffects, pumped: Bools
    ) -> Numbers:
        """As `_messages`, for calls."""
        count, place = len(table), table["place"]
        table["queued"] = ringing = app + self._after(0.3, 0.4, count)
        is_missed = self._rng.random(count) < np.where(pumped, 0.6, 0.16)
        ended = ringing + 1000 * self._rng.uniform(4, 32, count)
        answered = ringing + 1000 * self._rng.uniform(3, 14, count)
        read_out = np.floor(answered + 1000 * self._rng.uniform(4, 9, count))
        table["undelivered"] = np.where(is_missed, ended, -1)
        table["error"] = self._rng.integers(*_HANGUP_CAUSES, count)
        table["sent"] = np.where(is_missed, -1, answered)
        table["delivered"] = np.where(is_missed, -1, read_out)
        table["cost_micros"] = np.where(is_missed, -1, _CALL_MICROS[place])
        table["priced"] = np.where(is_missed, -1, read_out)
        return np.where(is_missed, np.inf, read_out)

    def _enter(
        self,
        table: NDArray[Any],
        arrived: Numbers,
        in_time: Bools,
        pumped: Bools,
        ends: Numbers,
    ) -> None:
        """The checks after the code has arrived. Some people enter a wrong code first."""
        count = len(table)
        enters = in_time & (self._rng.random(count) < np.where(pumped, 0.02, 0.93))
        entered = np.where(in_time, arrived, 0) + np.floor(self._after(2.2, 0.55, count))
        is_wrong = enters & self._chance(0.08, table)
        table["checked"] = np.where(is_wrong, entered, -1)
        entered += np.where(is_wrong, np.floor(self._rng.uniform(4, 15, count) * 1000), 0)
        is_right = enters & ~(is_wrong & self._chance(0.1, table))
        is_right &= entered < ends
        table["verified"] = np.where(is_right, entered, -1)

    def _after(self, mu: float, sigma: float, count: int) -> Numbers:
        """Durations in ms; `mu` and `sigma` are of the logarithm of the seconds."""
        return 1000 * self._rng.lognormal(mu, sigma, count)

    def _chance(self, share: float, rows: NDArray[Any]) -> Bools:
        is_drawn: Bools = self._rng.random(len(rows)) < share
        return is_drawn

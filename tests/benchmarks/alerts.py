"""How soon alerts see incidents, and how often they are wrong, beside the rules of before.

Each run simulates four weeks of history and injects an incident at a random minute of a random day:
night or day, in a carrier drawn by its traffic. The engine's own functions judge the counts of
every minute as they are when the minute is old enough, over the 24 hours before, once a minute. The
clean year has a third of the receipts late, 15 % noise from day to day, and both changes of clocks;
alarms of places within two hours are counted as one incident. Around each of these, and in the half
hour after the alert of some incidents, whole checks run minute by minute, with the rules by which
one alert explains or leads another: they count the notifications that people would get.

An alert counts only if its measure names the incident: lost receipts as "receipts", not as late.
The rules of before (`former_alert_rules`) judge the same counts every quarter of an hour; they know
channels and countries only, and neither prices nor sends nor receipts, so any of theirs counts.

The parameters of the engine were tried on seeds up to 5; report others.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from core.alerts.baseline import PastFigures, UsualFigures, baseline, named
from core.alerts.evaluating import evaluated
from core.alerts.evidence import share_evidence, threshold, trials, usual_bad
from core.alerts.measures import ALERT_FIGURES, SHARE_OF, SHARES, Measure
from core.alerts.notifications import notifications
from core.alerts.price import risen_prices
from core.alerts.records import Place, StoredStatus
from core.alerts.sequential import Bools, Floats
from core.alerts.slots import Slots
from core.alerts.states import AlertState
from core.alerts.traffic import growth_evidence, stop_evidence
from core.model.series import Series
from core.webhooks.alert_event import AlertEventKind
from tests.benchmarks import former_alert_rules as former
from tests.benchmarks.alert_traffic import (
    CARRIERS,
    COUNTRIES,
    ENTER_SOON,
    PLACES,
    Change,
    Traffic,
    midnight_of,
    shares_of,
)

DAY = 1440
SERIES = PLACES + COUNTRIES + 1
CHANNEL = SERIES - 1
PROFILE = np.concatenate(
    [np.repeat(np.arange(COUNTRIES), CARRIERS), np.arange(COUNTRIES), [COUNTRIES]]
)
NAMES = [
    *(Series.of("sms", f"C{place // CARRIERS}", f"{place}") for place in range(PLACES)),
    *(Series.of("sms", f"C{country}") for country in range(COUNTRIES)),
    Series("sms"),
]
#: From the end of a minute until its check: the tick of five seconds, and the check.
LAG_MINUTES = 0.1
LEVELS = (20, 200, 2_000, 20_000)
#: Goals in minutes, by incident and attempts a day.
GOALS: dict[str, dict[int, float]] = {
    "carrier_dead": {200: 1440, 2_000: 90, 20_000: 10},
    "carrier_slow": {2_000: 90, 20_000: 10},
    "pumping": {200: 10, 2_000: 10, 20_000: 10},
    "plivo_5xx": {200: 20, 2_000: 3, 20_000: 3},
    "receipts_silent": {200: 60, 2_000: 15, 20_000: 10},
    "price": {200: 1440, 2_000: 1440, 20_000: 1440},
}
MOST_FALSE = 6


@dataclass(frozen=True)
class Incident:
    """What changes, which measures name it, and whether it is of one carrier or of all."""

    change: Callable[[slice], Change]
    measures: tuple[Measure, ...]
    is_of_carrier: bool


_LOST = (Measure.CONFIRMED, Measure.WITHIN_60)
INCIDENTS = {
    "carrier_dead": Incident(lambda own: Change(own, arrives=0.0), _LOST, True),
    "carrier_slow": Incident(lambda own: Change(own, in_time=0.0), _LOST, True),
    "plivo_5xx": Incident(lambda _: Change(unclear=1.0), (Measure.UNCLEAR,), False),
    "receipts_silent": Incident(lambda _: Change(receipts=0.0), (Measure.RECEIPTS,), False),
    "price": Incident(lambda own: Change(own, price=3.0), (Measure.PRICE,), True),
    "pumping": Incident(lambda _: Change(), (Measure.TRAFFIC,), False),
}


class Past:
    """The four weeks before a day, as the engine reads them."""

    def __init__(self, traffic: Traffic, first: int) -> None:
        self._next = first
        self._days: list[Floats] = []
        self._hours: list[Floats] = []
        self.quarters: list[Floats] = []
        for day in range(first - 28, first):
            _, final = traffic.day(midnight_of(day), 96)
            self._add(final)

    def add(self, final: Floats) -> None:
        """The next day, in any slots."""
        self._add(final.reshape(SERIES, 96, -1, len(ALERT_FIGURES)).sum(axis=2))
        self._next += 1

    def _add(self, quarters: Floats) -> None:
        self._days = [*self._days[-27:], quarters.sum(axis=1)]
        self._hours = [
            *self._hours[-27:],
            quarters[PLACES:].reshape(COUNTRIES + 1, 24, 4, -1).sum(axis=2),
        ]
        self.quarters = [*self.quarters[-27:], quarters[PLACES:]]

    def usual(self) -> UsualFigures:
        return baseline(
            PastFigures(
                np.stack(self._days, axis=1),
                np.stack(self._hours, axis=1),
                midnight_of(self._next - 28).weekday(),
                PROFILE,
                np.full(SERIES, ENTER_SOON),
                np.arange(SERIES) < PLACES,
            )
        )


def slots_of(figures: Floats, begin_ms: int) -> Slots:
    """Minutes, each judged when it is old enough."""
    starts = begin_ms + np.arange(figures.shape[1], dtype=np.intp) * 60_000
    return Slots(named(figures), starts, starts + 60_000, None)


def statistic_by_slot(evidence: Floats, window: int) -> Floats:
    """The value of `sequential.statistic` at each of the last `window` slots of 2 * `window`: what
    an evaluation at each of these times would have computed from the `window` slots before it."""
    sums = np.cumsum(evidence, axis=-1)
    before, now = sums[..., :window], sums[..., window:]
    # The least sum of the last `window` slots: those of the first half are a suffix of it, and
    # those of the second half a prefix (van Herk 1992).
    least = np.minimum.accumulate(before[..., ::-1], axis=-1)[..., ::-1]
    latest = np.minimum.accumulate(now, axis=-1)
    value: Floats = now - np.minimum(least, latest)
    return value


def alarms(slots: Slots, usual: UsualFigures, measure: Measure) -> Bools:
    """In which of the last DAY minutes each series alerts."""
    limit = threshold(measure, usual)
    if measure is Measure.TRAFFIC:
        return (
            np.maximum(
                statistic_by_slot(growth_evidence(slots, usual, limit), DAY),
                statistic_by_slot(stop_evidence(slots, usual), DAY),
            )
            >= limit
        )
    share = SHARE_OF[measure]
    n, bad = trials(share, slots)
    expected = usual_bad(measure, slots, usual)
    tests = share_evidence(share, n, bad, expected, limit)
    fired: Bools = np.max([statistic_by_slot(test, DAY) for test in tests], axis=0) >= limit
    return fired


def minutes_to_alert(
    name: str, per_day: int, split: str, chance: np.random.Generator, *, is_explained: bool
) -> tuple[float, float, float]:
    """Of one incident: minutes to the engine's alert and to that of the rules of before, infinite
    if there is none within a day; with `is_explained`, the notifications that people get from the
    alert until half an hour later, else NaN."""
    incident = INCIDENTS[name]
    traffic = Traffic(chance, per_day, 0.05, split)
    first = int(chance.integers(40, 300))
    past = Past(traffic, first)
    usual = past.usual()
    carrier = int(chance.choice(PLACES, p=shares_of(split)))
    since = int(chance.integers(0, DAY))
    change = incident.change(slice(carrier, carrier + 1))
    before, _ = traffic.day(midnight_of(first), DAY)
    soon, _ = traffic.day(midnight_of(first + 1), DAY, change, since)
    later, _ = traffic.day(midnight_of(first + 2), DAY, change)
    whole = np.concatenate([before, soon, later], axis=1)
    if name == "pumping":
        window = whole[:, since : since + 2 * DAY]
        return _pumping(window, first, since, usual, chance), np.inf, np.nan
    window = whole[:, since : since + 2 * DAY]
    begin_ms = int(midnight_of(first).timestamp()) * 1000 + since * 60_000
    rows = [carrier, PLACES + carrier // CARRIERS, CHANNEL]
    if not incident.is_of_carrier:
        rows = list(range(SERIES))
    if name == "price":
        return _price(window, usual, rows), np.inf, np.nan
    best = np.inf
    for measure in incident.measures:
        fired = alarms(slots_of(window, begin_ms), usual, measure)[rows].any(axis=0)
        if not fired.any():
            continue
        after = max(SHARE_OF[measure].after_ms / 60_000, 0.0)
        at = int(fired.argmax())
        if measure is Measure.UNCLEAR:
            # Checked at once: within the minute, when its last unclear send is.
            sends = max(int(window[CHANNEL, DAY + at, 0]), 1)
            best = min(best, at + chance.uniform(size=sends).max() + LAG_MINUTES)
        else:
            best = min(best, at + 1 + after + LAG_MINUTES)
    count = np.nan
    if is_explained and np.isfinite(best):
        checks = range(max(int(best) - 3, 0), min(int(best) + 30, DAY))
        count = len(notified(window, usual, begin_ms, checks))
    return best, _former_minutes(past, whole, since, rows), count


def notified(
    window: Floats, usual: UsualFigures, begin_ms: int, checks: Sequence[int]
) -> list[tuple[Series, Measure]]:
    """The alerts of which people are notified that they fire, in checks after these minutes;
    `window` begins a day before minute 0."""
    alerts: list[tuple[Series, Measure]] = []
    kept: dict[Place, StoredStatus] = {}
    for minute in checks:
        starts = begin_ms + (np.arange(DAY, dtype=np.intp) + minute + 1) * 60_000
        figures = named(window[:, minute + 1 : minute + 1 + DAY])
        now_ms = int(starts[-1]) + 60_000
        slots = Slots(figures, starts, starts + 60_000, now_ms)
        after = evaluated(NAMES, slots, usual, kept, now_ms)
        news, kept = notifications(kept, after, (), now_ms)
        alerts += [
            (n.status.series, n.status.measure) for n in news if n.kind is AlertEventKind.FIRING
        ]
    return alerts


def _pumping(
    window: Floats, first: int, since: int, usual: UsualFigures, chance: np.random.Generator
) -> float:
    """120 attempts an hour to a place without a past: a row of its own."""
    figures = np.zeros((1, *window.shape[1:]))
    figures[0, DAY:, ALERT_FIGURES.index("requested")] = chance.poisson(2.0, DAY)
    nothing, hours = np.zeros(1), np.zeros((1, 168))
    place = UsualFigures(
        bad={}, shown={}, factors={}, per_day={}, requested_per_day=nothing,
        traffic=hours, least_traffic=hours, most_traffic=hours,
        verified=np.full(1, 0.5), prices=np.full((1, 28), np.nan),
        profile=np.zeros(1, dtype=np.intp),
        days=28,
    )  # fmt: skip
    limit = threshold(Measure.TRAFFIC, usual)
    begin_ms = int(midnight_of(first).timestamp()) * 1000 + since * 60_000
    value = statistic_by_slot(growth_evidence(slots_of(figures, begin_ms), place, limit), DAY)[0]
    fired = value >= limit
    return int(fired.argmax()) + 2 + LAG_MINUTES if fired.any() else np.inf


def _price(window: Floats, usual: UsualFigures, rows: Sequence[int]) -> float:
    """Prices are known half an hour after the attempt. Checked each quarter of an hour."""
    late = 30
    for minute in range(late, DAY, 15):
        day = window[:, minute : minute + DAY]
        priced, cost = (day[..., ALERT_FIGURES.index(name)] for name in ("priced", "cost_micros"))
        known = slice(0, DAY - late)
        risen, _ = risen_prices(priced[:, known].sum(axis=1), cost[:, known].sum(axis=1), usual)
        if risen[list(rows[:2])].any():
            return float(minute)
    return np.inf


def _former(quarters: Floats) -> list[former.Judgement]:
    """What the rules of before find in each quarter of an hour after four weeks of them."""
    week, window, weeks = 672, 4, 4
    columns = [ALERT_FIGURES.index(name) for name in ("requested", "confirmed", "within_60")]
    counts = np.concatenate([quarters[-1:], quarters[:-1]])[..., columns]
    until = np.zeros((len(counts), counts.shape[1] + 1, 3))
    np.cumsum(counts, axis=1, out=until[:, 1:])
    hours = until[:, window:] - until[:, :-window]
    moments = hours.shape[1] - weeks * week
    stacked = np.stack(
        [hours[:, (weeks - ago) * week :][:, :moments] for ago in range(weeks + 1)], axis=2
    )
    whole = np.concatenate([stacked, stacked[:1]])
    good = {
        former.FormerMeasure.CONFIRMED: whole[..., 1],
        former.FormerMeasure.WITHIN_60: whole[..., 2],
    }
    return former.judge(
        former.Hours(
            parents=np.array([COUNTRIES + 1] + [0] * COUNTRIES, dtype=np.intp),
            ran=np.ones((moments, weeks), dtype=np.bool_),
            requested=whole[..., 0, 0] if whole.ndim == 4 else whole[:, :, 0],
            requested_before=whole[:, :, 1:, 0],
            good={measure: values[:, :, 0] for measure, values in good.items()},
            good_before={measure: values[:, :, 1:] for measure, values in good.items()},
        )
    )


def _fired(judged: former.Judgement) -> list[tuple[int, int]]:
    """(moment, row) of each alert that begins."""
    began = []
    for row in np.flatnonzero(judged.bad.any(axis=1)).tolist():
        standing = former.Standing(AlertState.OK)
        for moment in range(judged.bad.shape[1]):
            fired = standing.state.is_alert
            standing = former.step(standing, judged.finding(row, moment))
            if standing.state.is_alert and not fired:
                began.append((moment, row))
    return began


def _former_minutes(past: Past, whole: Floats, since: int, rows: Sequence[int]) -> float:
    """Minutes to the first alert of the rules of before, which the incident can have raised."""
    days = whole[PLACES:].reshape(COUNTRIES + 1, 3 * 96, 15, len(ALERT_FIGURES)).sum(axis=2)
    quarters = np.concatenate([*past.quarters, days], axis=1)
    # Hours from the day of the incident on have four weeks before them.
    begin = quarters.shape[1] - 2 * 96
    judged = _former(quarters[:, begin - 4 * 672 - 4 :])
    allowed = {0 if row == CHANNEL else row - PLACES + 1 for row in rows if row >= PLACES}
    minutes = [
        moment * 15 + 2 - since
        for one in judged
        for moment, row in _fired(one)
        if row in allowed and moment * 15 > since
    ]
    return min((m for m in minutes if m <= DAY), default=np.inf)


def incidents(
    name: str, per_day: int, split: str, runs: int, explained: int, seed: int
) -> dict[str, float | None]:
    """Median minutes to the alert, the share seen within four hours, and the mean notifications of
    the first `explained` ones."""
    chance = np.random.default_rng([seed, per_day, list(INCIDENTS).index(name)])
    results = np.array(
        [
            minutes_to_alert(name, per_day, split, chance, is_explained=run < explained)
            for run in range(runs)
        ]
    )
    own, before, counts = results.T
    counts = counts[~np.isnan(counts)]

    def median(values: Floats) -> float | None:
        middle = float(np.median(values))
        return round(middle, 1) if np.isfinite(middle) else None

    return {
        "minutes": median(own),
        "within_4_h": round(float((own <= 240).mean()), 2),
        "before": median(before),
        "notified": round(float(counts.mean()), 2) if len(counts) else None,
    }


def clean_year(per_day: int, late: float, split: str, days: int, seed: int) -> dict[str, float]:
    """False alarms of a clean year, for so many days of it."""
    traffic = Traffic(np.random.default_rng([seed, per_day]), per_day, late, split)
    past = Past(traffic, 0)
    newest, _ = traffic.day(midnight_of(-1), DAY)
    own: list[tuple[int, int]] = []
    old: list[tuple[int, int]] = []
    news = 0
    quarters = list(past.quarters)
    for day in range(days):
        soon, final = traffic.day(midnight_of(day), DAY)
        begin_ms = int(midnight_of(day - 1).timestamp()) * 1000
        slots = slots_of(np.concatenate([newest, soon], axis=1), begin_ms)
        usual = past.usual()
        of_day: list[int] = []
        for measure in (*(share.measure for share in SHARES), Measure.TRAFFIC):
            fired = alarms(slots, usual, measure)
            for row in np.flatnonzero(fired.any(axis=1)).tolist():
                own += [(day * DAY + int(at), row) for at in np.flatnonzero(fired[row])]
            of_day += np.flatnonzero(fired.any(axis=0)).tolist()
        if of_day:
            checks = range(max(min(of_day) - 3, 0), min(max(of_day) + 30, DAY))
            news += len(notified(np.concatenate([newest, soon], axis=1), usual, begin_ms, checks))
        past.add(final)
        newest = soon
        # Of the newest quarter, what is known; of the hour before, nearly all.
        today = soon[PLACES:].reshape(COUNTRIES + 1, 96, 15, -1).sum(axis=2)
        if day:
            quarters = [*quarters[-28:], today]
            judged = _former(np.concatenate(quarters, axis=1)[:, -(4 * 672 + 4 + 96) :])
            for one in judged:
                old += [(day * DAY + moment * 15, row) for moment, row in _fired(one)]
            quarters[-1] = past.quarters[-1]
        else:
            quarters = [*quarters, past.quarters[-1]]
    scale = 365 / days
    return {
        "false_a_year": round(_incidents_of(own) * scale, 1),
        "before": round(_incidents_of(old) * scale, 1),
        "notified": round(news * scale, 1),
    }


def _incidents_of(fired: list[tuple[int, int]]) -> int:
    """Alarms within two hours of each other are one."""
    count, last = 0, -DAY
    for at, _ in sorted(fired):
        if at - last > 120:
            count += 1
        last = at
    return count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--runs", type=int, default=60, help="of each incident and level")
    parser.add_argument("--explained", type=int, default=6, help="of these, with whole checks")
    parser.add_argument("--days", type=int, default=365, help="of the clean year")
    parser.add_argument("--split", choices=("even", "skewed"), default="even")
    parser.add_argument("--late", type=float, default=1 / 3, help="receipts, in the clean year")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    begun = time.monotonic()
    with ProcessPoolExecutor(options.processes) as pool:
        years = {
            level: pool.submit(
                clean_year, level, options.late, options.split, options.days, options.seed
            )
            for level in reversed(LEVELS)
        }
        courses = {
            (name, level): pool.submit(
                incidents, name, level, options.split, options.runs, options.explained, options.seed
            )
            for name in GOALS
            for level in LEVELS
        }
        answer: dict[str, object] = {}
        missed = []
        columns = f"{'a day':>7} {'minutes':>8} {'in 4 h':>7} {'goal':>6} {'before':>7}"
        print(f"{'':16} {columns} {'notified':>8}")
        for (name, level), job in courses.items():
            result = job.result()
            goal = GOALS[name].get(level)
            minutes = result["minutes"]
            print(
                f"{name:16} {level:7,} {minutes or 'never':>8} {result['within_4_h']:7.0%} "
                f"{goal or '–':>6} {result['before'] or '–':>7} {result['notified'] or '–':>8}"
            )
            if goal is not None:
                key = f"{name}_{level}"
                answer[key] = minutes
                if minutes is None or minutes > goal:
                    missed.append(key)
        for level in LEVELS:
            year = years[level].result()
            key = f"false_alarms_{level}"
            print(
                f"{'false alarms':16} {level:7,} {year['false_a_year']:8} {'a year':>7} "
                f"{MOST_FALSE:6} {year['before']:7} {year['notified']:8}"
            )
            answer[key] = year["false_a_year"]
            if level > LEVELS[0] and year["false_a_year"] > MOST_FALSE:
                missed.append(key)
    print(f"{timedelta(seconds=round(time.monotonic() - begun))} for {options}")
    print(json.dumps(answer | {"missed": missed}))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How much evidence each slot of time has that a series has changed: for `sequential`."""

from dataclasses import dataclass

import numpy as np

from core.alerts.baseline import HOURS, UsualFigures
from core.alerts.measures import SHARE_OF, Figures, Measure, ShareMeasure
from core.alerts.sequential import Bools, Floats, Indices, binomial_evidence, poisson_evidence

HOUR_MS = 3_600_000
_EPOCH_WEEKDAY_HOURS = 72  # 1970 began on a Thursday

#: False alarms a year for which a measure's threshold is set, by the bound of `sequential`, over
#: all series. Measured ones are a small part of it: the bound is not tight, and the baseline has a
#: margin.
FALSE_ALARMS = 8.0
_SLOTS_A_YEAR = 365 * 24 * 60
#: The assumed changes of a share: the good attempts fall to these parts of what is usual. Each is
#: nearly the fastest test for drops of about its size.
REMAINING = (0.02, 0.5, 0.85)
#: Attempts that no verification explains are usual up to this part of the traffic, and up to so
#: many an hour in any place.
UNEXPLAINED, UNEXPLAINED_AN_HOUR = 0.5, 0.5
#: So many unexplained attempts are needed to suspect pumping: fewer may be a demonstration.
LEAST_PUMPED = 10
#: Traffic has stopped if a fiftieth is left. Half of it may stay away on a holiday.
_STOPPED, _HOLIDAY = 0.02, 0.5


@dataclass(frozen=True, slots=True)
class Slots:
    """Figures of consecutive slots, (series, slots, READ) by name; `starts` and `ends` in Unix ms,
    and when they are judged: the time now, or in a simulation the end of each slot and more."""

    figures: Figures
    starts: Indices
    ends: Indices
    now_ms: int | None

    def age_over(self, after_ms: int) -> Bools:
        """Which slots ended longer ago than this. Without a time all did: the caller sees to it."""
        if self.now_ms is None:
            return np.ones(len(self.ends), dtype=np.bool_)
        old: Bools = self.ends <= self.now_ms - after_ms
        return old

    @property
    def hour_of_week(self) -> Indices:
        hours: Indices = (self.starts // HOUR_MS + _EPOCH_WEEKDAY_HOURS) % HOURS
        return hours

    @property
    def length_hours(self) -> Floats:
        hours: Floats = (self.ends - self.starts) / HOUR_MS
        return hours


def threshold(measure: Measure, usual: UsualFigures) -> float:
    """The evidence at which a measure alerts: from the slots of a year that have traffic, of all
    series (Bonferroni's correction with the bound of `sequential`)."""
    per_day = usual.per_day.get(measure, usual.requested_per_day)
    slots = float(np.minimum(365 * per_day, _SLOTS_A_YEAR).sum())
    return float(np.log(max(slots, 1000.0) / FALSE_ALARMS))


def trials(share: ShareMeasure, slots: Slots) -> tuple[Floats, Floats]:
    """The attempts of each slot and the bad ones. A resend is no attempt of its own: the same
    person has the same phone. So attempts count as the part of them that are no resends."""
    figures = slots.figures
    old = slots.age_over(share.after_ms)
    n: Floats = np.where(old, share.n(figures), 0.0)
    bad: Floats = np.where(old, share.bad(figures), 0.0)
    if share.measure is not Measure.CONVERSION:
        requested = figures["requested"]
        part = np.divide(
            requested - figures["resends"],
            requested,
            out=np.ones(requested.shape),
            where=requested > 0,
        )
        part = np.clip(part, 0.0, 1.0)
        n, bad = n * part, bad * part
    return n, np.minimum(bad, n)


def usual_bad(measure: Measure, slots: Slots, usual: UsualFigures) -> Floats:
    """The usual share of bad attempts of each slot, (series, slots); NaN without a baseline."""
    share = usual.bad[measure][:, None]
    by_hour = usual.factors[measure]
    if (by_hour != 1.0).any():
        share = share * by_hour[usual.profile][:, slots.hour_of_week % 24]
    limited: Floats = np.minimum(share, 0.99)
    return np.broadcast_to(limited, (len(limited), len(slots.ends)))


def share_evidence(
    share: ShareMeasure, n: Floats, bad: Floats, usual: Floats, limit: float
) -> list[Floats]:
    """The evidence of each assumed change; zero without a baseline."""
    known = ~np.isnan(usual)
    expected = np.where(known, usual, 0.5)
    most = limit / share.least * 1.0001
    evidence = []
    for remaining in REMAINING:
        changed = 1.0 - (1.0 - expected) * remaining
        slots = binomial_evidence(bad, n, expected, changed, most)
        evidence.append(np.where(known, slots, 0.0))
    return evidence


def unexplained(slots: Slots, usual: UsualFigures) -> Floats:
    """Attempts that the verifications do not explain: pumping requests codes and enters none."""
    figures = slots.figures
    old = slots.age_over(SHARE_OF[Measure.CONFIRMED].after_ms)
    explained = figures["verified"] / usual.verified[:, None]
    counted: Floats = np.where(old, figures["requested"] - figures["resends"] - explained, 0.0)
    return counted


def usual_unexplained(slots: Slots, usual: UsualFigures) -> Floats:
    """How many unexplained attempts a slot may have."""
    an_hour = UNEXPLAINED * usual.most_traffic[:, slots.hour_of_week] + UNEXPLAINED_AN_HOUR
    counted: Floats = an_hour * slots.length_hours
    return counted


def growth_evidence(slots: Slots, usual: UsualFigures, limit: float) -> Floats:
    """The evidence of pumping."""
    old = slots.age_over(SHARE_OF[Measure.CONFIRMED].after_ms)
    factor = float(np.exp(limit / LEAST_PUMPED * 1.0001))
    expected = np.where(old, usual_unexplained(slots, usual), 0.0)
    return poisson_evidence(unexplained(slots, usual), expected, factor)


def stop_evidence(slots: Slots, usual: UsualFigures) -> Floats:
    """The evidence that traffic has stopped."""
    expected = _HOLIDAY * usual.least_traffic[:, slots.hour_of_week] * slots.length_hours
    return poisson_evidence(slots.figures["requested"], expected, _STOPPED)


#: A price is judged over a day, from so many priced attempts on, and has risen if it is above the
#: dearest day of the four weeks before by more than this factor.
PRICE_WINDOW_HOURS = 24
_LEAST_PRICED, _DEARER = 5, 1.25


def risen_prices(priced: Floats, cost_micros: Floats, usual: UsualFigures) -> tuple[Bools, Floats]:
    """Which series cost more in the last day than ever in the four weeks before, (series,), and
    micros an attempt. No test of chance: prices hardly vary, and the dearest day allows for a
    different mix of carriers."""
    price = np.divide(
        cost_micros, priced, out=np.full(priced.shape, np.nan), where=priced >= _LEAST_PRICED
    )
    dearest = np.where(np.isnan(usual.prices), -np.inf, usual.prices).max(axis=1)
    risen: Bools = (dearest > 0) & (price > _DEARER * dearest)
    return risen, price

"""What is usual for each series, from the figures of the four weeks before.

The share of bad attempts is that of all days, without the days that differ from the others by more
than chance (an incident is no baseline), and raised for three things that a test must allow for:

- few attempts: by a standard deviation of the estimate, with one more bad attempt
- days that differ more than chance explains: by twice the relative standard deviation between days,
  estimated over all series (method of moments), at least by the margin of the measure
- the hour: where the attempts of an hour of the day and of its two neighbours are worse than the
  day's by more than three standard deviations, by their ratio, on more than one weekday

The traffic is that of the same hour of the week, with its weekday, without the days that were
pumped: on which more attempts than usual were not verified. More than usual is more than on that
weekday and than on all days: a weekday may have been one day only, on which traffic stopped or had
not begun. Hours are compared with their neighbours too: where clocks change, a local hour moves by
one hour, in both directions. So no time zone of a country is needed, which also suits countries
with several.
"""

from dataclasses import dataclass

import numpy as np

from core.alerts.measures import ALERT_FIGURES, SHARES, Figures, Measure, ShareMeasure
from core.alerts.sequential import Bools, Floats, Indices

DAYS = 28
HOURS = 168
#: Fewer attempts in the four weeks are no baseline of a share.
LEAST_HISTORY = 30
#: Days with traffic that are needed to call a place new, and a price higher than before.
LEAST_DAYS = 7
#: Traffic on so many of the last seven days is regular.
REGULAR_DAYS = 4
#: The smallest usual share of bad attempts, since even a good series has some.
LEAST_BAD = 0.005
#: The smallest usual share of unclear sends. Those of past days have mostly been settled since.
LEAST_UNCLEAR = 0.002
#: A day is left out if so few attempts explain it with a probability of e to the minus this.
_ODD_DAY = 12.0
_SIGNIFICANT = 3.0
#: Of a past that has just begun, so many days are needed: one alone may be an incident.
_LEAST_COUNTED_DAYS = 2


@dataclass(frozen=True, slots=True)
class PastFigures:
    """Figures of the past: `days` of (series, DAYS, figures), the oldest first; `hours` of
    (profiles, DAYS, 24, figures), in UTC. `weekday`: that of the first day, 0 for a Monday.
    `profile` is the row of each series in `hours`: a carrier has that of its country. `entered`:
    the share of right codes that are entered within 60 seconds, of each series; `is_carrier`: which
    series are carriers."""

    days: Floats
    hours: Floats
    weekday: int
    profile: Indices
    entered: Floats
    is_carrier: Bools


@dataclass(frozen=True, slots=True)
class UsualFigures:
    """What is usual. `bad`: the share of bad attempts, (series,), NaN without a baseline; `factors`
    of (profiles, 24): by how much it is larger in an hour of the day; `shown`: the share before it
    was raised. `traffic`: attempts an hour, (series, HOURS), as mean, least and most of the hour
    and its neighbours. `per_day`: counted attempts a day of each share. `verified`: the share of
    attempts that is verified. `prices`: (series, DAYS) micros an attempt, NaN where too few.
    `days`: how many of the four weeks had traffic."""

    bad: dict[Measure, Floats]
    shown: dict[Measure, Floats]
    factors: dict[Measure, Floats]
    per_day: dict[Measure, Floats]
    requested_per_day: Floats
    traffic: Floats
    least_traffic: Floats
    most_traffic: Floats
    verified: Floats
    prices: Floats
    profile: Indices
    days: int


def named(values: Floats) -> Figures:
    """(…, ALERT_FIGURES) as figures by name."""
    return dict(zip(ALERT_FIGURES, np.moveaxis(values, -1, 0), strict=True))


def baseline(history: PastFigures) -> UsualFigures:
    """The baseline of a history."""
    days, profiles = named(history.days), named(history.hours.sum(axis=2))
    bad, unraised, factors, per_day = {}, {}, {}, {}
    entered = _by_profile(history)
    for share in SHARES:
        n, worse = _counted(share, days, history.entered[:, None])
        is_counted = share.of_carriers | ~history.is_carrier
        n = n * is_counted[:, None]
        per_day[share.measure] = _per_day(n, worse)
        if not np.isnan(share.without_past):
            n = n * np.logical_or.accumulate(worse.any(axis=0))
        is_used = np.logical_not(_odd_days(n, worse))
        n, worse = n * is_used, worse * is_used
        least = LEAST_UNCLEAR if share.measure is Measure.UNCLEAR else LEAST_BAD
        usual, raised = _usual(n, worse, least, share.margin)
        enough = n.sum(axis=1) >= LEAST_HISTORY
        if not np.isnan(share.without_past):
            enough &= (n > 0).sum(axis=1) >= _LEAST_COUNTED_DAYS
        assumed = np.where(is_counted, share.without_past, np.nan)
        bad[share.measure] = np.where(enough, raised, assumed)
        unraised[share.measure] = np.where(enough, usual, np.nan)
        is_usual = ~_odd_days(*_counted(share, profiles, entered))
        by_hour = _by_weekday(history.hours * is_usual[..., None, None], history.weekday)
        factors[share.measure] = _factors(*_counted(share, named(by_hour), entered))
    rows = history.profile
    has_traffic = days["requested"].any(axis=0)
    # The first weeks of an installation are fewer than four.
    has_begun = np.arange(DAYS) >= has_traffic.argmax()
    is_calm = has_begun & ~_pumped_days(days["requested"], days["verified"])
    profile_is_calm = has_begun & ~_pumped_days(profiles["requested"], profiles["verified"])
    requested, verified = ((days[name] * is_calm).sum(axis=1) for name in ("requested", "verified"))
    of_profile = (profiles["requested"][rows] * is_calm).sum(axis=1)
    part = np.divide(requested, of_profile, out=np.zeros(len(rows)), where=of_profile > 0)
    requested_by_hour = named(history.hours)["requested"]
    of_weekday, of_all_days = (
        by_hour[rows] * part[:, None]
        for by_hour in _traffic(requested_by_hour, profile_is_calm, history.weekday)
    )
    around = np.stack([np.roll(of_weekday, shift, axis=1) for shift in (-1, 0, 1)])
    around_all = np.stack([np.roll(of_all_days, shift, axis=1) for shift in (-1, 0, 1)])
    # What came on a few days only, such as pumping, is no traffic that can stop.
    is_regular = (days["requested"][:, -7:] > 0).sum(axis=1) >= REGULAR_DAYS
    share_verified = np.divide(
        verified, requested, out=np.full(len(rows), 0.5), where=requested > 0
    )
    priced = days["priced"]
    prices = np.divide(
        days["cost_micros"], priced, out=np.full(priced.shape, np.nan), where=priced >= 1
    )
    return UsualFigures(
        bad=bad,
        shown=unraised,
        factors=factors,
        per_day=per_day,
        requested_per_day=days["requested"].sum(axis=1) / DAYS,
        traffic=of_weekday,
        least_traffic=around.min(axis=0) * is_regular[:, None],
        most_traffic=np.maximum(around, around_all).max(axis=0),
        verified=np.maximum(share_verified, 0.05),
        prices=prices,
        profile=rows,
        days=int(has_traffic.sum()),
    )


def _by_profile(history: PastFigures) -> Floats:
    """`entered` of the first series of each profile."""
    entered = np.ones(len(history.hours))
    entered[history.profile[::-1]] = history.entered[::-1]
    return entered[:, None]


def _by_weekday(by_day: Floats, first: int) -> Floats:
    """The sums of (profiles, DAYS, 24, …) by hour of the week, (profiles, HOURS, …)."""
    shape = (len(by_day), DAYS // 7, HOURS, *by_day.shape[3:])
    weeks = np.roll(by_day, first, axis=1).reshape(shape)
    sums: Floats = weeks.sum(axis=1)
    return sums


def _pumped_days(requested: Floats, verified: Floats) -> Bools:
    """Days on which more attempts than on the others were not verified, (series, DAYS)."""
    return _odd_days(requested, np.clip(requested - verified, 0, None))


def _traffic(requested: Floats, is_counted: Bools, first: int) -> tuple[Floats, Floats]:
    """Attempts an hour of (profiles, DAYS, 24) by hour of the week, (profiles, HOURS): the mean of
    the counted days of its weekday, 0 if there is none; and the mean of all counted days."""
    counted = np.broadcast_to(is_counted[..., None], requested.shape).astype(float)
    number, total = (_by_weekday(values, first) for values in (counted, requested * counted))
    of_weekday = total / np.maximum(number, 1)
    mean = (requested * counted).sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
    return of_weekday, np.tile(mean, 7)


def _counted(share: ShareMeasure, figures: Figures, entered: Floats) -> tuple[Floats, Floats]:
    n: Floats = np.asarray(share.n(figures), dtype=float)
    bad = np.clip(share.usual_bad(figures, entered), 0, n)
    return n, bad


def _odd_days(n: Floats, bad: Floats) -> Bools:
    """Days that are worse than the other days together by more than chance (Chernoff's bound). Of
    these, none counts more than twice the median day: pumping may be most attempts of a month."""
    counted = np.where(n > 0, n, np.nan)
    has_days = (n > 0).any(axis=1)
    most = np.zeros((len(n), 1))
    most[has_days, 0] = 2.0 * np.nanmedian(counted[has_days], axis=1)
    weight = np.divide(np.minimum(n, most), n, out=np.zeros(n.shape), where=n > 0)
    others, worse = (
        values.sum(axis=1, keepdims=True) - values for values in (n * weight, bad * weight)
    )
    usual = np.clip((worse + 0.5) / (others + 1.0), LEAST_BAD, 1 - LEAST_BAD)
    rate = np.divide(bad, n, out=np.zeros(n.shape), where=n > 0)
    above = np.where(rate > 0, rate * np.log(np.maximum(rate, 1e-12) / usual), 0.0)
    below = np.where(rate < 1, (1 - rate) * np.log(np.maximum(1 - rate, 1e-12) / (1 - usual)), 0.0)
    is_odd: Bools = (rate > 1.5 * usual) & (n * (above + below) > _ODD_DAY)
    return is_odd


def _per_day(n: Floats, bad: Floats) -> Floats:
    """Without odd days."""
    is_used = np.logical_not(_odd_days(n, bad))
    mean: Floats = (n * is_used).sum(axis=1) / np.maximum(is_used.sum(axis=1), 1)
    return mean


def _usual(n: Floats, bad: Floats, least: float, margin: float) -> tuple[Floats, Floats]:
    """The usual share of bad attempts of each series, and the same raised for what is uncertain."""
    total, worse = n.sum(axis=1), bad.sum(axis=1)
    usual = np.clip((worse + 0.5) / (total + 1.0), 1e-6, 1 - LEAST_BAD)
    cautious = (worse + 1.0) / (total + 1.0)
    cautious += np.sqrt(cautious * (1 - np.minimum(cautious, 1)) / (total + 1.0))
    spread = max(margin, 2.0 * _spread(n, bad, usual))
    raised = np.clip(np.maximum(cautious, usual * (1.0 + spread)), least, 1 - LEAST_BAD)
    return usual, raised


def _spread(n: Floats, bad: Floats, usual: Floats) -> float:
    """The relative standard deviation of the share between days, beyond chance, of all series."""
    expected = n * usual[:, None]
    beyond = (bad - expected) ** 2 - expected * (1 - usual[:, None])
    weight = float((expected**2).sum())
    return float(np.sqrt(max(0.0, float(beyond.sum()) / weight))) if weight else 0.0


def _factors(n: Floats, bad: Floats) -> Floats:
    """(profiles, 24) of (profiles, HOURS). Of each hour of the day, the weekday with most bad
    attempts beyond the usual ones is left out: an incident of one day makes no hour worse."""

    def by_weekday(values: Floats) -> Floats:
        around = sum(np.roll(values, shift, axis=1) for shift in (-1, 0, 1))
        return np.reshape(around, (len(values), 7, 24))

    n3, bad3 = by_weekday(n), by_weekday(bad)
    usual = bad.sum(axis=1) / np.maximum(n.sum(axis=1), 1)
    worst = (bad3 - n3 * usual[:, None, None]).argmax(axis=1, keepdims=True)
    is_kept = np.arange(7)[:, None] != worst
    n3, bad3 = (n3 * is_kept).sum(axis=1), (bad3 * is_kept).sum(axis=1)
    expected = n3 * (bad3.sum(axis=1) / np.maximum(n3.sum(axis=1), 1))[:, None]
    deviation = np.sqrt(np.maximum(expected * (1 - usual[:, None]), 1e-9))
    is_worse = (bad3 - expected) > _SIGNIFICANT * deviation
    return np.where(is_worse & (expected > 0), bad3 / np.maximum(expected, 1e-9), 1.0)

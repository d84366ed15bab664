"""How often the figures of calm traffic show a coloured change: at most 1 % of looks may.

A look is all figures of the Delivery page at one moment. The traffic is generated in numpy, by the
quarter-hour, without Redis: by day and night, with weekends, and with carriers that vary from day
to day and from hour to hour. Nothing is wrong in it. Looks are spread over presets, comparisons,
volumes, lengths of history and moments. Other traffic loses ten points of all deliveries for a day;
it counts how many looks at 24 hours show that.

The ranges, ripeness and figures are the product's own; only the reading of slots is replaced by
sums over arrays.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.figures.catalogue import QUERY_COLUMNS
from core.figures.comparing import Compared, compare, earlier_windows
from core.figures.layout import BINS, TIERS
from core.figures.packing import Counts, bins_of
from core.figures.ranges import Comparison, Preset, Range, preset, read_range, ripe_range
from core.figures.ripeness import Ripeness
from core.model.clock import from_ms, to_ms
from core.panels.figure_inputs import FigureInputs, RipeInput, TimesInput
from core.panels.figures import Figure, figures

GOAL = 0.01
#: Days of history.
HISTORIES = (70, 3, 10)
ZONE = ZoneInfo("Europe/Berlin")
RIPENESS = Ripeness()
QUARTER_MS = 900_000
PRESETS = (Preset.QUARTER, Preset.HOUR, Preset.SIX_HOURS, Preset.DAY, Preset.TODAY,
           Preset.YESTERDAY, Preset.WEEK, Preset.MONTH)  # fmt: skip
COMPARISONS = (Comparison.PREVIOUS, Comparison.WEEKDAY)
VOLUMES = (200, 3_000, 50_000, 1_000_000)
_USED = ("requested", "started", "confirmed", "within_30", "converted", "cost_micros", "priced")
_CONFIRMED = _USED.index("confirmed")
_PLACES = 12
_NORMAL = np.random.default_rng(0).normal(size=20_000)


@dataclass(frozen=True, slots=True)
class Traffic:
    """Sums by quarter-hour from `start_ms`: (quarters, _USED), and (quarters, BINS)."""

    start_ms: int
    sums: Counts
    times: Counts


def traffic(
    rng: np.random.Generator, until: datetime, per_day: int, days: int, *, incident: bool = False
) -> Traffic:
    """Traffic of some days. `incident`: on the last day ten points fewer arrive."""
    start_ms = to_ms(until - timedelta(days=days)) // QUARTER_MS * QUARTER_MS
    quarters = days * 96
    at = pd.to_datetime(start_ms + QUARTER_MS * np.arange(quarters), unit="ms", utc=True)
    local = at.tz_convert(ZONE)
    hours = (local.hour + local.minute / 60).to_numpy()
    shares = rng.dirichlet(np.full(_PLACES, 2.0))
    prices = rng.uniform(2_000, 60_000, _PLACES)
    usual = rng.uniform(0.88, 0.98, _PLACES)
    sums = np.zeros((quarters, len(_USED)), dtype=np.int64)
    times = np.zeros((quarters, BINS), dtype=np.int64)
    for place in range(_PLACES):
        # Countries wake at different hours, so the mix of a day's hours differs.
        day = 1 + 0.8 * np.sin((hours - 9 - place) * np.pi / 12)
        day *= np.where(local.day_of_week.to_numpy() >= 5, 0.7, 1.0)
        n = rng.poisson(per_day * shares[place] * day / 96)
        # The variation of days and of hours, on the logit scale.
        noise = np.repeat(rng.normal(0, 0.08, days), 96) + np.repeat(
            rng.normal(0, 0.05, days * 24), 4
        )
        odds = np.exp(np.log(usual[place] / (1 - usual[place])) + noise)
        arrives = odds / (1 + odds)
        if incident:
            arrives[-96:] -= 0.1
        confirmed = rng.binomial(n, arrives)
        within = rng.binomial(confirmed, 0.93)
        converted = rng.binomial(confirmed, 0.88)
        price = prices[place] * np.exp(np.repeat(rng.normal(0, 0.02, days), 96))
        cost = (n * price).astype(np.int64)
        sums += np.stack([n, n, confirmed, within, converted, cost, n], axis=1)
    # Slow days and fast days; one mixture of times for all places.
    for day_number, shift in enumerate(rng.normal(8, 0.04, days)):
        slots = slice(day_number * 96, day_number * 96 + 96)
        bins = np.bincount(bins_of(np.exp(shift + 0.6 * _NORMAL)), minlength=BINS)
        times[slots] = rng.multinomial(sums[slots, _CONFIRMED], bins / bins.sum())
    return Traffic(start_ms, sums, times)


class Look:
    """The figures of one range of some traffic at one moment."""

    def __init__(self, given: Traffic, now: datetime) -> None:
        self._traffic, self._now = given, now
        self._first = from_ms(given.start_ms)

    def figures(self, name: Preset, comparison: Comparison) -> list[Figure]:
        period = preset(name, self._now, ZONE)

        def pair(measure: str | None) -> Compared | None:
            part = period
            if measure is not None:
                part = ripe_range(period, RIPENESS.age(measure), self._now)
            return compare(period, part, comparison, ZONE, self._now, self._first, TIERS)

        history = self._history(period)

        def ripe_input(measure: str) -> RipeInput:
            part = ripe_range(period, RIPENESS.age(measure), self._now)
            compared = pair(measure)
            return RipeInput(
                self._sums(part),
                (self._sums(compared.now), self._sums(compared.before)) if compared else None,
                _NO_STEPS,
                history,
            )

        whole, ripe = pair(None), pair("confirmed")
        windows = earlier_windows(period)
        times = np.stack([self._times(Range(a, b)) for a, b in self._windows(period)])
        return figures(
            FigureInputs(
                self._sums(period),
                (self._sums(whole.now), self._sums(whole.before)) if whole else None,
                _NO_STEPS,
                ripe_input("within_30"),
                ripe_input("confirmed"),
                TimesInput(
                    self._times(ripe_range(period, RIPENESS.age(""), self._now)),
                    (self._times(ripe.now), self._times(ripe.before)) if ripe else None,
                    np.zeros((1, BINS), dtype=np.int64),
                    times,
                ),
                windows.spans,
            )
        )

    def _windows(self, period: Range) -> list[tuple[datetime, datetime]]:
        windows = earlier_windows(period)
        edges = [*windows.starts, windows.piece.end_ms]
        return [(from_ms(a), from_ms(b)) for a, b in pairwise(edges)]

    def _history(self, period: Range) -> pd.DataFrame:
        rows = [self._row(Range(a, b)) for a, b in self._windows(period)]
        return pd.DataFrame(rows, columns=list(QUERY_COLUMNS))

    def _slots(self, period: Range) -> tuple[slice, NDArray[np.float64]]:
        """The quarter-hours of a range, and how much of each belongs to it."""
        read = read_range(period, self._now)
        begin = (to_ms(read.start) - self._traffic.start_ms) / QUARTER_MS
        end = (to_ms(read.end) - self._traffic.start_ms) / QUARTER_MS
        first, last = max(0, int(np.floor(begin))), max(0, int(np.ceil(end)))
        at = np.arange(first, max(first, last))
        return slice(first, max(first, last)), np.clip(
            np.minimum(at + 1, end) - np.maximum(at, begin), 0, 1
        )

    def _sums(self, period: Range) -> "pd.Series[int]":
        return pd.Series(self._row(period), index=QUERY_COLUMNS)

    def _row(self, period: Range) -> list[int]:
        slots, weights = self._slots(period)
        part = self._traffic.sums[slots]
        sums = dict(zip(_USED, _thinned(part, weights[: len(part)]).tolist(), strict=True))
        return [sums.get(name, 0) for name in QUERY_COLUMNS]

    def _times(self, period: Range) -> Counts:
        slots, weights = self._slots(period)
        part = self._traffic.times[slots]
        return _thinned(part, weights[: len(part)])


def _thinned(part: Counts, weights: NDArray[np.float64]) -> Counts:
    """The sums of slots, of which a part is cut by an edge: that share of them, by chance."""
    whole = part[weights >= 1].sum(axis=0)
    for row, weight in zip(part[weights < 1], weights[weights < 1], strict=True):
        whole = whole + np.rint(row * weight).astype(np.int64)
    sums: Counts = whole
    return sums


_NO_STEPS = pd.DataFrame(
    {name: pd.Series(dtype=np.int64) for name in QUERY_COLUMNS}
    | {"complete": pd.Series(dtype=bool)}
)


def coloured(
    looks: int, seed: int, volumes: tuple[int, ...] = VOLUMES, per_traffic: int = 60
) -> list[str]:
    """The coloured changes in so many looks at calm traffic, described; at most one a look."""
    rng = np.random.default_rng(seed)
    until = datetime(2026, 11, 24, 12, 4, 30, tzinfo=UTC)
    found = []
    for run in range(-(-looks // per_traffic)):
        per_day = volumes[run % len(volumes)]
        days = HISTORIES[run // len(volumes) % len(HISTORIES)]
        calm = traffic(rng, until, per_day, days)
        for _ in range(min(per_traffic, looks - run * per_traffic)):
            now = until - timedelta(minutes=int(rng.integers(0, min(6, days // 2) * 1440)))
            name = PRESETS[rng.integers(len(PRESETS))]
            comparison = COMPARISONS[rng.integers(len(COMPARISONS))]
            shown = Look(calm, now).figures(name, comparison)
            bad = [figure.name for figure in shown if figure.good is not None]
            if bad:
                found.append(
                    f"{per_day:,} a day for {days} days, {name}, {comparison}: {', '.join(bad)}"
                )
    return found


def noticed(seed: int, per_day: int) -> bool:
    """Whether a loss of ten points for a day shows as a red change of the confirmed rate."""
    until = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    broken = traffic(np.random.default_rng(seed), until, per_day, HISTORIES[0], incident=True)
    shown = Look(broken, until).figures(Preset.DAY, Comparison.PREVIOUS)
    return shown[0].good is False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--looks", type=int, default=6_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    found = coloured(chosen.looks, chosen.seed)
    for line in found:
        sys.stdout.write(f"{line}\n")
    seen = [noticed(seed, per_day) for seed in range(4) for per_day in VOLUMES[1:]]
    share = len(found) / chosen.looks
    sys.stdout.write(f"goal: at most {GOAL} of looks\n")
    figures_found = {
        "coloured_share": round(share, 4),
        "looks": chosen.looks,
        "loss_of_ten_points_seen": round(sum(seen) / len(seen), 2),
    }
    sys.stdout.write(json.dumps(figures_found) + "\n")


if __name__ == "__main__":
    main()

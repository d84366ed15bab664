"""The main figures of the Delivery page: each with interval, n, change and course."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import isnan, nan

import pandas as pd

from core.figures.packing import Counts
from core.figures.rates import Rate, percentiles, stepwise_quantiles
from core.panels.course import NO_COURSE, Course, rate_course, ratio_course, step_course
from core.panels.targets import Targets, target_words
from core.wording.formats import counted, dollars, duration, interval, percent

_P95 = 0.95
_NO_TARGETS: Targets = {}
#: Smaller changes are not significant: the width of a histogram bin, and rounding.
_SAME_TIME, _SAME_COST = 0.09, 0.02


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its texts and the numbers behind them.

    `change` has no sign: `rose` gives its direction, None without a change. `good`: whether the
    change is an improvement, None where it is neither or within chance. `course`: over the range.
    `number`, `low`, `high` and `n` are the numbers of the texts: shares, ms, US dollars or a count,
    nan for none. `form` writes one. `target` is nan without one; `target_words` says whether it is
    met.
    """

    name: str
    value: str
    detail: str
    help: str
    change: str = ""
    rose: bool | None = None
    good: bool | None = None
    course: Course = NO_COURSE
    number: float = nan
    low: float = nan
    high: float = nan
    n: int = 0
    form: Callable[[float], str] = "{:,.0f}".format
    target: float = nan
    target_words: str = ""

    @property
    def is_share(self) -> bool:
        """Whether the figure is a share: the axis of its course need not start at zero."""
        return not isnan(self.low)


@dataclass(frozen=True, slots=True)
class ShownRange:
    """The input for the figures of one range: its sums, and its histogram of delivery times."""

    totals: "pd.Series[int]"
    times: Counts


def figures(
    now: ShownRange,
    before: ShownRange | None,
    steps: pd.DataFrame,
    heat: Counts,
    targets: Targets = _NO_TARGETS,
) -> list[Figure]:
    """The confirmed rate first, then the others. `steps`: the range over time (`over_time`);
    `heat`: the times to deliver by step, (steps, bins)."""
    unfinished = bool(len(steps)) and not steps["complete"].iloc[-1]
    return [
        _rate("Confirmed", now, before, steps, "confirmed", "requested", targets,
              "Delivered or verified, of all requested: a right code proves that it arrived."),
        _rate("Within 30 s", now, before, steps, "within_30", "requested", targets,
              "Delivered within 30 seconds of the request by the report, of all requested."),
        _rate("Conversion", now, before, steps, "converted", "started", targets,
              "Verifications that succeeded, of those started."),
        _time(now, before, heat, unfinished=unfinished),
        _cost(now, before, steps),
        _pending(now, steps),
        _attempts(now, before, steps),
    ]  # fmt: skip


def table(figures: Sequence[Figure]) -> pd.DataFrame:
    """The figures as numbers: `figure`, `value`, `low`, `high` (shares for rates, ms, US dollars),
    `n`, and `change` as displayed."""
    return pd.DataFrame(
        {
            "figure": [figure.name for figure in figures],
            "value": [figure.number for figure in figures],
            "low": [figure.low for figure in figures],
            "high": [figure.high for figure in figures],
            "n": [figure.n for figure in figures],
            "change": [_signed(figure) for figure in figures],
        }
    )


def cost_per_verified(totals: "pd.Series[int]") -> float | None:
    """US dollars; None without a price or a success."""
    if not totals["priced"] or not totals["converted"]:
        return None
    return float(totals["cost_micros"]) / 1e6 / float(totals["converted"])


def _rate(
    name: str,
    now: ShownRange,
    before: ShownRange | None,
    steps: pd.DataFrame,
    k: str,
    n: str,
    targets: Targets,
    means: str,
) -> Figure:
    """A rate with its interval, and its change in points against another range."""
    rate = Rate(int(now.totals[k]), int(now.totals[n]))
    if not rate.is_enough:
        return Figure(name, "too few", f"{rate.k} of {rate.n}", means, n=rate.n)
    change, rose, good = "", None, None
    other = Rate(int(before.totals[k]), int(before.totals[n])) if before else Rate(0, 0)
    if other.is_enough:
        points = round(100 * (rate.value - other.value), 1)
        change = f"{abs(points):.1f} points" if points else "no change"
        rose = points > 0 if points else None
        good = rose if rate.differs_from(other) else None
    return Figure(
        name,
        percent(rate.value),
        f"{interval(rate.low, rate.high)}, n = {rate.n:,}",
        means,
        change,
        rose,
        good,
        rate_course(steps, k, n),
        rate.value,
        rate.low,
        rate.high,
        rate.n,
        percent,
        targets.get(k, nan),
        target_words(rate, targets[k]) if k in targets else "",
    )


def _time(now: ShownRange, before: ShownRange | None, heat: Counts, *, unfinished: bool) -> Figure:
    name, n = "p95 time to deliver", int(now.times.sum())
    means = "19 of 20 reports came within this time of the request. At most 4.4 % off."
    ms = percentiles(now.times)[_P95]
    if ms is None:
        return Figure(name, "too few", counted(n, "report"), means, n=n)
    then = percentiles(before.times)[_P95] if before else None
    change, rose, good = _relative(ms, then, _SAME_TIME)
    complete = [True] * (len(heat) - unfinished) + [False] * unfinished
    course = step_course(stepwise_quantiles(heat, _P95), complete)
    return Figure(
        name, _milliseconds(ms), f"n = {n:,}", means, change, rose, good, course, ms, n=n,
        form=_milliseconds,
    )  # fmt: skip


def _cost(now: ShownRange, before: ShownRange | None, steps: pd.DataFrame) -> Figure:
    name, n = "Cost per verified", int(now.totals["converted"])
    means = "Cost of all attempts, also of failed ones, by verifications that succeeded."
    cost = cost_per_verified(now.totals)
    if cost is None:
        return Figure(name, "no price yet", f"{n:,} verified", means, n=n)
    then = cost_per_verified(before.totals) if before else None
    change, rose, good = _relative(cost, then, _SAME_COST)
    course = ratio_course(steps, "cost_micros", "converted", scale=1e-6)
    return Figure(
        name, dollars(cost), f"{n:,} verified", means, change, rose, good, course, cost,
        n=n, form=dollars,
    )  # fmt: skip


def _pending(now: ShownRange, steps: pd.DataFrame) -> Figure:
    pending, n = int(now.totals["pending"]), int(now.totals["requested"])
    means = "No final report yet. It may still arrive: neither delivered nor lost."
    return Figure(
        "Pending", f"{pending:,}", f"of {n:,}", means, course=_count_course(steps, "pending"),
        number=float(pending), n=n,
    )  # fmt: skip


def _attempts(now: ShownRange, before: ShownRange | None, steps: pd.DataFrame) -> Figure:
    n = int(now.totals["requested"])
    then = float(before.totals["requested"]) if before else None
    change, rose, _ = _relative(float(n), then, 0)
    return Figure(
        "Attempts", f"{n:,}", f"{int(now.totals['started']):,} verifications",
        "Messages and calls requested, including those that Plivo refused.", change, rose, None,
        _count_course(steps, "requested"), float(n), n=n,
    )  # fmt: skip


def _relative(
    now: float, before: float | None, same: float
) -> tuple[str, bool | None, bool | None]:
    """A change in %, its direction, and whether it is good: a decrease is, beyond `same`."""
    if not before:
        return "", None, None
    ratio = now / before - 1
    if round(100 * ratio) == 0:
        return "no change", None, None
    good = None if abs(ratio) < same else ratio < 0
    return f"{100 * abs(ratio):.0f} %", ratio > 0, good


def _milliseconds(value: float) -> str:
    return duration(timedelta(milliseconds=value))


def _count_course(steps: pd.DataFrame, column: str) -> Course:
    return step_course(steps[column].tolist(), steps["complete"].tolist())


def _signed(figure: Figure) -> str:
    if figure.rose is None:
        return figure.change
    return f"{'+' if figure.rose else '-'}{figure.change}"

"""The main figures of the Delivery page: each with interval, n, change and course."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import isnan, nan

import pandas as pd

from core.figures.costs import COMPARABLE, cost_of, costs_differ, verified_at_place
from core.figures.differences import Variation, differ, quantiles_differ
from core.figures.rates import ENOUGH, Rate, percentiles, stepwise_quantiles
from core.panels.course import NO_COURSE, FigureCourse, rate_course, ratio_course, step_course
from core.panels.figure_inputs import FigureInputs, RipeInput
from core.panels.percent import share_words
from core.panels.query_state import wider_scope
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
    change is an improvement, None where it is within the usual variation or not judged: too little
    is known, or neither direction is better (`is_judged`). `course`: over the range;
    its last points are unfinished where their steps have not ended, or not all attempts are ripe.
    `number`, `low`, `high` and `n` are the numbers of the texts: shares, ms, US dollars or a count,
    nan for none. `form` writes one. `target` is nan without one; `target_words` says whether it is
    met. `scope`: what the figure includes where that is more than the filters select; else "".
    """

    name: str
    value: str
    detail: str
    help: str
    change: str = ""
    rose: bool | None = None
    good: bool | None = None
    is_judged: bool = False
    course: FigureCourse = NO_COURSE
    number: float = nan
    low: float = nan
    high: float = nan
    n: int = 0
    form: Callable[[float], str] = "{:,.0f}".format
    target: float = nan
    target_words: str = ""
    scope: str = ""

    @property
    def is_share(self) -> bool:
        """Whether the figure is a share: the axis of its course need not start at zero."""
        return not isnan(self.low)


def figures(inputs: FigureInputs, targets: Targets = _NO_TARGETS) -> list[Figure]:
    """The confirmed rate first, then the others."""
    return [
        _rate("Confirmed", inputs, inputs.ripe, "confirmed", "requested", targets,
              "Delivered by its own receipt, or verified by a code that no other attempt can have "
              "brought; of all requested that are as old as a code is valid."),
        _rate("Within 30 s", inputs, inputs.within_30, "within_30", "requested", targets,
              "Delivered within 30 seconds of the request by the report, of all requested before "
              "the last 30 seconds."),
        _rate("Conversion", inputs, inputs.ripe, "converted", "started", targets,
              "Verifications that succeeded, of those started that are as old as a code is valid."),
        _time(inputs),
        _cost(inputs),
        _pending(inputs),
        _attempts(inputs),
    ]  # fmt: skip


def table(figures: Sequence[Figure]) -> pd.DataFrame:
    """The figures as numbers: `figure`, `value`, `low`, `high` (shares for rates, ms, US dollars),
    `n`, `change` as displayed, and `whose`: the scope."""
    return pd.DataFrame(
        {
            "figure": [figure.name for figure in figures],
            "value": [figure.number for figure in figures],
            "low": [figure.low for figure in figures],
            "high": [figure.high for figure in figures],
            "n": [figure.n for figure in figures],
            "change": [_signed(figure) for figure in figures],
            "whose": [figure.scope for figure in figures],
        }
    )


def _rate(
    name: str,
    inputs: FigureInputs,
    ripe: RipeInput,
    k: str,
    n: str,
    targets: Targets,
    means: str,
) -> Figure:
    """A rate of ripe attempts with its interval, and its change in points."""
    rate = Rate(int(ripe.totals[k]), int(ripe.totals[n]))
    if not rate.is_enough:
        too_new = int(inputs.totals[n]) - rate.n
        detail = f"{rate.k} of {rate.n}" + (f", {too_new:,} too new" if too_new > 0 else "")
        return Figure(name, "too few", detail, means, n=rate.n)
    change, rose, good = "", None, None
    is_judged = False
    if ripe.compared:
        now, before = (Rate(int(sums[k]), int(sums[n])) for sums in ripe.compared)
        if is_judged := now.is_enough and before.is_enough:
            points = round(100 * (now.value - before.value), 1)
            change = f"{abs(points):.1f} points" if points else "no change"
            rose = points > 0 if points else None
            variation = Variation.of(ripe.history[k], ripe.history[n])
            good = rose if differ(now, before, variation, inputs.spans) else None
    return Figure(
        name,
        percent(rate.value),
        f"{interval(rate.low, rate.high)}, n = {rate.n:,}",
        means,
        change,
        rose,
        good,
        is_judged,
        rate_course(ripe.steps, k, n),
        rate.value,
        rate.low,
        rate.high,
        rate.n,
        percent,
        targets.get(k, nan),
        target_words(rate, targets[k]) if k in targets else "",
    )


def _time(inputs: FigureInputs) -> Figure:
    times = inputs.times
    name, n = "p95 time to deliver", int(times.times.sum())
    means = "19 of 20 reports came within this time of the request. At most 4.4 % off."
    scope = wider_scope(inputs.filters)
    if inputs.filters.country:
        means += " Of a country, whole quarter-hours are read."
    if scope:
        means += f" Of {scope}: times are not kept by carrier."
    ms = percentiles(times.times)[_P95]
    if ms is None:
        return Figure(name, "too few", counted(n, "report"), means, n=n, scope=scope)
    change, rose, good = "", None, None
    if times.compared:
        now, before = times.compared
        is_real = quantiles_differ(now, before, _P95, times.history, inputs.spans)
        change, rose, good = _relative(
            percentiles(now)[_P95], percentiles(before)[_P95], _SAME_TIME, is_real=is_real
        )
    complete = _last(inputs.ripe.steps["complete"].tolist(), len(times.heat))
    course = step_course(stepwise_quantiles(times.heat, _P95), complete)
    detail = f"all carriers, n = {n:,}" if scope else f"n = {n:,}"
    return Figure(
        name, _milliseconds(ms), detail, means, change, rose, good, bool(change), course, ms,
        n=n, form=_milliseconds, scope=scope,
    )  # fmt: skip


def _cost(inputs: FigureInputs) -> Figure:
    ripe, at_place = inputs.ripe, not inputs.filters.is_empty
    cost = cost_of(ripe.totals, at_place=at_place)
    means = "Cost of all attempts, also of failed ones, by " + (
        "the attempts here that were verified." if at_place else "verifications that succeeded."
    )
    name, n, value = "Cost per verified", cost.verified, cost.per_verified
    if value is None:
        text, detail = "no price yet", f"{n:,} verified"
        if cost.is_known:
            text, detail = "none verified", f"{dollars(cost.micros / 1e6)} spent"
        return Figure(name, text, detail, means, n=n)
    change, rose, good, is_real = "", None, None, None
    if ripe.compared:
        now, before = (cost_of(sums, at_place=at_place) for sums in ripe.compared)
        history = [cost_of(row, at_place=at_place) for _, row in ripe.history.iterrows()]
        is_real = costs_differ(now, before, history, inputs.spans)
        if min(now.verified, before.verified) >= ENOUGH:
            change, rose, good = _relative(
                now.per_verified, before.per_verified, _SAME_COST, is_real=bool(is_real)
            )
    steps = ripe.steps
    verified = verified_at_place(steps) if at_place else steps["converted"]
    # A step with few prices would look cheap.
    is_priced = steps["priced"] >= COMPARABLE * steps["requested"]
    parts = steps.assign(micros=steps["cost_micros"] * is_priced, successes=verified * is_priced)
    course = ratio_course(parts, "micros", "successes", scale=1e-6)
    at_least = "" if cost.is_comparable else "\N{GREATER-THAN OR EQUAL TO} "
    return Figure(
        name, at_least + dollars(value), f"n = {n:,}, {share_words(cost.priced)} priced",
        means + " A price that is not known yet can only add to it.",
        change, rose, good, is_real is not None, course, value, n=n, form=dollars,
    )  # fmt: skip


def _pending(inputs: FigureInputs) -> Figure:
    pending, n = int(inputs.totals["pending"]), int(inputs.totals["requested"])
    means = "No final report yet: neither delivered nor lost. Unclear sends are not among them."
    return Figure(
        "Pending", f"{pending:,}", f"of {n:,}", means, course=_count_course(inputs, "pending"),
        number=float(pending), n=n,
    )  # fmt: skip


def _attempts(inputs: FigureInputs) -> Figure:
    n = int(inputs.totals["requested"])
    change, rose = "", None
    if inputs.compared:
        now, before = (float(sums["requested"]) for sums in inputs.compared)
        if before >= ENOUGH:
            change, rose, _ = _relative(now, before, 0, is_real=False)
    return Figure(
        "Attempts", f"{n:,}", counted(int(inputs.totals["started"]), "verification"),
        "Messages and calls requested, including those that Plivo refused.", change, rose,
        course=_count_course(inputs, "requested"), number=float(n), n=n,
    )  # fmt: skip


def _relative(
    now: float | None, before: float | None, same: float, *, is_real: bool
) -> tuple[str, bool | None, bool | None]:
    """A change in %, its direction, and whether it is good. It is judged only if it `is_real`
    (beyond the usual variation) and at least `same`; then a decrease is good."""
    if not before or now is None:
        return "", None, None
    ratio = now / before - 1
    if round(100 * ratio) == 0:
        return "no change", None, None
    good = ratio < 0 if is_real and abs(ratio) >= same else None
    return f"{100 * abs(ratio):.0f} %", ratio > 0, good


def is_unfinished(steps: pd.DataFrame) -> bool:
    """Whether the last step of a frame of `Queries.over_time` is not complete."""
    return bool(len(steps)) and not bool(steps["complete"].iloc[-1])


def _milliseconds(value: float) -> str:
    return duration(timedelta(milliseconds=value))


def _count_course(inputs: FigureInputs, column: str) -> FigureCourse:
    return step_course(inputs.steps[column].tolist(), inputs.steps["complete"].tolist())


def _last(complete: list[bool], steps: int) -> list[bool]:
    """The same ending for another number of steps: those of a histogram may be wider."""
    return [True] * (steps - len(complete)) + complete[-steps:] if steps else []


def _signed(figure: Figure) -> str:
    if figure.rose is None:
        return figure.change
    return f"{'+' if figure.rose else '-'}{figure.change}"

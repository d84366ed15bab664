"""The main number of each closed question of the Delivery page, as a short text."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pandas as pd

from core.figures.costs import cost_of
from core.figures.filters import Filters
from core.figures.packing import Counts
from core.figures.rates import Rate, percentiles
from core.model.regions import country_of
from core.panels.query_state import wider_scope
from core.panels.tables import without_report
from core.wording.budgets import BUDGETS
from core.wording.formats import carrier_name, counted, dollars, duration, percent
from core.wording.marks import STATE_MARKS

_MOST_ERRORS = 3


def latency(times: Counts) -> str:
    """ "p50 3.1 s · p95 12 s"; only the percentiles that have enough values."""
    parts = [
        f"p{q * 100:.0f} {duration(timedelta(milliseconds=ms))}"
        for q, ms in percentiles(times).items()
        if ms is not None and q in {0.5, 0.95}
    ]
    return " · ".join(parts) or "too few reports"


def with_scope(words: str, filters: Filters) -> str:
    """The number of a question whose figures are not kept by carrier, with their scope: "too few
    reports (all carriers of Indonesia)" """
    scope = wider_scope(filters)
    return f"{words} ({scope})" if scope else words


def places(number: int, filters: Filters) -> str:
    """ "37 countries" with attempts; within one, its carriers."""
    if filters.carrier:
        return carrier_name(filters.carrier)
    if filters.country:
        return f"{country_of(filters.country)}: {counted(number, 'carrier')}"
    return "1 country" if number == 1 else f"{number:,} countries"


def errors(frame: pd.DataFrame, totals: "pd.Series[Any]") -> str:
    """ "503 ×120, 30 ×14": the most frequent ones. Without any, how many of all attempts have no
    final report: they may have failed."""  # noqa: RUF002
    counts = frame["count"].groupby(level="code").sum().sort_values(ascending=False)
    counts = counts[counts > 0]
    if counts.empty:
        unknown = without_report(totals)
        return f"No error yet, {unknown:,} without a final report" if unknown else "No errors"
    parts = [
        f"{code} \N{MULTIPLICATION SIGN}{n:,}" for code, n in counts.head(_MOST_ERRORS).items()
    ]
    more = len(counts) - len(parts)
    return ", ".join(parts) + (f", {more} more" if more else "")


def cost(totals: "pd.Series[Any]") -> str:
    """ "$123.40"; "≥ $120.00" while prices are missing; a note until the first one is known."""
    cost = cost_of(totals, at_place=False)
    if not cost.is_known:
        return "no price yet"
    at_least = "" if cost.is_comparable else "\N{GREATER-THAN OR EQUAL TO} "
    return at_least + dollars(cost.micros / 1e6)


def refused(counters: Mapping[str, int]) -> str:
    n = sum(counters.get(f"refused_{name}", 0) for name in BUDGETS)
    return f"{counted(n, 'send')} refused today" if n else "No send refused today"


def funnel(totals: "pd.Series[Any]") -> str:
    """ "99 % sent, 95 % delivered, 80 % verified"."""
    rates = [
        (name, Rate(int(totals[name]), int(totals["requested"])))
        for name in ("sent", "delivered", "verified")
    ]
    if not rates[0][1].is_enough:
        return "too few attempts"
    return ", ".join(f"{percent(rate.value)} {name}" for name, rate in rates)


def endings(totals: "pd.Series[Any]") -> str:
    """ "● 1,234 delivered ▲ 12 undelivered": the states that occur."""
    parts = [
        f"{mark.sign} {int(totals[state]):,} {mark.word}"
        for state, mark in STATE_MARKS.items()
        if totals[state]
    ]
    return " ".join(parts)

"""The tables of the Delivery page, each from a frame of `core.figures.queries`.

Shares are in %, between 0 and 100; times in seconds; money in US dollars; nan where there is too
little to say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import isnan, nan
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.alerts.records import AlertStatus
from core.alerts.replay import DryRun
from core.alerts.states import AlertState
from core.figures.rates import ENOUGH, Rate, wilsons
from core.verification.number.parse import country_of
from core.wording.error_codes import error_meaning
from core.wording.formats import (
    ALERT_STATES,
    CHANNELS,
    MEASURES,
    alert_words,
    carrier_name,
    channel_name,
    counted,
    day_and_time,
    interval,
    percent,
    series_name,
)

#: Below this share of messages with a receipt, a rate by receipts is not shown.
COVERED = 0.8
#: A message's price is final after a day.
PRICES_SETTLE = timedelta(days=1)
#: How an attempt gets on, from the request to the right code.
FUNNEL = ("requested", "sent", "delivered", "verified")
#: The parts of the time from the request to the right code, in order.
LEGS = {"app": "App to Plivo", "queue": "Plivo's queue", "carrier": "Carrier", "person": "Person"}
_MOST_ISSUES = 5
_MOST_MOMENTS = 50

COUNTRIES = ["place", "country", "carrier", "n", "confirmed", "low", "high", "bounds", "receipts",
             "p95_s", "conversion", "cost", "spark"]  # fmt: skip
ISSUES = ["place", "country", "carrier", "n", "conversion", "lost"]


def funnel_table(frame: pd.DataFrame) -> pd.DataFrame:
    """By channel, as far as there are attempts: `channel` and its `name`, the FUNNEL's counts,
    `<count>_share` of those requested, and `<count>_step`, the share of the count before."""
    table = _in_order(frame)[list(FUNNEL)].rename_axis("channel").reset_index()
    table.insert(1, "name", [channel_name(one) for one in table["channel"]])
    for before, name in zip(("requested", *FUNNEL), FUNNEL, strict=False):
        table[f"{name}_share"] = _percent(table[name], table["requested"])
        table[f"{name}_step"] = _percent(table[name], table[before])
    return table


def rescue_table(frame: pd.DataFrame) -> pd.DataFrame:
    """By channel: `channel`, `resends` (the same way again), `fallbacks` (this way in place of
    another), `rescued` of these, their `rate` with `low` and `high`."""
    frame = _in_order(frame)
    low, high = wilsons(frame["rescued"], frame["fallbacks"])
    enough = (frame["fallbacks"] >= ENOUGH).to_numpy()
    return pd.DataFrame(
        {
            "channel": [channel_name(str(one)) for one in frame.index],
            "resends": frame["resends"].to_numpy(),
            "fallbacks": frame["fallbacks"].to_numpy(),
            "rescued": frame["rescued"].to_numpy(),
            "rate": np.where(enough, _percent(frame["rescued"], frame["fallbacks"]), nan),
            "low": np.where(enough, 100 * low, nan),
            "high": np.where(enough, 100 * high, nan),
        }
    )


@dataclass(frozen=True, slots=True)
class Fallback:
    """What a second way brought: `rescued` verified of those tried."""

    resends: int
    fallbacks: int
    rescued: Rate
    started: int

    @property
    def words(self) -> str:
        """In two sentences."""
        tried = (
            f"Of {counted(self.started, 'verification')}, {counted(self.resends, 'code')} went out "
            f"again the same way and {self.fallbacks:,} another way."
        )
        if not self.rescued.is_enough:
            return f"{tried} Too few went another way to say what that brings."
        return (
            f"{tried} {self.rescued.k:,} of these {self.rescued.n:,} were verified: "
            f"{percent(self.rescued.value)} ({interval(self.rescued.low, self.rescued.high)})."
        )


def fallback(totals: "pd.Series[int]") -> Fallback:
    return Fallback(
        int(totals["resends"]),
        int(totals["fallbacks"]),
        Rate(int(totals["rescued"]), int(totals["fallbacks"])),
        int(totals["started"]),
    )


def legs_table(totals: "pd.Series[int]") -> pd.DataFrame:
    """Where the seconds go: `leg`, its `name`, `n` attempts that had it, `mean_s`, and `from_s`,
    where it begins after the ones before. Means, because they add up and medians do not."""
    n = [int(totals[f"n_{leg}"]) for leg in LEGS]
    sums = [int(totals[f"{leg}_ms"]) / 1000 for leg in LEGS]
    means = [one / k if k else 0.0 for one, k in zip(sums, n, strict=True)]
    return pd.DataFrame(
        {
            "leg": list(LEGS),
            "name": list(LEGS.values()),
            "n": n,
            "mean_s": means,
            "from_s": [sum(means[:place]) for place in range(len(means))],
        }
    )


def country_table(frame: pd.DataFrame) -> pd.DataFrame:
    """COUNTRIES: countries, each with its carriers below it, the worst lower bound first. `place`
    is what is shown, `carrier` "" for a whole country and "?" for one that is not known; `n`,
    `confirmed` (%), `low`, `high` (%, 95 %) and both as `bounds`; `receipts` (a word), `p95_s`,
    `conversion` (%), `cost` (per verified), `spark` (%)."""
    if frame.empty:
        return pd.DataFrame(columns=COUNTRIES)
    made = frame.reset_index()
    low, high = wilsons(made["confirmed"], made["requested"])
    enough = (made["requested"] >= ENOUGH).to_numpy()
    table = pd.DataFrame(
        {
            "place": [_place(*pair) for pair in frame.index],
            "country": made["country"],
            "carrier": made["carrier"],
            "n": made["requested"],
            "confirmed": np.where(enough, _percent(made["confirmed"], made["requested"]), nan),
            "low": np.where(enough, 100 * low, nan),
            "high": np.where(enough, 100 * high, nan),
            "bounds": [
                interval(a, b) if ok else "too few"
                for a, b, ok in zip(low, high, enough, strict=True)
            ],
            "receipts": _receipts(made),
            "p95_s": made["p95_ms"] / 1000,
            "conversion": _percent(made["converted"], made["started"]),
            "cost": (made["cost_micros"] / 1e6 / made["converted"]).where(made["converted"] > 0),
            "spark": [[round(100 * v, 2) for v in row if not isnan(v)] for row in made["spark"]],
        }
    )
    whole = table[table["carrier"] == ""].set_index("country")["low"]
    # Where there is too little to tell the bound, there is nothing to put first.
    table["_country"] = table["country"].map(whole).fillna(101)
    table["_whole"] = table["carrier"] != ""
    ordered = table.sort_values(["_country", "country", "_whole", "low"], kind="stable")
    return ordered[COUNTRIES].reset_index(drop=True)


def receipts(sent: int, delivered: int, undelivered: int, verified: int) -> str:
    """How far receipts can be trusted: "handset", "partial", "none", or "suspicious" where they
    claim what hardly anybody confirms by entering the code."""
    if sent < ENOUGH:
        return "too few"
    covered = (delivered + undelivered) / sent
    if covered < 0.2:
        return "none"
    if delivered >= 30 and Rate(verified, delivered).high < 0.5:
        return "suspicious"
    return "handset" if covered >= COVERED else "partial"


def error_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The errors, the most first: `channel`, `code`, `label` ("SMS 30"), `count`, `previous`, what
    it means and what to do: `meaning`, `advice`."""
    made = frame.reset_index()
    pairs = list(zip(made["channel"], made["code"], strict=True))
    told = [error_meaning(channel, code) for channel, code in pairs]
    return pd.DataFrame(
        {
            "channel": made["channel"],
            "code": made["code"],
            "label": [
                f"{channel_name(channel)}\N{NO-BREAK SPACE}{code}" for channel, code in pairs
            ],
            "count": made["count"],
            "previous": made["previous"],
            "meaning": [one.meaning for one in told],
            "advice": [one.advice for one in told],
        }
    )


def cost_table(frame: pd.DataFrame) -> pd.DataFrame:
    """By channel: `channel`, `spent`, `wasted` (on codes that nobody entered), `share` of it (%),
    `per_verified` attempt, and `priced`, how many of the attempts have their price (%)."""
    frame = _in_order(frame)
    spent = frame["cost_micros"] / 1e6
    wasted = spent - frame["cost_verified_micros"] / 1e6
    return pd.DataFrame(
        {
            "channel": [channel_name(str(name)) for name in frame.index],
            "spent": spent.to_numpy(),
            "wasted": wasted.to_numpy(),
            "share": _percent(wasted, spent),
            "per_verified": (spent / frame["verified"].where(frame["verified"] > 0)).to_numpy(),
            "priced": _percent(frame["priced"], frame["requested"]),
        }
    )


def issues(frame: pd.DataFrame, baseline: Rate) -> pd.DataFrame:
    """ISSUES: where verifications are lost, the most first: `n` started, `conversion` (%) and
    `lost`, how many more would have succeeded at the rate of all: n * (baseline - observed). Only
    where the whole interval lies below the baseline."""
    if frame.empty or not baseline.is_enough:
        return pd.DataFrame(columns=ISSUES)
    made = frame.reset_index()
    has_carriers = set(made.loc[made["carrier"] != "", "country"])
    made = made[(made["carrier"] != "") | ~made["country"].isin(has_carriers)]
    _, high = wilsons(made["converted"], made["started"])
    lost = made["started"] * baseline.value - made["converted"]
    pairs = list(zip(made["country"], made["carrier"], strict=True))
    found = pd.DataFrame(
        {
            "place": [
                ", ".join([country_of(c), *([carrier_name(k)] if k else [])]) for c, k in pairs
            ],
            "country": made["country"],
            "carrier": made["carrier"],
            "n": made["started"],
            "conversion": _percent(made["converted"], made["started"]),
            "lost": lost.round().astype(int),
        }
    )
    worse = (made["started"] >= ENOUGH).to_numpy() & (high < baseline.value)
    kept = found[worse & (found["lost"] > 0)].sort_values("lost", ascending=False)
    return kept.head(_MOST_ISSUES).reset_index(drop=True)


def alert_counts(statuses: Sequence[AlertStatus]) -> dict[AlertState, int]:
    """How many measures of how many series stand where, the worst first; no state is left out."""
    return {state: sum(one.state is state for one in statuses) for state in ALERT_STATES}


def alert_table(statuses: Sequence[AlertStatus], zone: ZoneInfo) -> pd.DataFrame:
    """All alerts, in the order given: `series`, `measure`, `state`, `since`, what the last hour
    `saw`, and `under`: which series' alert explains it."""
    return pd.DataFrame(
        {
            "series": [series_name(one.series) for one in statuses],
            "measure": [MEASURES[one.measure] for one in statuses],
            "state": [ALERT_STATES[one.state] for one in statuses],
            "since": [day_and_time(one.since, zone) for one in statuses],
            "saw": [alert_words(one) for one in statuses],
            "under": [series_name(one.under) if one.under else "" for one in statuses],
        }
    )


def dry_run_table(tried: DryRun, zone: ZoneInfo) -> pd.DataFrame:
    """The alerts that would have been and that no other one explains, the newest first: `from`,
    `until` ("still" where it would go on), `series`, `measure`."""
    moments = [one for one in reversed(tried.moments) if not one.under][:_MOST_MOMENTS]
    return pd.DataFrame(
        {
            "from": [day_and_time(one.at, zone) for one in moments],
            "until": [day_and_time(one.until, zone) if one.until else "still" for one in moments],
            "series": [series_name(one.series) for one in moments],
            "measure": [MEASURES[one.measure] for one in moments],
        }
    )


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """The channels in the order in which they are offered."""
    return frame.loc[[one for one in CHANNELS if one in frame.index]]


def _place(country: str, carrier: str) -> str:
    """A carrier is set in below its country."""
    return f"\N{EM SPACE}{carrier_name(carrier)}" if carrier else country_of(country)


def _receipts(made: pd.DataFrame) -> list[str]:
    columns = (made[name] for name in ("sent", "delivered", "undelivered", "verified"))
    return [receipts(*(int(n) for n in row)) for row in zip(*columns, strict=True)]


def _percent(part: Any, whole: Any) -> NDArray[np.float64]:
    """nan where there is no whole."""
    parts, wholes = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(wholes > 0, 100 * parts / wholes, nan)

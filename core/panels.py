"""What each panel of the Delivery page says: figures with their uncertainty, tables, top issues.

Definitions (each attempt counts under the moment it was requested):

    confirmed      delivered or verified, of all requested: a right code proves arrival
    delivered      by the receipts, of those that reached an end that was reported
    within 30 s    delivered within 30 s of the request, of all requested
    conversion     verifications that succeeded, of those started
    receipts       messages with a final receipt, of those sent; under 80 % they tell too little
    cost per verified   cost of all attempts, of verifications that succeeded
    waste          cost of the attempts whose code was never entered right

A rate is never shown without its n and its 95 % Wilson interval, and under n = 10 not at all.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import isnan
from typing import Any

import pandas as pd

from core.delivery.alert_records import AlertStatus
from core.delivery.alert_rules import Measure
from core.delivery.queries import Filters
from core.delivery.rates import ENOUGH, Rate, wilsons

CHANNELS = {"sms": "SMS", "voice": "Call", "phlo": "PHLO"}
#: Below this share of messages with a receipt, a rate by receipts is not shown.
COVERED = 0.8
#: A message's price is final after a day.
PRICES_SETTLE = timedelta(days=1)
_DELAYED = timedelta(hours=1)


class Empty(StrEnum):
    """Why there is nothing to see."""

    NO_TRAFFIC = "no_traffic"
    FILTERED = "filtered"
    NOT_CONFIGURED = "not_configured"
    TOO_FEW = "too_few"
    DELAYED = "delayed"


EMPTY_WORDS = {
    Empty.NO_TRAFFIC: "Nobody asked for a code in this range. Choose a longer one.",
    Empty.FILTERED: "There is traffic in this range, but none that these filters let through. "
    "Clear them.",
    Empty.NOT_CONFIGURED: "No code has been sent yet. Verify a number, and it shows up here "
    "within a second.",
    Empty.TOO_FEW: "Only {n} in this range: too few for a rate. The counts are below.",
    Empty.DELAYED: "The newest attempt is {lag} old. Either nobody has asked since, or news does "
    "not arrive: compare with Plivo's logs.",
}


def empty_state(
    requested: int, filters: Filters, *, ever: bool, unfiltered: int, lag: timedelta | None
) -> tuple[Empty, str] | None:
    """Which of the empty states this is, with its words; None where there is enough to see."""
    if not ever:
        return Empty.NOT_CONFIGURED, EMPTY_WORDS[Empty.NOT_CONFIGURED]
    if not requested:
        kind = Empty.FILTERED if unfiltered and not filters.is_empty else Empty.NO_TRAFFIC
        return kind, EMPTY_WORDS[kind]
    if requested < ENOUGH:
        n = f"{requested} attempt" if requested == 1 else f"{requested} attempts"
        return Empty.TOO_FEW, EMPTY_WORDS[Empty.TOO_FEW].format(n=n)
    if lag is not None and lag > _DELAYED:
        return Empty.DELAYED, EMPTY_WORDS[Empty.DELAYED].format(lag=span(lag))
    return None


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: what it is, its value, its interval and n, its change, and how that reads.

    `good`: whether the change is good, None where it is neither or within chance.
    """

    name: str
    value: str
    detail: str
    change: str
    good: bool | None
    help: str


def figures(
    now: "pd.Series[int]",
    before: "pd.Series[int] | None",
    p95: tuple[float | None, float | None],
    comparison: str,
) -> list[Figure]:
    """The figures that matter now. `p95`: the time to deliver in ms, now and before."""
    made = [
        rate_figure("Confirmed", now, before, "confirmed", "requested",
                    "Delivered or verified, of all requested.", comparison),
        rate_figure("Delivered within 30 s", now, before, "within_30", "requested",
                    "By the receipt, of all requested.", comparison),
        rate_figure("Conversion", now, before, "converted", "started",
                    "Verifications that succeeded, of those started.", comparison),
    ]  # fmt: skip
    ms, ms_before = p95
    change, good = "", None
    if ms is not None and ms_before:
        ratio = ms / ms_before - 1
        change = f"{ratio:+.0%} {comparison}"
        good = None if abs(ratio) < 0.09 else ratio < 0
    made.append(
        Figure(
            "p95 time to deliver", seconds(ms) if ms is not None else "too few",
            f"n = {int(now['delivered']):,}", change, good,
            "19 of 20 receipts came within this time of the request. At most 4.4 % off.",
        )
    )  # fmt: skip
    cost, cost_before = cost_per_verified(now), cost_per_verified(before)
    change, good = "", None
    if cost is not None and cost_before:
        ratio = cost / cost_before - 1
        change, good = f"{ratio:+.0%} {comparison}", None if abs(ratio) < 0.02 else ratio < 0
    made.append(
        Figure(
            "Cost per verified", dollars(cost) if cost is not None else "no price yet",
            f"{int(now['converted']):,} verified", change, good,
            "Cost of all attempts, also of the failed ones, by verifications that succeeded.",
        )
    )  # fmt: skip
    pending = Rate(int(now["pending"]), int(now["requested"]))
    made.append(
        Figure(
            "Pending", f"{pending.k:,}", f"of {pending.n:,}", "", None,
            "No final word yet. It may still arrive, so it counts as neither delivered nor lost.",
        )
    )  # fmt: skip
    return made


def rate_figure(
    name: str,
    now: "pd.Series[int]",
    before: "pd.Series[int] | None",
    k: str,
    n: str,
    means: str,
    comparison: str,
) -> Figure:
    """A rate with its interval, and its change in points against another range."""
    rate = Rate(int(now[k]), int(now[n]))
    if not rate.is_enough:
        return Figure(name, "too few", f"{rate.k} of {rate.n}", "", None, means)
    change, good = "", None
    if before is not None:
        other = Rate(int(before[k]), int(before[n]))
        if other.is_enough:
            points = 100 * (rate.value - other.value)
            change = f"{points:+.1f} points {comparison}"
            good = points > 0 if rate.differs_from(other) else None
    detail = f"{100 * rate.low:.1f}\N{EN DASH}{100 * rate.high:.1f}, n = {rate.n:,}"
    return Figure(name, f"{100 * rate.value:.1f} %", detail, change, good, means)


def country_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The table of countries and carriers, the worst lower bound first, carriers below their
    country: `country`, `carrier`, `n`, `confirmed` (%), `low`, `high` (%, 95 %), `receipts`
    (a word), `p95_s`, `conversion` (%), `cost` (US dollars per verified), `spark` (%)."""
    if frame.empty:
        return pd.DataFrame(columns=TABLE)
    made = frame.reset_index()
    low, high = wilsons(made["confirmed"], made["requested"])
    enough = made["requested"] >= ENOUGH
    table = pd.DataFrame(
        {
            "country": made["country"],
            "carrier": made["carrier"],
            "n": made["requested"],
            "confirmed": (100 * made["confirmed"] / made["requested"]).where(enough),
            "low": pd.Series(100 * low).where(enough),
            "high": pd.Series(100 * high).where(enough),
            "receipts": [receipts(row) for _, row in made.iterrows()],
            "p95_s": made["p95_ms"] / 1000,
            "conversion": (100 * made["converted"] / made["started"]).where(made["started"] > 0),
            "cost": (made["cost_micros"] / 1e6 / made["converted"]).where(made["converted"] > 0),
            "spark": [[100 * v for v in row if not isnan(v)] for row in made["spark"]],
        }
    )
    whole = table[table["carrier"] == ""].set_index("country")["low"]
    table["_country"] = table["country"].map(whole).fillna(101)
    table["_whole"] = table["carrier"] != ""
    ordered = table.sort_values(["_country", "country", "_whole", "low"], kind="stable")
    return ordered[TABLE].reset_index(drop=True)


TABLE = ["country", "carrier", "n", "confirmed", "low", "high", "receipts", "p95_s", "conversion",
         "cost", "spark"]  # fmt: skip


def receipts(row: "pd.Series[Any]") -> str:
    """How far receipts can be trusted: "handset", "partial", "none", or "suspicious" where they
    claim what hardly anybody confirms by entering the code."""
    sent = int(row["sent"])
    if sent < ENOUGH:
        return "too few"
    covered = (int(row["delivered"]) + int(row["undelivered"])) / sent
    if covered < 0.2:
        return "none"
    delivered = int(row["delivered"])
    if delivered >= 30 and Rate(int(row["verified"]), delivered).high < 0.5:
        return "suspicious"
    return "handset" if covered >= COVERED else "partial"


def issues(frame: pd.DataFrame, baseline: Rate) -> pd.DataFrame:
    """Where verifications are lost, the most first: `country`, `carrier`, `n`, `conversion` (%) and
    `lost`, how many more would have succeeded at the rate of all: n * (baseline - observed). Only
    where the whole interval lies below the baseline."""
    if frame.empty or not baseline.is_enough:
        return pd.DataFrame(columns=["country", "carrier", "n", "conversion", "lost"])
    made = frame.reset_index()
    has_carriers = set(made.loc[made["carrier"] != "", "country"])
    made = made[(made["carrier"] != "") | ~made["country"].isin(has_carriers)]
    _, high = wilsons(made["converted"], made["started"])
    lost = made["started"] * baseline.value - made["converted"]
    found = pd.DataFrame(
        {
            "country": made["country"],
            "carrier": made["carrier"],
            "n": made["started"],
            "conversion": 100 * made["converted"] / made["started"].where(made["started"] > 0),
            "lost": lost.round().astype(int),
        }
    )
    worse = (made["started"] >= ENOUGH).to_numpy() & (high < baseline.value)
    return found[worse & (found["lost"] > 0)].sort_values("lost", ascending=False).head(5)


@dataclass(frozen=True, slots=True)
class Fallback:
    """What a second way brought: `rate` verified of those tried."""

    resends: int
    fallbacks: int
    rescued: Rate
    started: int


def fallback(totals: "pd.Series[int]") -> Fallback:
    return Fallback(
        int(totals["resends"]),
        int(totals["fallbacks"]),
        Rate(int(totals["rescued"]), int(totals["fallbacks"])),
        int(totals["started"]),
    )


def cost_table(frame: pd.DataFrame) -> pd.DataFrame:
    """By channel: `spent`, `wasted` (US dollars), `per_verified`, `priced` (% of attempts)."""
    per = frame["cost_micros"] / 1e6
    return pd.DataFrame(
        {
            "channel": [CHANNELS.get(str(name), str(name)) for name in frame.index],
            "spent": per.to_numpy(),
            "wasted": (per - frame["cost_verified_micros"] / 1e6).to_numpy(),
            "per_verified": (per / frame["verified"].where(frame["verified"] > 0)).to_numpy(),
            "priced": (100 * frame["priced"] / frame["requested"]).to_numpy(),
        }
    )


def cost_per_verified(totals: "pd.Series[int] | None") -> float | None:
    """US dollars; None where nothing is priced or nobody verified."""
    if totals is None or not totals["priced"] or not totals["converted"]:
        return None
    return float(totals["cost_micros"]) / 1e6 / float(totals["converted"])


def alert_words(alert: AlertStatus) -> str:
    """What an alert saw: "confirmed 71.2 % of 412 in the last hour, where 94.0 % is usual."."""
    if alert.observed is None or alert.baseline is None:
        return f"{alert.n:,} attempts in the last hour, too few to compare."
    if alert.measure is Measure.TRAFFIC:
        return (
            f"{alert.n:,} attempts in the last hour, where {alert.baseline:,.0f} are usual; "
            f"{alert.verified:,} of them verified."
        )
    name = str(alert.measure).replace("_", " ")
    return (
        f"{name} {100 * alert.observed:.1f} % of {alert.n:,} in the last hour, where "
        f"{100 * alert.baseline:.1f} % is usual."
    )


def through(moment: datetime | None, lag: timedelta | None, zone: Any) -> str:
    """ "Data through 12:04:30, lag 8 s"."""
    if moment is None or lag is None:
        return "No data yet"
    local = moment.astimezone(zone)
    shown = f"{local:%H:%M:%S}" if lag < timedelta(days=1) else f"{local:%d %b %H:%M}"
    return f"Data through {shown}, lag {span(lag)}"


def span(length: timedelta) -> str:
    """ "8 s", "12 min", "5 h", "3 days"."""
    s = max(0, int(length.total_seconds()))
    if s < 120:
        return f"{s} s"
    if s < 7200:
        return f"{s // 60} min"
    return f"{s // 3600} h" if s < 172_800 else f"{s // 86_400} days"


def seconds(ms: float) -> str:
    """ "1.8 s"; "2.5 min" from a minute on."""
    return f"{ms / 1000:.1f} s" if ms < 60_000 else f"{ms / 60_000:.1f} min"


def dollars(amount: float) -> str:
    """ "$0.0213" below ten cents, "$1.25" above."""
    return f"${amount:.4f}" if abs(amount) < 0.1 else f"${amount:,.2f}"

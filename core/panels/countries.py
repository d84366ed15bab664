"""Countries and carriers: how delivery stands in each, and where verifications are lost.

Input are frames of `Queries.by_country`. Shares are in %, times in seconds, money in US dollars;
nan where there are too few attempts.
"""

from math import isnan, nan

import numpy as np
import pandas as pd

from core.figures.rates import ENOUGH, Rate, wilsons
from core.model.regions import country_of
from core.panels.percent import percent_of
from core.wording.formats import carrier_name, interval

#: Below this share of messages with a receipt, a rate by receipts is not shown.
COVERED = 0.8
COUNTRIES = ["place", "country", "carrier", "n", "confirmed", "low", "high", "bounds", "receipts",
             "p95_s", "conversion", "cost", "spark"]  # fmt: skip
ISSUES = ["place", "country", "carrier", "n", "conversion", "lost"]
_MOST_ISSUES = 5


def country_table(frame: pd.DataFrame) -> pd.DataFrame:
    """COUNTRIES: each country with its carriers below it, the lowest lower bound first. `place` is
    the displayed name; `carrier` is "" for a whole country and "?" for an unknown carrier; `n`,
    `confirmed` (%), `low`, `high` (%, 95 %) and both as `bounds`; `receipts` (a word), `p95_s`,
    `conversion` (%), `cost` (per verified), `spark` (%)."""
    if frame.empty:
        return pd.DataFrame(columns=COUNTRIES)
    rows = frame.reset_index()
    low, high = wilsons(rows["confirmed"], rows["requested"])
    enough = (rows["requested"] >= ENOUGH).to_numpy()
    table = pd.DataFrame(
        {
            "place": [_place(*pair) for pair in frame.index],
            "country": rows["country"],
            "carrier": rows["carrier"],
            "n": rows["requested"],
            "confirmed": np.where(enough, percent_of(rows["confirmed"], rows["requested"]), nan),
            "low": np.where(enough, 100 * low, nan),
            "high": np.where(enough, 100 * high, nan),
            "bounds": [
                interval(a, b) if ok else "too few"
                for a, b, ok in zip(low, high, enough, strict=True)
            ],
            "receipts": _receipts(rows),
            "p95_s": rows["p95_ms"] / 1000,
            "conversion": percent_of(rows["converted"], rows["started"]),
            "cost": (rows["cost_micros"] / 1e6 / rows["converted"]).where(rows["converted"] > 0),
            "spark": [[round(100 * v, 2) for v in row if not isnan(v)] for row in rows["spark"]],
        }
    )
    country_low = table[table["carrier"] == ""].set_index("country")["low"]
    # Countries with too few attempts for a bound come last: 101 is above every percentage.
    table["_country"] = table["country"].map(country_low).fillna(101)
    table.loc[table["country"] == "", "_country"] = 102
    table["_is_carrier"] = table["carrier"] != ""
    ordered = table.sort_values(["_country", "country", "_is_carrier", "low"], kind="stable")
    return ordered[COUNTRIES].reset_index(drop=True)


def receipts(sent: int, delivered: int, undelivered: int, entered: int) -> str:
    """How far receipts can be trusted: "handset", "partial", "none", or "suspicious" where they
    report deliveries but few people enter the code."""
    if sent < ENOUGH:
        return "too few"
    covered = (delivered + undelivered) / sent
    if covered < 0.2:
        return "none"
    if delivered >= 30 and Rate(entered, delivered).high < 0.5:
        return "suspicious"
    return "handset" if covered >= COVERED else "partial"


def issues(frame: pd.DataFrame, baseline: Rate) -> pd.DataFrame:
    """ISSUES: where verifications are lost, the most first: `n` started, `conversion` (%) and
    `lost`, how many more would have succeeded at the baseline: n * (baseline - observed). Only
    places whose whole interval lies below the baseline."""
    if frame.empty or not baseline.is_enough:
        return pd.DataFrame(columns=ISSUES)
    rows = frame.reset_index()
    has_carriers = set(rows.loc[rows["carrier"] != "", "country"])
    rows = rows[(rows["carrier"] != "") | ~rows["country"].isin(has_carriers)]
    _, high = wilsons(rows["converted"], rows["started"])
    lost_verifications = rows["started"] * baseline.value - rows["converted"]
    pairs = list(zip(rows["country"], rows["carrier"], strict=True))
    table = pd.DataFrame(
        {
            "place": [
                ", ".join([country_of(c), *([carrier_name(k)] if k else [])]) for c, k in pairs
            ],
            "country": rows["country"],
            "carrier": rows["carrier"],
            "n": rows["started"],
            "conversion": percent_of(rows["converted"], rows["started"]),
            "lost": lost_verifications.round().astype(int),
        }
    )
    is_below = (rows["started"] >= ENOUGH).to_numpy() & (high < baseline.value)
    losing = table[is_below & (table["lost"] > 0)].sort_values("lost", ascending=False)
    return losing.head(_MOST_ISSUES).reset_index(drop=True)


def _place(country: str, carrier: str) -> str:
    """A carrier is indented below its country. Without both: the rest of `places`."""
    if not country:
        return "Others"
    return f"\N{EM SPACE}{carrier_name(carrier)}" if carrier else country_of(country)


def _receipts(rows: pd.DataFrame) -> list[str]:
    entered = rows["verified"] + rows["unattributed"]
    columns = (rows["sent"], rows["delivered"], rows["undelivered"], entered)
    return [receipts(*(int(n) for n in row)) for row in zip(*columns, strict=True)]

"""Countries and carriers: how delivery stands in each.

Input are frames of `Queries.by_country`. Shares are in %, times in seconds, money in US dollars;
nan where there are too few attempts.
"""

from math import isnan, nan
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from core.figures.costs import costs_per_verified
from core.figures.rates import ENOUGH, wilsons
from core.figures.receipts import ReceiptHealth
from core.model.regions import country_of
from core.panels.percent import enough_percent_of
from core.wording.findings import receipt_words
from core.wording.formats import carrier_name, interval

_UTC = ZoneInfo("UTC")
COUNTRIES = ["place", "country", "carrier", "n", "confirmed", "low", "high", "bounds", "receipts",
             "p95_s", "conversion", "cost", "priced", "spark"]  # fmt: skip


def country_table(frame: pd.DataFrame, zone: ZoneInfo = _UTC) -> pd.DataFrame:
    """COUNTRIES: each country with its carriers below it, the lowest lower bound first. `place` is
    the displayed name; `carrier` is "" for a whole country; `n`, `confirmed` (%), `low`, `high` (%,
    95 %) and both as `bounds`; `receipts` (their health, with times in the zone), `p95_s`,
    `conversion` (%), `cost` (per verified attempt), `priced` (%), `spark` (%)."""
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
            "confirmed": enough_percent_of(rows["confirmed"], rows["requested"]),
            "low": np.where(enough, 100 * low, nan),
            "high": np.where(enough, 100 * high, nan),
            "bounds": [
                interval(a, b) if ok else "too few"
                for a, b, ok in zip(low, high, enough, strict=True)
            ],
            "receipts": _receipts(rows, zone),
            "p95_s": rows["p95_ms"] / 1000,
            "conversion": enough_percent_of(rows["converted"], rows["started"]),
            "cost": costs_per_verified(rows),
            "priced": enough_percent_of(rows["priced"], rows["requested"]),
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


def _place(country: str, carrier: str) -> str:
    """A carrier is indented below its country. Without both: the rest of `places`."""
    if not country:
        return "Others"
    return f"\N{EM SPACE}{carrier_name(carrier)}" if carrier else country_of(country)


def _receipts(rows: pd.DataFrame, zone: ZoneInfo) -> list[str]:
    return [
        receipt_words(ReceiptHealth(health), None if pd.isna(since) else since, zone)
        if health
        else ""
        for health, since in zip(rows["receipts"], rows["silent_since"], strict=True)
    ]

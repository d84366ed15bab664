"""The tables of the panels as plain pandas computes them: by the key of a row, its cells."""

from math import isnan, nan
from typing import Any

import pandas as pd

from tests.oracle import expected as truth

ENOUGH = 10
CHANNELS = {"sms": "SMS", "voice": "Call", "phlo": "PHLO"}
LEGS = ("app", "queue", "carrier", "person")
Cells = dict[str, Any]


def percent(k: float, n: float, least: int = ENOUGH) -> float:
    return 100 * k / n if n >= least else nan


Sums = dict[str, dict[str, int]]


def by_channel(rows: pd.DataFrame) -> Sums:
    """The input of the tables by channel."""
    return truth.by_channel(rows).to_dict("index")  # type: ignore[return-value]


def funnel(ripe: Sums) -> dict[str, Cells]:
    cells = {}
    for channel, sums in ripe.items():
        if not sums["requested"]:
            continue
        counts = {name: sums[name] for name in ("requested", "sent", "delivered", "verified")}
        shares = {f"{name}_share": percent(n, sums["requested"], 1) for name, n in counts.items()}
        cells[channel] = counts | shares | {"name": CHANNELS[channel]}
    return cells


def rescue(ripe: Sums) -> dict[str, Cells]:
    return {
        CHANNELS[channel]: {name: sums[name] for name in ("resends", "fallbacks", "rescued")}
        | _interval("rate", sums["rescued"], sums["fallbacks"])
        for channel, sums in ripe.items()
    }


def cost(every: Sums, ripe: Sums) -> dict[str, Cells]:
    """`ripe`: those whose code cannot be entered any more, so that it may be waste."""
    cells = {}
    for channel, sums in every.items():
        could = ripe.get(channel, dict.fromkeys(truth.COUNTS, 0))
        spent = sums["cost_micros"] / 1e6 if sums["priced"] else nan
        useful = could["cost_verified_micros"] + could["cost_unattributed_micros"]
        wasted = (could["cost_micros"] - useful) / 1e6 if sums["priced"] else nan
        share = nan
        if could["priced"] >= ENOUGH and could["cost_micros"] and not isnan(wasted):
            share = 100 * wasted * 1e6 / could["cost_micros"]
        cells[CHANNELS[channel]] = {
            "spent": spent,
            "wasted": wasted,
            "share": share,
            "per_verified": per_verified(sums, verified_there(sums)),
            "priced": percent(sums["priced"], sums["requested"]),
        }
    return cells


def verified_there(sums: Cells) -> int:
    """The successes of a place: those that no single attempt can have are its first attempt's."""
    return int(sums["verified"] + sums["unattributed"])


def is_complete(sums: Cells) -> bool:
    """Whether enough prices are known to compare a cost."""
    return bool(sums["priced"] and sums["priced"] >= 0.95 * sums["requested"])


def per_verified(sums: Cells, verified: int) -> float:
    """US dollars; nan where no price is known: what cost nothing says nothing of the rest."""
    is_known = sums["cost_micros"] > 0 or is_complete(sums)
    return sums["cost_micros"] / 1e6 / verified if is_known and verified else nan


def countries(rows: pd.DataFrame) -> dict[tuple[str, str], Cells]:
    cells = {}
    every: dict[Any, Cells] = truth.by_country(rows).to_dict("index")  # type: ignore[assignment]
    for place, sums in every.items():
        cells[place] = {
            "n": sums["requested"],
            "conversion": percent(sums["converted"], sums["started"]),
            "cost": per_verified(sums, verified_there(sums)),
            "priced": percent(sums["priced"], sums["requested"]),
        } | _interval("confirmed", sums["confirmed"], sums["requested"])
    return cells


def legs(rows: pd.DataFrame) -> dict[str, Cells]:
    sums = truth.totals(rows)
    n = {leg: sums[f"n_{leg}"] for leg in LEGS}
    return {
        leg: {"n": n[leg], "mean_s": sums[f"{leg}_ms"] / 1000 / n[leg] if n[leg] else nan}
        for leg in LEGS
    }


def _interval(name: str, k: int, n: int) -> Cells:
    low, high = truth.wilson(k, n)
    enough = n >= ENOUGH
    return {
        name: percent(k, n),
        "low": 100 * low if enough else nan,
        "high": 100 * high if enough else nan,
    }

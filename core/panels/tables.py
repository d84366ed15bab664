"""Tables by channel, of the parts of the time, and of errors, from frames of `Queries`.

Shares are in %, between 0 and 100; times in seconds; money in US dollars; nan where there are too
few attempts.
"""

from dataclasses import dataclass
from datetime import timedelta
from math import nan

import numpy as np
import pandas as pd

from core.figures.rates import ENOUGH, Rate, wilsons
from core.panels.percent import percent_of
from core.wording.formats import CHANNELS, channel_name, counted, interval, percent
from core.wording.operator_errors import operator_error

#: A message's price is final after a day.
PRICES_SETTLE = timedelta(days=1)
#: The steps of an attempt, from the request to the right code.
FUNNEL = ("requested", "sent", "delivered", "verified")
#: The parts of the time from the request to the right code, in order.
LEGS = {"app": "App to Plivo", "queue": "Plivo's queue", "carrier": "Carrier", "person": "Person"}


def funnel_table(frame: pd.DataFrame) -> pd.DataFrame:
    """By channel, for channels with attempts: `channel` and its `name`, the FUNNEL's counts,
    `<count>_share` of those requested, `<count>_step`, the share of the count before, and
    `without_receipt`, the verified attempts that no receipt reported as delivered."""
    used = _in_order(frame[frame["requested"] > 0])
    table = used[list(FUNNEL)].rename_axis("channel").reset_index()
    table.insert(1, "name", [channel_name(channel) for channel in table["channel"]])
    for before, name in zip(("requested", *FUNNEL), FUNNEL, strict=False):
        table[f"{name}_share"] = percent_of(table[name], table["requested"])
        table[f"{name}_step"] = percent_of(table[name], table[before])
    table["without_receipt"] = (used["confirmed"] - used["delivered"]).to_numpy()
    return table


def widening_words(table: pd.DataFrame) -> str:
    """Why the funnel of some channels widens at its end; "" where it does not. From
    `funnel_table`."""
    wider = table[table["verified"] > table["delivered"]]
    if wider.empty:
        return ""
    places = " and ".join(
        f"{row.without_receipt:,} of {row.verified:,} ({row.name})"
        for row in wider[["name", "without_receipt", "verified"]].itertuples(index=False)
    )
    return (
        f"Verified without a receipt: {places}. The codes arrived, since they were entered; the "
        "carrier reported no delivery, so *delivered* counts too few there."
    )


def rescue_table(frame: pd.DataFrame) -> pd.DataFrame:
    """By channel: `channel`, `resends` (the same way again), `fallbacks` (this way in place of
    another), `rescued` of these, their `rate` with `low` and `high`."""
    frame = _in_order(frame)
    low, high = wilsons(frame["rescued"], frame["fallbacks"])
    enough = (frame["fallbacks"] >= ENOUGH).to_numpy()
    return pd.DataFrame(
        {
            "channel": [channel_name(str(channel)) for channel in frame.index],
            "resends": frame["resends"].to_numpy(),
            "fallbacks": frame["fallbacks"].to_numpy(),
            "rescued": frame["rescued"].to_numpy(),
            "rate": np.where(enough, percent_of(frame["rescued"], frame["fallbacks"]), nan),
            "low": np.where(enough, 100 * low, nan),
            "high": np.where(enough, 100 * high, nan),
        }
    )


@dataclass(frozen=True, slots=True)
class Fallback:
    """Sends after the first of a verification; `rescued`: verified, of those sent another way.
    `unattributed`: verifications whose code several attempts can have brought."""

    resends: int
    fallbacks: int
    rescued: Rate
    started: int
    unattributed: int

    @property
    def words(self) -> str:
        """In two or three sentences."""
        return f"{self._words} {unattributed_words(self.unattributed)}".rstrip()

    @property
    def _words(self) -> str:
        counts = (
            f"Of {counted(self.started, 'verification')}, {counted(self.resends, 'code')} went out "
            f"again the same way and {self.fallbacks:,} another way."
        )
        if not self.rescued.is_enough:
            return f"{counts} Too few went another way for a rate."
        return (
            f"{counts} {self.rescued.k:,} of these {self.rescued.n:,} brought the right code: "
            f"{percent(self.rescued.value)} ({interval(self.rescued.low, self.rescued.high)})."
        )


def fallback(totals: "pd.Series[int]") -> Fallback:
    return Fallback(
        int(totals["resends"]),
        int(totals["fallbacks"]),
        Rate(int(totals["rescued"]), int(totals["fallbacks"])),
        int(totals["started"]),
        int(totals["unattributed"]),
    )


def unattributed_words(count: int) -> str:
    """A sentence about verifications whose code several attempts can have brought."""
    if not count:
        return ""
    are, them = ("is", "it") if count == 1 else ("are", "them")
    return (
        f"{counted(count, 'right code')} {are} not counted for an attempt, because more than one "
        f"can have brought {them}."
    )


def legs_table(totals: "pd.Series[int]") -> pd.DataFrame:
    """The time by part: `leg`, its `name`, `n` attempts that had it, `mean_s`, and `from_s`, the
    sum of the parts before it. Means, because they add up and medians do not."""
    n = [int(totals[f"n_{leg}"]) for leg in LEGS]
    sums = [int(totals[f"{leg}_ms"]) / 1000 for leg in LEGS]
    means = [total / k if k else 0.0 for total, k in zip(sums, n, strict=True)]
    return pd.DataFrame(
        {
            "leg": list(LEGS),
            "name": list(LEGS.values()),
            "n": n,
            "mean_s": means,
            "from_s": [sum(means[:place]) for place in range(len(means))],
        }
    )


def error_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The errors, the most frequent first: `channel`, `code`, `label` ("SMS 30"), its `name`
    ("Refused as spam"), `count`, `previous`, what it means, and what the operator can do:
    `meaning`, `advice`."""
    rows = frame.reset_index()
    pairs = list(zip(rows["channel"], rows["code"], strict=True))
    errors = [operator_error(channel, code) for channel, code in pairs]
    return pd.DataFrame(
        {
            "channel": rows["channel"],
            "code": rows["code"],
            "label": [
                f"{channel_name(channel)}\N{NO-BREAK SPACE}{code}" for channel, code in pairs
            ],
            "name": [error.name for error in errors],
            "count": rows["count"],
            "previous": rows["previous"],
            "meaning": [error.meaning for error in errors],
            "advice": [error.advice for error in errors],
        }
    )


def cost_table(frame: pd.DataFrame) -> pd.DataFrame:
    """By channel: `channel`, `spent`, `wasted` (on attempts that certainly brought no code that was
    entered), its `share` of `spent` (%), `per_verified` attempt, and `priced`, the share of
    attempts with a price (%)."""
    frame = _in_order(frame)
    spent = frame["cost_micros"] / 1e6
    wasted = spent - (frame["cost_verified_micros"] + frame["cost_unattributed_micros"]) / 1e6
    return pd.DataFrame(
        {
            "channel": [channel_name(str(name)) for name in frame.index],
            "spent": spent.to_numpy(),
            "wasted": wasted.to_numpy(),
            "share": percent_of(wasted, spent),
            "per_verified": (spent / frame["verified"].where(frame["verified"] > 0)).to_numpy(),
            "priced": percent_of(frame["priced"], frame["requested"]),
        }
    )


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """The channels in the order in which the pages offer them."""
    return frame.loc[[channel for channel in CHANNELS if channel in frame.index]]

"""Tables by channel, of the parts of the time, and of errors, from frames of `Queries`.

Shares are in %, between 0 and 100; times in seconds; money in US dollars; nan where there are too
few attempts.
"""

from dataclasses import dataclass
from datetime import timedelta
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.figures.costs import costs_per_verified
from core.figures.rates import ENOUGH, Rate, wilsons
from core.model.series import OTHERS
from core.panels.percent import enough_percent_of, percent_of, share_words
from core.wording.formats import (
    CHANNELS,
    NO_VALUE,
    channel_name,
    counted,
    dollars,
    interval,
    percent,
)
from core.wording.operator_errors import operator_error

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

#: A message's price is final after a day.
PRICES_SETTLE = timedelta(days=1)
#: The steps of an attempt, from the request to the right code.
FUNNEL = ("requested", "sent", "delivered", "verified")
#: The parts of the time from the request to the right code, in order.
_LEG_NAMES = {
    "app": "App to Plivo",
    "queue": "Plivo's queue",
    "carrier": "Carrier",
    "person": "Person",
}


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
            "rate": enough_percent_of(frame["rescued"], frame["fallbacks"]),
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
        # The codes that several attempts can have brought may be theirs, too.
        at_least = "At least " if self.unattributed else ""
        return (
            f"{counts} {at_least}{self.rescued.k:,} of these {self.rescued.n:,} brought the right "
            f"code: {percent(self.rescued.value)} "
            f"({interval(self.rescued.low, self.rescued.high)})."
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
    sum of the parts before it. Means, because they add up and medians do not. `mean_s` is nan for a
    part that no attempt has had."""
    n = [int(totals[f"n_{leg}"]) for leg in _LEG_NAMES]
    sums = [int(totals[f"{leg}_ms"]) / 1000 for leg in _LEG_NAMES]
    means = [total / k if k else nan for total, k in zip(sums, n, strict=True)]
    return pd.DataFrame(
        {
            "leg": list(_LEG_NAMES),
            "name": list(_LEG_NAMES.values()),
            "n": n,
            "mean_s": means,
            "from_s": [np.nansum(means[:place]) for place in range(len(means))],
        }
    )


def error_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The errors, the most frequent first: `channel`, `code`, `label` ("SMS 30"), its `name`
    ("Refused as spam"), `count`, `previous` if that is compared, what it means, and what the
    operator can do: `meaning`, `advice`; and `country` and `carrier`, "" for all."""
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
            **{name: rows[name] for name in ("count", "previous") if name in rows},
            "meaning": [error.meaning for error in errors],
            "advice": [error.advice for error in errors],
            **{name: rows[name] for name in ("country", "carrier") if name in rows},
        }
    )


def top_errors(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """The most frequent errors of `error_table`, at most `most` rows: the last one is the sum of
    the others, where there are more."""
    if len(table) <= most:
        return table
    top, others = table.head(most - 1), table.iloc[most - 1 :]
    sums = {name: others[name].sum() for name in ("count", "previous") if name in others}
    row = table.head(1).assign(
        channel="", code=OTHERS, label=counted(len(others), "code"), name="All others", **sums,
        meaning="The errors that are less frequent.", advice="The CSV has each of them.",
    )  # fmt: skip
    return pd.concat([top, row], ignore_index=True)


def without_report(totals: "pd.Series[int]") -> int:
    """How many attempts have no final report."""
    return int(totals["pending"] + totals["unreported"])


def no_errors(totals: "pd.Series[int]") -> str:
    """A sentence for a range without a known error: attempts without a final report may have
    failed."""
    unknown = without_report(totals)
    if not unknown:
        return "No attempt of this range ended with an error."
    return (
        "No error is known in this range, but "
        f"{counted(unknown, 'attempt')} of {int(totals['requested']):,} have no final report."
    )


def cost_table(frame: pd.DataFrame, expired: pd.DataFrame | None = None) -> pd.DataFrame:
    """By channel: `channel`, `spent`, `wasted` (`costs`), its `share` of what those attempts cost
    (%), `per_verified` attempt, `priced`, the share of attempts whose price is known (%), and their
    counts `n_priced` and `n`. nan where no price is known, or a share has too few attempts.

    `expired`: the same frame of the attempts that can be waste, the ripe ones; by default all.
    """
    frame = _in_order(frame)
    old = frame if expired is None else expired.reindex(frame.index, fill_value=0)
    spent = (frame["cost_micros"] / 1e6).where(frame["priced"] > 0)
    could_waste = (old["cost_micros"] / 1e6).where(frame["priced"] > 0)
    wasted = could_waste - (old["cost_verified_micros"] + old["cost_unattributed_micros"]) / 1e6
    return pd.DataFrame(
        {
            "channel": [channel_name(str(name)) for name in frame.index],
            "spent": spent.to_numpy(),
            "wasted": wasted.to_numpy(),
            "share": np.where(old["priced"] >= ENOUGH, percent_of(wasted, could_waste), nan),
            "per_verified": costs_per_verified(frame).to_numpy(),
            "priced": enough_percent_of(frame["priced"], frame["requested"]),
            "n_priced": frame["priced"].to_numpy(),
            "n": frame["requested"].to_numpy(),
        }
    )


def cost_words(table: pd.DataFrame) -> "Styler":
    """The table of costs with its values in words, for the page."""
    money: dict[Any, Any] = dict.fromkeys(["spent", "wasted", "per_verified"], dollars)
    words = table.style.format(money | {"share": "{:.0f} %"}, na_rep=NO_VALUE)
    for row in table.index:
        priced = share_words(Rate(int(table["n_priced"][row]), int(table["n"][row])))
        # Also in place of nan, which stands for too few for a percentage.
        words = words.format(priced, subset=([row], ["priced"]))
    return words


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """The channels in the order in which the pages offer them."""
    return frame.loc[[channel for channel in CHANNELS if channel in frame.index]]

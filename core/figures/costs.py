"""What attempts have cost, from their sums by QUERY_COLUMNS.

Plivo names a price some time after the send, so the cost of a range is known for a part of its
attempts only, the *priced* ones. The others can only add to it.

Cost per verified is what all attempts have cost, also those that failed, by the verifications that
succeeded. A verification counts where its first attempt was, so at a place (under a filter, or in a
row of a table) the attempts that were verified there count instead: else a call that follows a
message would have a cost and no success. A success that no single attempt can be credited with
(`unattributed`) counts at the first one.

*Waste* is what attempts have cost that certainly brought no code that was entered. A code that is
still valid may be entered yet, so only attempts older than its life can be waste: those that are
ripe (`ripeness`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.figures.differences import means_differ
from core.figures.rates import Rate

#: From this share of priced attempts on, a cost is complete enough to be compared.
COMPARABLE = 0.95


@dataclass(frozen=True, slots=True)
class Cost:
    """What the attempts of a range cost. `priced`: those with a price, of all of them; `verified`:
    the successes that the cost is divided by."""

    micros: int
    priced: Rate
    verified: int

    @property
    def is_known(self) -> bool:
        """Whether a price is known. An attempt that ended before it cost anything has the price 0,
        which says nothing about the others."""
        return self.micros > 0 or self.is_comparable

    @property
    def per_verified(self) -> float | None:
        """US dollars; None without a price or a success. Too low while not all are priced."""
        if not self.is_known or not self.verified:
            return None
        return self.micros / 1e6 / self.verified

    @property
    def is_comparable(self) -> bool:
        return self.priced.k > 0 and self.priced.k >= COMPARABLE * self.priced.n


def cost_of(totals: Any, *, at_place: bool) -> Cost:
    """The cost of one row of sums. `at_place`: of one channel, country or carrier only."""
    return Cost(
        micros=int(totals["cost_micros"]),
        priced=Rate(int(totals["priced"]), int(totals["requested"])),
        verified=int(verified_at_place(totals) if at_place else totals["converted"]),
    )


def costs_per_verified(rows: pd.DataFrame) -> "pd.Series[float]":
    """`Cost.per_verified` of each row, of one place each; nan for None."""
    verified = verified_at_place(rows)
    is_comparable = (rows["priced"] > 0) & (rows["priced"] >= COMPARABLE * rows["requested"])
    cost: pd.Series[float] = rows["cost_micros"] / 1e6 / verified.where(verified > 0)
    return cost.where((rows["cost_micros"] > 0) | is_comparable)


def verified_at_place(figures: Any) -> Any:
    """The successes at a place: of a row, or a column of a frame."""
    return figures["verified"] + figures["unattributed"]


def costs_differ(now: Cost, before: Cost, history: Sequence[Cost], spans: float) -> bool | None:
    """Whether two costs per verified differ by more than the usual variation between earlier
    windows (`differences.means_differ`); None where they cannot be compared."""
    if not (now.is_comparable and before.is_comparable):
        return None
    if now.per_verified is None or before.per_verified is None:
        return None
    windows = [
        (cost.per_verified, cost.verified)
        for cost in history
        if cost.per_verified is not None and cost.is_comparable
    ]
    return means_differ(
        (now.per_verified, now.verified), (before.per_verified, before.verified), windows, spans
    )

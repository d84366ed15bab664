"""What attempts have cost, from their sums by QUERY_COLUMNS.

Plivo names a price some time after the send, so the cost of a range is known for a part of its
attempts only, the *priced* ones. The others can only add to it.

Cost per verified is what all attempts have cost, also those that failed, by the verifications that
succeeded. A verification counts where its first attempt was, so at a place (under a filter, or in a
row of a table) the attempts that were verified there count instead: else a call that follows a
message would have a cost and no success. A success that no single attempt can be credited with
(`unattributed`) counts at the first one.

*Waste* is what attempts have cost whose code was not entered. A code that is still valid may be
entered yet, so only attempts older than its life can be waste (`expired`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from typing import Any

import numpy as np

from core.figures.layout import Tier
from core.figures.ranges import Range
from core.figures.rates import Rate
from core.model.clock import from_ms, to_ms

#: From this share of priced attempts on, a cost is complete enough to be compared.
COMPARABLE = 0.95
#: The normal deviate of a two-sided interval of 99.9 %.
_Z999 = 3.29


@dataclass(frozen=True, slots=True)
class Cost:
    """What the attempts of a range cost. `priced`: those with a price, of all of them; `verified`:
    the successes that the cost is divided by."""

    micros: int
    priced: Rate
    verified: int

    @property
    def per_verified(self) -> float | None:
        """US dollars; None without a price or a success. Too low while not all are priced."""
        if not self.priced.k or not self.verified:
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


def verified_at_place(figures: Any) -> Any:
    """The successes at a place: of a row, or a column of a frame."""
    return figures["verified"]


def costs_differ(now: Cost, before: Cost, micros: Any, verified: Any) -> bool:
    """Whether two costs per verified can be compared, and differ by more than chance.

    `micros` and `verified`: the costs and successes of `now` by step. The mix of countries and the
    failures vary from step to step, and the cost with them: that gives the variance of a ratio
    estimator (linearized), which is taken for that of `before` too.
    """
    cost, cost_before = now.per_verified, before.per_verified
    n = len(micros)
    if not (now.is_comparable and before.is_comparable) or n < 2:
        return False
    if cost is None or cost_before is None:
        return False
    residuals = np.asarray(micros) / 1e6 - cost * np.asarray(verified)
    per_success = float((residuals**2).sum()) / now.verified
    spread = sqrt(per_success * (1 / now.verified + 1 / before.verified))
    # Wider for few steps, a little more than Student's t.
    return abs(cost - cost_before) > _Z999 * (1 + 9 / (n - 1)) * spread


def expired(period: Range, now: datetime, code_life: timedelta) -> Range:
    """The part of a range whose codes are no longer valid, to the minute; empty if all are."""
    edge_ms = to_ms(now - code_life) // Tier.MINUTE.slot_ms * Tier.MINUTE.slot_ms
    end = min(period.end, max(period.start, from_ms(edge_ms)))
    return Range(period.start, end)

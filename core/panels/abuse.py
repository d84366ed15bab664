"""Signs of abuse: places that grow while conversion falls, and the sends that budgets refused.

Pumping (fraudsters earn a share of the price of messages that they trigger) raises the number of
verifications and lowers conversion in one place; a campaign or bad carrier does only one of these.
"""

from collections.abc import Mapping
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from core.figures.rates import Rate, chance_of_fall
from core.findings.statistics import discovery_limit
from core.findings.verdict import FALSE_POSITIVE_RATE
from core.model.regions import country_of
from core.wording.budgets import BUDGETS
from core.wording.formats import carrier_name

#: Growth counts from 1.5 times the number before and 20 more on: less is normal daily variation.
GROWTH_FACTOR, GROWTH_MINIMUM = 1.5, 20
SUSPECTS = ["place", "country", "carrier", "n", "before", "conversion", "conversion_before"]


def suspects(now: pd.DataFrame, before: pd.DataFrame | None) -> pd.DataFrame:
    """SUSPECTS, the largest growth first: countries and carriers (frames of `Queries.by_country`)
    where the verifications started grew from `before` to `n` by both limits, and the `conversion`
    (%) fell by more than chance, for so many places. A new place is compared with all places
    before. Empty without a period to compare with."""
    if before is None or now.empty:
        return pd.DataFrame(columns=SUSPECTS)
    wholes = before[before.index.get_level_values("carrier") == ""]
    elsewhere = Rate(int(wholes["converted"].sum()), int(wholes["started"].sum()))
    rows: list[tuple[Any, ...]] = []
    chances: list[float] = []
    rows_before = {place: row for place, row in before.iterrows()}
    for place, row in now.iterrows():
        country, carrier = str(place[0]), str(place[1])  # type: ignore[index]
        rate, old = _conversion(row), _conversion(rows_before.get(place))
        if rate.n < max(GROWTH_FACTOR * old.n, old.n + GROWTH_MINIMUM):
            continue
        name = country_of(country) + (f", {carrier_name(carrier)}" if carrier else "")
        old_percent = 100 * old.value if old.is_enough else nan
        rows.append((name, country, carrier, rate.n, old.n, 100 * rate.value, old_percent))
        chances.append(chance_of_fall(rate, old if old.n else elsewhere))
    limit = discovery_limit(np.array(chances), FALSE_POSITIVE_RATE)
    suspected = [row for row, chance in zip(rows, chances, strict=True) if chance <= limit]
    suspected.sort(key=lambda row: row[4] - row[3])
    return pd.DataFrame(suspected, columns=SUSPECTS)


def _conversion(row: "pd.Series[Any] | None") -> Rate:
    return Rate(0, 0) if row is None else Rate(int(row["converted"]), int(row["started"]))


def refused_table(counters: Mapping[str, int]) -> pd.DataFrame:
    """`budget` (in words) and `refused`, the number of refused sends, the most first. From the
    ledger's counters of a day."""
    rows = [
        (words, counters.get(f"refused_{name}", 0))
        for name, words in BUDGETS.items()
        if counters.get(f"refused_{name}", 0)
    ]
    table = pd.DataFrame(rows, columns=["budget", "refused"])
    return table.sort_values("refused", ascending=False, kind="stable").reset_index(drop=True)

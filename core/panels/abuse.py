"""What speaks of abuse: places that grow while fewer people enter their code, and what the budgets
refused.

Pumping (somebody is paid for the messages he makes others send) shows as more verifications and a
lower conversion in one place; a campaign or a bad carrier shows as one of the two alone.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.figures.rates import Rate
from core.verification.number.parse import country_of
from core.wording.formats import carrier_name

#: Half as many again as before, and at least so many more: less is the rise and fall of any day.
GROWN, MORE = 1.5, 20
SUSPECTS = ["place", "country", "carrier", "n", "before", "conversion", "conversion_before"]
#: What each budget that refuses is for; the names are those of `core.verification.policy`.
BUDGETS = {
    "sends_per_10_minutes": "One number, too often in 10 minutes",
    "sends_per_day": "One number, too often in a day",
    "refused_sends_per_hour": "One number that Plivo keeps refusing",
    "failed_checks_per_hour": "One number, too many wrong codes from one address in an hour",
    "failed_checks_per_day": "One number, too many wrong codes in a day",
    "guesses_per_day": "One number, too many codes checked in a day",
    "sends_per_prefix": "Neighbouring numbers",
    "sends_per_address": "One client address",
    "sends_without_address": "Clients whose address is not known",
    "sends_per_country": "One country",
    "spend_per_day": "The spending limit of the day",
}


def suspects(now: pd.DataFrame, before: pd.DataFrame | None) -> pd.DataFrame:
    """SUSPECTS, the largest growth first: countries and carriers (frames of `Queries.by_country`)
    where `n` verifications were started, GROWN times those `before` and MORE, and where the
    `conversion` (%) fell by more than chance. Empty where there is nothing to compare with."""
    if before is None or now.empty:
        return pd.DataFrame(columns=SUSPECTS)
    rows = []
    was = {place: row for place, row in before.iterrows()}
    for place, row in now.iterrows():
        country, carrier = str(place[0]), str(place[1])  # type: ignore[index]
        rate, old = _conversion(row), _conversion(was.get(place))
        grew = rate.n >= max(GROWN * old.n, old.n + MORE)
        fell = old.n > 0 and rate.value < old.value and rate.differs_from(old)
        if grew and fell:
            name = country_of(country) + (f", {carrier_name(carrier)}" if carrier else "")
            rows.append((name, country, carrier, rate.n, old.n, 100 * rate.value, 100 * old.value))
    rows.sort(key=lambda row: row[4] - row[3])
    return pd.DataFrame(rows, columns=SUSPECTS)


def _conversion(row: "pd.Series[Any] | None") -> Rate:
    return Rate(0, 0) if row is None else Rate(int(row["converted"]), int(row["started"]))


def refused_table(counters: Mapping[str, int]) -> pd.DataFrame:
    """`budget` (in words) and `refused`, how many sends it refused; the most first. From the
    ledger's counters of a day."""
    rows = [
        (words, counters.get(f"refused_{name}", 0))
        for name, words in BUDGETS.items()
        if counters.get(f"refused_{name}", 0)
    ]
    table = pd.DataFrame(rows, columns=["budget", "refused"])
    return table.sort_values("refused", ascending=False, kind="stable").reset_index(drop=True)

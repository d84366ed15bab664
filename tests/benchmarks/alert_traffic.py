"""Simulated traffic for the benchmark of alerts: counts by slot of time, with incidents.

12 countries in zones of their own, three carriers each. An hour of the local day and a weekday have
the weights of the product's sample traffic; each day of each country differs by 15 %.

Of all attempts 97 % arrive, within seconds. A receipt comes within a minute, or late: 5 to 60
minutes after. 93 % of the codes that arrive are entered, 97 % of these within a minute. An attempt
in 2,000 is unclear. These shares are the same in every place and at any time.

Budgets refuse a number for every 300 attempts, and as many in groups of five within a minute, as
when an office shares an address.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from core.alerts.measures import ALERT_FIGURES
from core.alerts.sequential import Floats

_HOURS = np.array(
    [2, 1, 1, 1, 1, 2, 4, 7, 10, 12, 13, 13, 14, 13, 12, 12, 12, 13, 15, 16, 15, 11, 7, 4]
)
_WEEKDAYS = np.array([1.05, 1.08, 1.08, 1.06, 1.1, 0.85, 0.78])
ZONES = tuple(
    ZoneInfo(f"{name}")
    for name in (
        *("America/New_York", "Asia/Kolkata", "Europe/London", "Europe/Berlin"),
        *("America/Sao_Paulo", "Asia/Jakarta", "Europe/Madrid", "America/Los_Angeles"),
        *("Europe/Warsaw", "Australia/Sydney", "Asia/Tokyo", "America/Chicago"),
    )
)
COUNTRIES, CARRIERS = len(ZONES), 3
PLACES = COUNTRIES * CARRIERS
#: Rows: the carriers, the countries, the channel, and with pumping one more country and carrier.
NOISE = 0.15
REFUSED, OFFICE = 1 / 300, 5
ARRIVE, ENTER, ENTER_SOON, IN_TIME, UNCLEAR = 0.97, 0.93, 0.97, 0.995, 0.0005


@dataclass
class Change:
    """What an incident changes from a slot on, in some places. `carriers`: their rows."""

    carriers: slice = field(default_factory=lambda: slice(0, PLACES))
    arrives: float = 1.0  # part of the messages that still arrive
    in_time: float = 1.0  # part of the arrivals that are still within a minute
    receipts: float = 1.0  # part of the receipts that still come
    unclear: float = 0.0  # part of the sends that become unclear, and do not arrive
    price: float = 1.0


def shares_of(split: str) -> Floats:
    """The share of each carrier in the traffic."""
    if split == "even":
        return np.full(PLACES, 1.0 / PLACES)
    weights = 1.0 / np.arange(1, COUNTRIES + 1)
    whole = np.outer(weights / weights.sum(), [0.5, 0.3, 0.2]).ravel()
    return np.asarray(whole, dtype=float)


class Traffic:
    """Generates the figures of days: the rows are carriers, then countries, then the channel."""

    def __init__(
        self, chance: np.random.Generator, per_day: float, late: float, split: str = "even"
    ) -> None:
        self._chance = chance
        # Of its own, so that the other figures of a seed stay.
        self._refusing = chance.spawn(1)[0]
        self._late = late
        self._mean = per_day * shares_of(split)

    def day(
        self, midnight: datetime, slots: int, change: Change | None = None, since: int = 0
    ) -> tuple[Floats, Floats]:
        """Figures of the slots of a UTC day, (series, slots, figures): as they are a minute after
        each slot, and in the end. `change` holds from slot `since` on."""
        rates = self._rates(midnight, slots)
        requested = self._chance.poisson(rates)
        arrive = np.full(requested.shape, ARRIVE)
        in_time = np.full(requested.shape, (1.0 - self._late) * IN_TIME)
        enter_soon = np.full(requested.shape, ENTER * ENTER_SOON)
        unclear_part = np.full(requested.shape, UNCLEAR)
        price = np.full(requested.shape, 10_000.0)
        ever = np.ones(requested.shape)
        if change is not None:
            at = (change.carriers, slice(since, None))
            arrive[at] *= change.arrives * (1.0 - change.unclear)
            in_time[at] *= change.in_time * change.receipts
            enter_soon[at] *= change.in_time
            unclear_part[at] = np.maximum(unclear_part[at], change.unclear)
            ever[at] *= change.receipts
            price[at] *= change.price
        draw = self._chance.binomial
        unclear = draw(requested, unclear_part)
        arrived = draw(
            requested - unclear, np.minimum(arrive / np.maximum(1 - unclear_part, 1e-9), 1)
        )
        receipts = draw(arrived, in_time)
        both = draw(receipts, enter_soon)
        only_code = draw(arrived - receipts, enter_soon)
        late_enter = (ENTER - enter_soon) / (1.0 - enter_soon)
        both_later = draw(receipts - both, late_enter)
        code_later = draw(arrived - receipts - only_code, late_enter)
        verified_in_the_end = both + only_code + both_later + code_later
        receipts_later = draw(arrived - receipts, ever)
        final_delivered = receipts + receipts_later
        # A receipt that never comes leaves those confirmed that entered their code.
        waiting = arrived - receipts - only_code - code_later
        final_confirmed = receipts + only_code + code_later + np.minimum(receipts_later, waiting)
        common = {
            "requested": requested,
            "resends": np.zeros(requested.shape),
            "within_60": receipts,
            "unclear": unclear,
            "started": requested,
            "converted": verified_in_the_end,
            "priced": requested,
            "cost_micros": requested * price,
            "refused": self._refused(requested),
        }
        soon = common | {
            "confirmed": receipts + only_code,
            "delivered": receipts,
            "verified": both + only_code,
        }
        final = common | {
            "confirmed": final_confirmed,
            "delivered": final_delivered,
            "verified": verified_in_the_end,
            "unclear": np.zeros(requested.shape),  # the logs have settled them
        }
        return summed(soon), summed(final)

    def _refused(self, requested: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers that budgets refuse, (carriers, slots)."""
        draw = self._refusing.poisson
        return draw(requested * REFUSED) + OFFICE * draw(requested * REFUSED / OFFICE)

    def _rates(self, midnight: datetime, slots: int) -> Floats:
        """The mean of each carrier's slots."""
        step = timedelta(days=1) / slots
        rates = np.empty((COUNTRIES, slots))
        for row, zone in enumerate(ZONES):
            hours = [(midnight + timedelta(hours=n)).astimezone(zone) for n in range(24)]
            weights = np.array(
                [_HOURS[at.hour] / _HOURS.sum() * _WEEKDAYS[at.weekday()] for at in hours]
            )
            rates[row] = np.repeat(weights, slots // 24) * (step / timedelta(hours=1))
        noise = np.maximum(self._chance.normal(1.0, NOISE, COUNTRIES), 0.3)
        by_carrier = np.repeat(rates * noise[:, None], CARRIERS, axis=0)
        return np.asarray(by_carrier * self._mean[:, None], dtype=float)


def summed(by_name: dict[str, Floats]) -> Floats:
    """(series, slots, figures) of the carriers, the countries and the channel."""
    carriers = np.stack([by_name[name] for name in ALERT_FIGURES], axis=-1).astype(float)
    by_country = carriers.reshape(COUNTRIES, CARRIERS, *carriers.shape[1:]).sum(axis=1)
    return np.concatenate([carriers, by_country, by_country.sum(axis=0, keepdims=True)])


def midnight_of(day: int) -> datetime:
    """A day of the simulated year, which begins in January 2026; negative ones are before."""
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)

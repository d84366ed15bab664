"""Simulated counters for the tests of findings: days of the past, and a range in steps."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from core.figures.catalogue import COLUMNS
from core.findings.evidence import History, PlaceEvidence
from core.findings.places import TrafficPlaces
from core.model.clock import to_ms
from core.model.series import Series

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAYS, STEPS = 28, 24
_HOUR_MS = 3_600_000
Cells = NDArray[np.float64]


@dataclass
class Simulated:
    """The shares of each (series, cell); cells are the days of the past, then the steps. A test
    changes some before `evidence`."""

    names: list[Series]
    mean: Cells
    seed: int
    unclear: Cells = field(init=False)
    arrives: Cells = field(init=False)
    reported: Cells = field(init=False)
    in_time: Cells = field(init=False)
    enters: Cells = field(init=False)
    price: Cells = field(init=False)

    def __post_init__(self) -> None:
        shape = self.mean.shape
        self.unclear, self.arrives, self.reported, self.in_time, self.enters, self.price = (
            np.full(shape, usual) for usual in (0.0, 0.97, 1.0, 0.95, 0.85, 0.05)
        )

    def where(self, matches: Callable[[Series], bool]) -> NDArray[np.intp]:
        return np.flatnonzero([matches(name) for name in self.names])

    def counts(self) -> NDArray[np.int64]:
        rng = np.random.default_rng(self.seed)
        values = np.zeros((*self.mean.shape, len(COLUMNS)), dtype=np.int64)

        def put(name: str, cells: NDArray[np.int64]) -> NDArray[np.int64]:
            values[..., COLUMNS.index(name)] = cells
            return cells

        requested = put("requested", rng.poisson(self.mean))
        put("started", requested)
        unclear = put(UNCLEAR, rng.binomial(requested, self.unclear))
        accepted = put("accepted", requested - unclear)
        arrived = rng.binomial(accepted, self.arrives)
        delivered = put("delivered", rng.binomial(arrived, self.reported))
        put("undelivered", rng.binomial(accepted - arrived, self.reported))
        for name, part in (("within_60", 1.0), ("within_30", 0.98), ("within_10", 0.9)):
            put(name, rng.binomial(delivered, np.clip(self.in_time * part, 0, 1)))
        verified = put("verified", rng.binomial(arrived, self.enters))
        put("converted", verified)
        unseen = rng.hypergeometric(verified, arrived - verified, arrived - delivered)
        put("confirmed", delivered + unseen)
        put("n_person", verified - unseen)
        put("priced", accepted)
        put("units", accepted)
        cost = accepted * self.price * 1e6
        put("cost_micros", cost.astype(np.int64))
        share = np.divide(verified, accepted, out=np.zeros(self.mean.shape), where=accepted > 0)
        put("cost_verified_micros", (cost * share).astype(np.int64))
        return values

    def evidence(self) -> PlaceEvidence:
        values = self.counts()
        end = to_ms(NOW)
        edges = np.arange(end - STEPS * _HOUR_MS, end + 1, _HOUR_MS)
        last = edges[0] // (24 * _HOUR_MS) * 24 * _HOUR_MS
        starts = np.arange(last - DAYS * 24 * _HOUR_MS, last, 24 * _HOUR_MS)
        places = TrafficPlaces(self.names)
        history = History(places, values[:, :DAYS], starts, timedelta(days=1))
        return PlaceEvidence(places, edges, values[:, DAYS:], history)


UNCLEAR = "unclear"


def traffic(
    countries: int, carriers: int, per_day: float, seed: int, channels: tuple[str, ...] = ("sms",)
) -> Simulated:
    """Equal traffic of each carrier, with 15 % noise of its volume from day to day."""
    names = sorted(
        Series.of(channel, f"{chr(65 + n // 26)}{chr(65 + n % 26)}", f"Carrier {m}")
        for channel in channels
        for n in range(countries)
        for m in range(carriers)
    )
    rng = np.random.default_rng([seed, 1])
    noise = rng.normal(1, 0.15, (len(names), DAYS + 1)).clip(0.5, 1.5)
    mean = np.concatenate(
        [per_day * noise[:, :DAYS], np.repeat(per_day * noise[:, DAYS:] / STEPS, STEPS, axis=1)],
        axis=1,
    )
    return Simulated(names, mean, seed)

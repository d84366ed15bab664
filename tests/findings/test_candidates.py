"""Of very many carriers, the ones that are looked at include every small one with an incident."""

import numpy as np
import pytest

from core.figures.catalogue import COLUMNS
from core.figures.packing import Counts
from core.findings.candidates import choose

CARRIERS, MOST = 6000, 1000
SHARES = {
    "started": 0.95, "accepted": 1.0, "delivered": 0.93, "within_10": 0.8, "within_30": 0.9,
    "within_60": 0.92, "confirmed": 0.93, "converted": 0.8, "priced": 1.0, "units": 1.0,
}  # fmt: skip
#: A carrier with about twenty attempts a day, of which thousands are larger.
SMALL = 5000


def traffic(days: int, seed: int) -> Counts:
    """Calm traffic: (carriers, COLUMNS)."""
    rng = np.random.default_rng(seed)
    counts = np.zeros((CARRIERS, len(COLUMNS)), dtype=np.int64)
    requested = rng.poisson(days * (20 + 20_000 / np.arange(1, CARRIERS + 1)))
    counts[:, COLUMNS.index("requested")] = requested
    for name, share in SHARES.items():
        counts[:, COLUMNS.index(name)] = rng.binomial(requested, share)
    counts[:, COLUMNS.index("cost_micros")] = counts[:, COLUMNS.index("priced")] * 7700
    return counts


@pytest.mark.parametrize(
    ("factors", "column"),
    [
        ({"delivered": 0, "confirmed": 0, "converted": 0}, "converted"),
        ({"within_10": 0, "within_30": 0, "within_60": 0.1}, "within_10"),
        ({"requested": 6, "started": 6, "converted": 0}, "started"),
        ({"cost_micros": 3}, "cost_micros"),
        (dict.fromkeys(COLUMNS, 0), "requested"),
    ],
    ids=["dead", "slow", "pumped", "expensive", "gone"],
)
def test_a_small_carrier_with_an_incident_is_chosen(factors: dict[str, float], column: str) -> None:
    past, now = traffic(7, 1), traffic(1, 2)
    for name, factor in factors.items():
        place = COLUMNS.index(name)
        now[SMALL, place] = now[SMALL, place] * factor
    chosen = choose(past, now, 1 / 7, MOST)
    assert SMALL in chosen, (column, now[SMALL, COLUMNS.index(column)])
    assert SMALL not in choose(past, traffic(1, 2), 1 / 7, MOST)
    assert len(chosen) == MOST
    assert (np.diff(chosen) > 0).all()


def test_a_carrier_without_a_past_is_compared_with_the_others() -> None:
    past, now = traffic(7, 1), traffic(1, 2)
    past[SMALL] = 0
    now[SMALL, COLUMNS.index("converted")] = 0
    assert SMALL in choose(past, now, 1 / 7, MOST)
    assert len(choose(np.zeros_like(past), now, 1 / 7, MOST)) == MOST

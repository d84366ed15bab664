"""The health of receipts, from counts by part of a range."""

import numpy as np
import pytest

from core.figures.catalogue import COLUMNS
from core.figures.receipts import ReceiptHealth, receipts


def parts(**counts: list[int]) -> np.ndarray:
    """One place, by part: 100 accepted, delivered and entered after that, unless given."""
    usual = {"accepted": 100, "delivered": 97, "undelivered": 3, "verified": 80, "n_person": 80}
    values = np.zeros((1, 4, len(COLUMNS)), dtype=np.int64)
    for name, n in usual.items():
        values[0, :, COLUMNS.index(name)] = counts.get(name, [n] * 4)
    delivered, person = (values[0, :, COLUMNS.index(name)] for name in ("delivered", "verified"))
    values[0, :, COLUMNS.index("confirmed")] = counts.get(
        "confirmed", np.maximum(delivered, person)
    )
    return values


NONE = [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("counts", "health", "silent_from"),
    [
        ({}, ReceiptHealth.ARRIVING, -1),
        ({"accepted": [2, 0, 0, 2], "delivered": [2, 0, 0, 2]}, ReceiptHealth.TOO_FEW, -1),
        ({"delivered": [97, 97, 0, 0], "undelivered": [3, 3, 0, 0]}, ReceiptHealth.SILENT, 2),
        ({"delivered": NONE, "undelivered": NONE}, ReceiptHealth.UNTRUSTED, -1),
        ({"delivered": NONE, "undelivered": NONE, "verified": NONE}, ReceiptHealth.SILENT, -1),
        ({"delivered": [60] * 4, "undelivered": [40] * 4}, ReceiptHealth.UNTRUSTED, -1),
        ({"n_person": [10] * 4}, ReceiptHealth.LATE, -1),
        # A part without attempts, and one with so few that nothing follows.
        ({"accepted": [100, 100, 100, 5], "delivered": [97, 97, 97, 0],
          "undelivered": [3, 3, 3, 0], "verified": [80, 80, 80, 4]}, ReceiptHealth.ARRIVING, -1),
    ],
)  # fmt: skip
def test_receipts_arrive_or_are_late_silent_or_not_to_be_trusted(
    counts: dict[str, list[int]], health: ReceiptHealth, silent_from: int
) -> None:
    found = receipts(parts(**counts))
    assert (found.health, found.silent_from.tolist()) == ([health], [silent_from])


def test_a_range_of_the_last_minutes_says_nothing_of_receipts() -> None:
    """No receipt may be missing yet: just after midnight, so is all of today."""
    found = receipts(parts()[:, :0])
    assert (found.health, found.silent_from.tolist()) == ([ReceiptHealth.TOO_FEW], [-1])

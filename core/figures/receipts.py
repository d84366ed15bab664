"""The health of delivery receipts of a place: whether they come, in time, and for all codes.

Whether a receipt comes from the handset or from the carrier cannot be known. What can be known:

    arriving     none of the others
    late         most codes are entered before their receipt comes
    silent       none has come since a moment, though attempts were accepted; or none ever came, and
                 no code was entered either
    untrusted    codes are entered without a receipt, at least one of five
    too few      fewer than ENOUGH attempts were accepted
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from core.figures.catalogue import COLUMNS
from core.figures.packing import Counts
from core.figures.rates import ENOUGH

_LATE, _UNTRUSTED = 0.5, 0.2
#: Receipts have come before if at least this share had one; fewer than that never came.
_CAME, _NEVER = 0.5, 0.1


class ReceiptHealth(StrEnum):
    """What receipts are worth in a place."""

    ARRIVING = "arriving"
    LATE = "late"
    SILENT = "silent"
    UNTRUSTED = "untrusted"
    TOO_FEW = "too_few"


@dataclass(frozen=True, slots=True)
class Receipts:
    """The health of each place. `silent_from`: the first part of the range without a receipt, of
    SILENT places where there were some before; -1 of all others."""

    health: list[ReceiptHealth]
    silent_from: NDArray[np.intp]


def receipts(counts: Counts) -> Receipts:
    """The health by (places, parts, COLUMNS), of parts whose attempts could have a receipt."""
    accepted, reported = _column(counts, "accepted"), _reported(counts)
    has_report = reported > 0
    parts = counts.shape[1]
    # A range of the last minutes has no part.
    last = np.where(has_report, np.arange(parts), -1).max(axis=1, initial=-1)
    is_after = np.arange(parts) > last[:, None]
    silent_n = np.where(is_after, accepted, 0).sum(axis=1)
    total, total_reported = accepted.sum(axis=1), reported.sum(axis=1)
    came = (last >= 0) & (total_reported >= _CAME * np.maximum(total - silent_n, 1))
    is_silent = came & (silent_n >= ENOUGH)
    delivered, confirmed, verified, in_order = (
        _column(counts, name).sum(axis=1)
        for name in ("delivered", "confirmed", "verified", "n_person")
    )
    without = confirmed - delivered
    is_untrusted = (verified >= ENOUGH) & (without >= _UNTRUSTED * verified)
    both = verified - without
    is_late = (both >= ENOUGH) & (in_order < _LATE * both)
    never = (total_reported < _NEVER * total) & ~is_untrusted
    health = np.select(
        [total < ENOUGH, is_silent | never, is_untrusted, is_late],
        [ReceiptHealth.TOO_FEW, ReceiptHealth.SILENT, ReceiptHealth.UNTRUSTED, ReceiptHealth.LATE],
        ReceiptHealth.ARRIVING,
    )
    silent_from = np.where(is_silent & (total >= ENOUGH), last + 1, -1)
    return Receipts([ReceiptHealth(word) for word in health.tolist()], silent_from)


def last_report(counts: Counts) -> int:
    """The last of (slots, COLUMNS) with a receipt; -1 if there is none."""
    seen = np.flatnonzero(_reported(counts))
    return int(seen[-1]) if len(seen) else -1


def _reported(counts: Counts) -> Counts:
    names = ("delivered", "undelivered", "failed")
    return np.asarray(sum(_column(counts, name) for name in names))


def _column(counts: Counts, name: str) -> Counts:
    return counts[..., COLUMNS.index(name)]

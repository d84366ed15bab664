"""Finds the first and the last slot of an incident among finer slots around its edges."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.figures.catalogue import COLUMNS
from core.figures.packing import Counts
from core.findings.causes import Cause, CauseKind
from core.findings.change_point import evidence_by_step, first_step
from core.findings.places import Floats
from core.findings.shares import DEFINITIONS
from core.model.clock import to_ms

#: Of a cause, the counters of its place by slot, the starts of the slots, and their length in ms:
#: an edge of the cause, Unix ms.
Refine = Callable[[Cause, Counts, NDArray[np.int64], int], int]


def refined_start(cause: Cause, counts: Counts, starts: NDArray[np.int64], slot_ms: int) -> int:
    """The start of the first slot of a cause, Unix ms. `counts`: (slots, COLUMNS) of its place,
    from before its beginning on."""
    if cause.kind is CauseKind.TRAFFIC_GONE:
        seen = np.flatnonzero(_column(counts, "requested"))
        return int(starts[seen[-1]]) + slot_ms if len(seen) else to_ms(cause.since)
    weight = _evidence(cause, counts)
    return int(starts[first_step(weight)]) if weight.any() else to_ms(cause.since)


def refined_end(cause: Cause, counts: Counts, starts: NDArray[np.int64], slot_ms: int) -> int:
    """The end of the last slot of a cause, Unix ms. `counts`: (slots, COLUMNS) of its place, from
    within it to after its end."""
    weight = _evidence(cause, counts)
    if not weight.any():
        return to_ms(cause.until) if cause.until else int(starts[-1]) + slot_ms
    last = len(weight) - 1 - first_step(weight[::-1])
    return int(starts[last]) + slot_ms


def recounted(cause: Cause, counts: Counts) -> Cause:
    """The cause with the numbers of exactly its time. `counts`: (slots, COLUMNS) of its place."""
    k, n = _counts(cause, counts)
    if not n.sum():
        return cause
    return replace(
        cause,
        k=float(k.sum()),
        n=float(n.sum()),
        requested=int(_column(counts, "requested").sum()),
        converted=int(_column(counts, "converted").sum()),
    )


def _counts(cause: Cause, counts: Counts) -> tuple[Floats, Floats]:
    """k and n of each slot; 0 where the cause has no measure."""
    if cause.kind is CauseKind.PRICE:
        return _column(counts, "cost_micros") / 1e6, _column(counts, "priced")
    if cause.measure is None:
        return np.zeros(len(counts)), np.zeros(len(counts))
    definition = DEFINITIONS[cause.measure]
    n = definition.n(lambda name: _column(counts, name))
    k = np.minimum(definition.k(lambda name: _column(counts, name)), n)
    return (n - _column(counts, f"within_{cause.seconds}") if cause.seconds else k), n


def _evidence(cause: Cause, counts: Counts) -> Floats:
    """How much each slot speaks for the incident; 0 where the cause has no measure."""
    k, n = _counts(cause, counts)
    if cause.kind is CauseKind.PRICE:
        return k - n * (cause.usual + cause.rate) / 2
    usual = float(np.clip(cause.usual, 5e-4, 0.9995))
    relative = float(np.clip((cause.rate - usual) / (1 - usual), 0.02, 0.999))
    return evidence_by_step(k, n, np.full(len(n), usual), relative)


def _column(counts: Counts, name: str) -> Floats:
    return counts[:, COLUMNS.index(name)].astype(float)

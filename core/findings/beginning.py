"""Finds the first slot of an incident among finer slots around its first step."""

import numpy as np
from numpy.typing import NDArray

from core.figures.catalogue import COLUMNS
from core.figures.packing import Counts
from core.findings.causes import Cause, CauseKind
from core.findings.change_point import evidence_by_step, first_step
from core.findings.places import Floats
from core.findings.shares import DEFINITIONS
from core.model.clock import to_ms


def refined(cause: Cause, counts: Counts, starts: NDArray[np.int64], slot_ms: int) -> int:
    """The start of the first slot of a cause, Unix ms. `counts`: (slots, COLUMNS) of its place,
    from before its beginning on."""

    def column(name: str) -> Floats:
        return counts[:, COLUMNS.index(name)].astype(float)

    since_ms = to_ms(cause.since)
    if cause.kind is CauseKind.TRAFFIC_GONE:
        seen = np.flatnonzero(column("requested"))
        return int(starts[seen[-1]]) + slot_ms if len(seen) else since_ms
    if cause.kind is CauseKind.PRICE:
        ratio = cause.rate / cause.usual
        weight = column("cost_micros") / 1e6 - column("priced") * cause.usual * (1 + ratio) / 2
    elif cause.measure is None:
        return since_ms
    else:
        definition = DEFINITIONS[cause.measure]
        n = definition.n(column)
        k = np.minimum(definition.k(column), n)
        if cause.seconds:
            k = n - column(f"within_{cause.seconds}")
        usual = float(np.clip(cause.usual, 5e-4, 0.9995))
        relative = float(np.clip((cause.rate - usual) / (1 - usual), 0.02, 0.999))
        weight = evidence_by_step(k, n, np.full(len(n), usual), relative)
    return int(starts[first_step(weight)]) if weight.any() else since_ms

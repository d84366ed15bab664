"""Reads slots of packed keys from Redis. The cost depends on the slots, never on the traffic.

Decision: one command reads several keys, and a few commands share a round trip. So the server can
serve other clients in between, and a query does not hold tens of megabytes. Rejected: one GETRANGE
for each key; its overhead cost the client twice as much as the bytes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from core.figures.layout import Cube, Tier
from core.figures.packing import Counts, PackedKind, decode_sparse
from core.model.series import Series
from core.store.batches import batched
from core.store.client import RawClient
from core.store.keys import Keys
from core.store.scripts import Call, Scripts

#: About how much one command reads, and how many commands share a round trip.
_COMMAND_BYTES = 1 << 18
_COMMANDS = 8


@dataclass(frozen=True, slots=True)
class SlotRange:
    """Consecutive slots of one key of each of some series."""

    kind: PackedKind
    tier: Tier
    cube: Cube
    names: Sequence[Series]
    chunk: int
    first: int
    slots: int


class PackedReader:
    """Reads slots. Every method raises StoreUnavailable."""

    def __init__(self, raw: RawClient, keys: Keys) -> None:
        self._scripts = Scripts(raw)
        self._keys = keys

    def read(self, ranges: Sequence[SlotRange]) -> Iterator[tuple[SlotRange, slice, Counts]]:
        """Yield of each range which of its series come next, and their slots: (series, slots,
        width)."""
        for round_trip in batched(_parts(ranges), _COMMANDS):
            calls = [self._call(part, part.names[rows]) for part, rows in round_trip]
            answers = self._scripts.run_all("read_figures", calls)
            for (part, rows), answer in zip(round_trip, answers, strict=True):
                yield part, rows, _slots(part, answer)

    def _call(self, part: SlotRange, names: Sequence[Series]) -> Call:
        kind, tier, width = part.kind, part.tier, part.kind.slot.itemsize
        keys = [self._keys.rollup(kind.name, tier, part.cube, name, part.chunk) for name in names]
        first, last = part.first * width, (part.first + part.slots) * width - 1
        return keys, {"groups": [[len(keys), kind.dense_bytes(tier), first, last]]}


def _parts(ranges: Sequence[SlotRange]) -> Iterator[tuple[SlotRange, slice]]:
    for part in ranges:
        size = max(1, _COMMAND_BYTES // (part.slots * part.kind.slot.itemsize))
        for at in range(0, len(part.names), size):
            yield part, slice(at, min(at + size, len(part.names)))


def _slots(part: SlotRange, answer: list[list[bytes] | bytes]) -> Counts:
    kind, cells = part.kind, part.tier.slots * part.kind.width
    values = np.zeros((len(answer), part.slots, kind.width), dtype=np.int64)
    sparse = [row for row, value in enumerate(answer) if isinstance(value, bytes) and value]
    dense = [row for row, value in enumerate(answer) if isinstance(value, list)]
    if sparse:
        whole = decode_sparse([bytes(answer[row]) for row in sparse], cells)  # type: ignore[arg-type]
        whole = whole.reshape(len(sparse), part.tier.slots, kind.width)
        values[sparse] = whole[:, part.first : part.first + part.slots]
    if dense:
        packed = b"".join([answer[row][0] for row in dense])  # type: ignore[misc]
        values[dense] = kind.slots_of(packed).reshape(len(dense), part.slots, kind.width)
    return values

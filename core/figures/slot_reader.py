"""Reads packed slots and adds them up. The cost depends on the slots, never on the traffic.

Decision: one command reads several series, a few commands share a round trip, and their answers are
added up before the next round trip. So the server can serve other clients in between, works on the
next command while this process reads the last answer, and a query does not hold tens of megabytes.
Rejected: one GETRANGE for each key; its overhead cost the client twice as much as the bytes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.figures import packing
from core.figures.catalogue import COLUMNS, COUNTERS, Leg
from core.figures.layout import BINS, Cube, Tier
from core.figures.packing import Counts
from core.figures.ranges import Piece
from core.model.series import Series
from core.store.client import Client, RawClient
from core.store.keys import Keys
from core.store.scripts import Scripts

#: About how much one command reads, and how many commands share a round trip.
_COMMAND_BYTES = 1 << 18
_COMMANDS = 8
_SLOTS = {"c": packing.COUNTER_SLOT, "e": packing.ERROR_SLOT}
_MOST_SERIES = 10_000
#: A single part that holds every slot.
WHOLE = (0,)


@dataclass(frozen=True, slots=True)
class _Run:
    """Consecutive slots of one key, at the same place for every series."""

    tier: Tier
    chunk: int
    first: int
    slots: int
    #: The parts that these slots belong to, and the first slot of each part.
    parts: NDArray[np.intp]
    begins: NDArray[np.intp]

    def add(self, slots: NDArray[Any], sums: Counts) -> None:
        """Add (series, slots, …) to (series, parts, …)."""
        if len(self.parts) == 1:
            sums[:, self.parts[0]] += slots.sum(axis=1, dtype=np.int64)
        else:
            sums[:, self.parts] += np.add.reduceat(slots, self.begins, axis=1, dtype=np.int64)


class SlotReader:
    """Reads packed figures into arrays. `client` answers in text, `raw` in bytes.

    `starts` divides the slots into parts: the start of each part, Unix ms, ascending. A slot
    belongs to the part that holds its start. Every method raises StoreUnavailable.
    """

    def __init__(self, client: Client, raw: RawClient, keys: Keys) -> None:
        self._client = client
        self._scripts = Scripts(raw)
        self._keys = keys

    def series(self, cube: Cube, since_ms: int) -> list[Series]:
        """The series with an attempt since then, sorted."""
        names = self._client.zrevrangebyscore(
            self._keys.registry(cube), "+inf", str(since_ms), start=0, num=_MOST_SERIES
        )
        return sorted(map(Series, names))

    def counters(
        self,
        cube: Cube,
        names: Sequence[Series],
        pieces: Sequence[Piece],
        starts: Sequence[int] = WHOLE,
    ) -> Counts:
        """(series, parts, COLUMNS)."""
        sums = np.zeros((len(names), len(starts), len(COLUMNS)), dtype=np.int64)
        for rows, run, slots in self._read("c", cube, names, _runs(pieces, starts)):
            run.add(slots["counters"], sums[rows, :, : len(COUNTERS)])
            run.add(slots["sums"], sums[rows, :, len(COUNTERS) :])
        return sums

    def histograms(
        self,
        leg: Leg,
        cube: Cube,
        names: Sequence[Series],
        pieces: Sequence[Piece],
        starts: Sequence[int] = WHOLE,
    ) -> Counts:
        """(series, parts, BINS)."""
        sums = np.zeros((len(names), len(starts), BINS), dtype=np.int64)
        for rows, run, slots in self._read(leg, cube, names, _runs(pieces, starts)):
            run.add(slots, sums[rows])
        return sums

    def errors(self, names: Sequence[Series], pieces: Sequence[Piece]) -> Counts:
        """(series,): how many attempts ended with each error."""
        sums = np.zeros((len(names), 1), dtype=np.int64)
        for rows, run, slots in self._read("e", Cube.ERROR, names, _runs(pieces, WHOLE)):
            run.add(slots, sums[rows])
        return sums[:, 0]

    def _read(
        self, kind: str, cube: Cube, names: Sequence[Series], runs: Sequence[_Run]
    ) -> Iterator[tuple[slice, _Run, NDArray[Any]]]:
        """Yield the slots of all runs: which series (a slice of `names`), the run, and its values,
        (series, slots). Reads only the bytes of the runs."""
        if not runs:
            return
        slot = _SLOTS.get(kind, packing.HISTOGRAM_SLOT)
        width = slot.itemsize
        ranges = {
            "parts": [(run.first * width, (run.first + run.slots) * width - 1) for run in runs]
        }
        batch_size = max(1, _COMMAND_BYTES // (width * sum(run.slots for run in runs)))
        batches = [slice(at, at + batch_size) for at in range(0, len(names), batch_size)]
        for first in range(0, len(batches), _COMMANDS):
            round_trip = batches[first : first + _COMMANDS]
            calls = [(self._names(kind, cube, names[rows], runs), ranges) for rows in round_trip]
            answers = self._scripts.run_all("read_packed", calls)
            for rows, answer in zip(round_trip, answers, strict=True):
                count, packed_slots = len(names[rows]), iter(answer)
                for run in runs:
                    size = run.slots * width
                    # Redis returns fewer bytes where nothing was written: those count as zero.
                    packed = b"".join(
                        [part.ljust(size, b"\0") for part in islice(packed_slots, count)]
                    )
                    slots = np.frombuffer(packed, dtype=slot)
                    yield rows, run, slots.reshape(count, run.slots, *slot.shape)

    def _names(
        self, kind: str, cube: Cube, names: Sequence[Series], runs: Sequence[_Run]
    ) -> list[str]:
        return [
            self._keys.rollup(kind, run.tier, cube, name, run.chunk)
            for run in runs
            for name in names
        ]


def _runs(pieces: Sequence[Piece], starts: Sequence[int]) -> list[_Run]:
    """Cut the pieces where a key ends, and find the parts of their slots."""
    runs = []
    for piece in pieces:
        tier, at = piece.tier, piece.start_ms
        while at < piece.end_ms:
            first = tier.slot_of(at)
            slots = min((piece.end_ms - at) // tier.slot_ms, tier.slots - first)
            moments = at + tier.slot_ms * np.arange(slots)
            part_of = np.searchsorted(starts, moments, side="right") - 1
            parts, begins = np.unique(part_of, return_index=True)
            runs.append(_Run(tier, tier.chunk_of(at), first, slots, parts, begins))
            at += slots * tier.slot_ms
    return runs

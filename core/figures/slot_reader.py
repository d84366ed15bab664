"""Reads packed figures and adds them up: what it costs depends on the slots, never on the traffic.

Decision: one command reads some series, a few commands make a round trip, and what came is added up
before more is asked for. So the server answers others in between, works on the next command while
this side takes in the last one, and no page takes memory by the ten megabytes. Rejected: one
GETRANGE a key, which cost the client twice what the bytes do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.figures import layout
from core.figures.layout import BINS, COLUMNS, COUNTERS, Counts, Cube, Leg, Tier
from core.figures.ranges import Piece
from core.store.client import Client, RawClient
from core.store.keys import Keys
from core.store.scripts import Scripts

#: How much one command reads, about, and how many of them go together.
_COMMAND_BYTES = 1 << 18
_COMMANDS = 8
_SLOTS = {"c": layout.COUNTER_SLOT, "e": layout.ERROR_SLOT}
_MOST_SERIES = 10_000
#: One part from the beginning of time: everything is in it.
WHOLE = (0,)


@dataclass(frozen=True, slots=True)
class _Run:
    """Some slots, one after the other, in the same place of one key of every series."""

    tier: Tier
    chunk: int
    first: int
    slots: int
    #: The parts that these slots are in, and the first slot of each.
    parts: NDArray[np.intp]
    begins: NDArray[np.intp]

    def add(self, slots: NDArray[Any], found: Counts) -> None:
        """Add (series, slots, …) to (series, parts, …)."""
        if len(self.parts) == 1:
            found[:, self.parts[0]] += slots.sum(axis=1, dtype=np.int64)
        else:
            found[:, self.parts] += np.add.reduceat(slots, self.begins, axis=1, dtype=np.int64)


class SlotReader:
    """Packed figures as arrays. `client` answers in text, `raw` in bytes.

    `starts` cuts what is read into parts: Unix ms, ascending, when each of them begins. A slot is
    in the part that its own beginning lies in. Every method raises StoreUnavailable.
    """

    def __init__(self, client: Client, raw: RawClient, keys: Keys) -> None:
        self._client = client
        self._scripts = Scripts(raw)
        self._keys = keys

    def series(self, cube: Cube, since_ms: int) -> list[str]:
        """The series with an attempt since then, sorted."""
        found = self._client.zrevrangebyscore(
            self._keys.registry(cube), "+inf", str(since_ms), start=0, num=_MOST_SERIES
        )
        return sorted(found)

    def counters(
        self,
        cube: Cube,
        names: Sequence[str],
        pieces: Sequence[Piece],
        starts: Sequence[int] = WHOLE,
    ) -> Counts:
        """(series, parts, COLUMNS)."""
        found = np.zeros((len(names), len(starts), len(COLUMNS)), dtype=np.int64)
        for rows, run, slots in self._read("c", cube, names, _runs(pieces, starts)):
            run.add(slots["counters"], found[rows, :, : len(COUNTERS)])
            run.add(slots["sums"], found[rows, :, len(COUNTERS) :])
        return found

    def histograms(
        self,
        leg: Leg,
        cube: Cube,
        names: Sequence[str],
        pieces: Sequence[Piece],
        starts: Sequence[int] = WHOLE,
    ) -> Counts:
        """(series, parts, BINS)."""
        found = np.zeros((len(names), len(starts), BINS), dtype=np.int64)
        for rows, run, slots in self._read(leg, cube, names, _runs(pieces, starts)):
            run.add(slots, found[rows])
        return found

    def errors(self, names: Sequence[str], pieces: Sequence[Piece]) -> Counts:
        """(series,): how many attempts each error ended."""
        found = np.zeros((len(names), 1), dtype=np.int64)
        for rows, run, slots in self._read("e", Cube.ERROR, names, _runs(pieces, WHOLE)):
            run.add(slots, found[rows])
        return found[:, 0]

    def _read(
        self, kind: str, cube: Cube, names: Sequence[str], runs: Sequence[_Run]
    ) -> Iterator[tuple[slice, _Run, NDArray[Any]]]:
        """All slots of all the runs: of which series (a slice of `names`), of which run, and what
        is in them, (series, slots). No more bytes are read than the runs have."""
        if not runs:
            return
        slot = _SLOTS.get(kind, layout.HISTOGRAM_SLOT)
        width = slot.itemsize
        ranges: list[str | int] = []
        for run in runs:
            ranges += [run.first * width, (run.first + run.slots) * width - 1]
        at_once = max(1, _COMMAND_BYTES // (width * sum(run.slots for run in runs)))
        batches = [slice(at, at + at_once) for at in range(0, len(names), at_once)]
        for first in range(0, len(batches), _COMMANDS):
            together = batches[first : first + _COMMANDS]
            calls = [(self._names(kind, cube, names[rows], runs), ranges) for rows in together]
            answers = self._scripts.run_all("read_packed", calls)
            for rows, answer in zip(together, answers, strict=True):
                count, left = len(names[rows]), iter(answer)
                for run in runs:
                    size = run.slots * width
                    # What was never written is zero.
                    packed = b"".join([one.ljust(size, b"\0") for one in islice(left, count)])
                    slots = np.frombuffer(packed, dtype=slot)
                    yield rows, run, slots.reshape(count, run.slots, *slot.shape)

    def _names(
        self, kind: str, cube: Cube, names: Sequence[str], runs: Sequence[_Run]
    ) -> list[str]:
        return [
            self._keys.rollup(kind, run.tier, cube, name, run.chunk)
            for run in runs
            for name in names
        ]


def _runs(pieces: Sequence[Piece], starts: Sequence[int]) -> list[_Run]:
    """The pieces, cut where a key ends, and the parts that they are in."""
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

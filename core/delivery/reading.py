"""Reads packed figures: one round trip for all series of a query, whatever their traffic."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.delivery import layout
from core.delivery.layout import BINS, COLUMNS, Counts, Cube, Leg
from core.delivery.ranges import Piece
from core.store.client import Client, RawClient
from core.store.connection import store_errors
from core.store.keys import Keys

_WIDTHS = {"c": layout.COUNTER_SLOT_BYTES, "e": layout.ERROR_SLOT_BYTES}


class Reading:
    """Packed figures as arrays. `client` answers in text, `raw` in bytes."""

    def __init__(self, client: Client, raw: RawClient, keys: Keys) -> None:
        self._client = client
        self._raw = raw
        self._keys = keys

    def series(self, cube: Cube, since_ms: int) -> list[str]:
        """The series with an attempt since then, sorted. Raises StoreUnavailable."""
        with store_errors():
            found = self._client.zrevrangebyscore(
                self._keys.registry(cube), "+inf", str(since_ms), start=0, num=_MOST_SERIES
            )
        return sorted(found)

    def counters(self, cube: Cube, names: Sequence[str], pieces: Sequence[Piece]) -> Counts:
        """(series, slots of all the pieces, COLUMNS). Raises StoreUnavailable."""
        read = self._read("c", cube, names, pieces)
        parts = []
        for piece, packed in zip(pieces, read, strict=True):
            slots = packed.view(layout.COUNTER_SLOT).reshape(len(names), piece.slots)
            parts.append(np.concatenate([slots["counters"], slots["sums"]], axis=2, dtype=np.int64))
        return np.concatenate(parts, axis=1) if parts else _nothing(len(names), len(COLUMNS))

    def histograms(
        self, leg: Leg, cube: Cube, names: Sequence[str], pieces: Sequence[Piece]
    ) -> Counts:
        """(series, BINS): each series' histogram of all the pieces together. Raises
        StoreUnavailable."""
        found = np.zeros((len(names), BINS), dtype=np.int64)
        for piece, packed in zip(pieces, self._read(leg, cube, names, pieces), strict=True):
            slots = packed.view(">u4").reshape(len(names), piece.slots, BINS)
            found += slots.sum(axis=1, dtype=np.int64)
        return found

    def histogram_slots(
        self, leg: Leg, cube: Cube, names: Sequence[str], pieces: Sequence[Piece]
    ) -> Counts:
        """(slots of all the pieces, BINS): all series together. Raises StoreUnavailable."""
        parts = [
            packed.view(">u4").reshape(len(names), piece.slots, BINS).sum(axis=0, dtype=np.int64)
            for piece, packed in zip(pieces, self._read(leg, cube, names, pieces), strict=True)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, BINS), dtype=np.int64)

    def errors(self, names: Sequence[str], pieces: Sequence[Piece]) -> Counts:
        """(series,): how many attempts each error ended. Raises StoreUnavailable."""
        found = np.zeros(len(names), dtype=np.int64)
        for piece, packed in zip(pieces, self._read("e", Cube.ERROR, names, pieces), strict=True):
            slots = packed.view(">u4").reshape(len(names), piece.slots)
            found += slots.sum(axis=1, dtype=np.int64)
        return found

    def _read(
        self, kind: str, cube: Cube, names: Sequence[str], pieces: Sequence[Piece]
    ) -> list[NDArray[np.uint8]]:
        """For each piece, the bytes of its slots: (series, bytes). One round trip for all, and no
        more bytes than the pieces have."""
        width = _WIDTHS.get(kind, layout.HISTOGRAM_SLOT_BYTES)
        plan: list[list[int]] = []
        with store_errors(), self._raw.pipeline(transaction=False) as pipe:
            for piece in pieces:
                tier, sizes = piece.tier, []
                last = tier.chunk_of(piece.end_ms - 1)
                for chunk in range(tier.chunk_of(piece.start_ms), last + 1):
                    begins = chunk * tier.chunk_ms
                    first = max(piece.start_ms - begins, 0) // tier.slot_ms * width
                    end = min(piece.end_ms - begins, tier.chunk_ms) // tier.slot_ms * width
                    sizes.append(end - first)
                    for name in names:
                        key = self._keys.rollup(kind, tier, cube, name, chunk)
                        pipe.getrange(key, first, end - 1)
                plan.append(sizes)
            answers = iter(pipe.execute() if names and pieces else ())
        found = []
        for sizes in plan:
            whole = np.zeros((len(names), sum(sizes)), dtype=np.uint8)
            at = 0
            for size in sizes:
                for row in range(len(names)):
                    # A key that is not there answers with nothing: its slots are zero.
                    if packed := next(answers):
                        whole[row, at : at + size] = np.frombuffer(packed, dtype=np.uint8)
                at += size
            found.append(whole)
        return found


_MOST_SERIES = 10_000


def _nothing(series: int, columns: int) -> Counts:
    return np.zeros((series, 0, columns), dtype=np.int64)

"""Reads packed figures: one round trip for all series of a query, whatever their traffic."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.delivery import layout
from core.delivery.layout import BINS, COLUMNS, Counts, Cube, Leg, Tier
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
        """For each piece, the bytes of its slots: (series, bytes). One MGET for all."""
        width = _WIDTHS.get(kind, layout.HISTOGRAM_SLOT_BYTES)
        plan: list[tuple[Piece, range]] = []
        places: dict[tuple[Tier, int], int] = {}
        for piece in pieces:
            tier = piece.tier
            chunks = range(tier.chunk_of(piece.start_ms), tier.chunk_of(piece.end_ms - 1) + 1)
            plan.append((piece, chunks))
            for chunk in chunks:
                places.setdefault((tier, chunk), len(places))
        keys = [
            self._keys.rollup(kind, tier, cube, name, chunk)
            for tier, chunk in places
            for name in names
        ]
        if not keys:
            return [np.zeros((len(names), p.slots * width), dtype=np.uint8) for p in pieces]
        with store_errors():
            values = self._raw.mget(keys)
        found = []
        for piece, chunks in plan:
            tier = piece.tier
            size = tier.slots * width
            empty = bytes(size)
            parts = []
            for chunk in chunks:
                begin = max(piece.start_ms - chunk * tier.chunk_ms, 0) // tier.slot_ms
                end = min(piece.end_ms - chunk * tier.chunk_ms, tier.chunk_ms) // tier.slot_ms
                at = places[tier, chunk] * len(names)
                packed = b"".join(value or empty for value in values[at : at + len(names)])
                whole = np.frombuffer(packed, dtype=np.uint8).reshape(len(names), size)
                parts.append(whole[:, begin * width : end * width])
            found.append(np.ascontiguousarray(np.concatenate(parts, axis=1)))
        return found


_MOST_SERIES = 10_000


def _nothing(series: int, columns: int) -> Counts:
    return np.zeros((series, 0, columns), dtype=np.int64)

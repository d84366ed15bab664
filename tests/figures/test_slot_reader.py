"""Slots that are read in batches and added up in parts equal each key decoded alone."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from core.figures import packed_reader, packing
from core.figures.catalogue import COLUMNS, Leg
from core.figures.layout import BINS, Cube, Tier
from core.figures.packing import Counts
from core.figures.ranges import Piece
from core.figures.slot_reader import SlotReader
from core.model.series import Series
from tests.properties import sharing_fixtures
from tests.world import World

#: More than fit into a round trip; the last series was never written.
NAMES = [Series.of("sms", f"{a}{b}") for a in "ABCDEFG" for b in "ABCDEFG"]
CHUNKS = range(20_000, 20_003)
TIER = Tier.QUARTER


@pytest.fixture
def written(at: World, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Counts]:
    """Random figures in Redis, some keys sparse, some missing; and the same as arrays, (series,
    slots, …), by kind."""
    monkeypatch.setattr(packed_reader, "_COMMAND_BYTES", 100_000)
    monkeypatch.setattr(packed_reader, "_COMMANDS", 3)
    rng = np.random.default_rng(1)
    kinds: dict[str, tuple[int, Any, Any]] = {
        "c": (len(COLUMNS), packing.COUNTER_KIND.encode, packing.COUNTER_KIND.decode),
        Leg.TTD: (BINS, packing.LEG_KINDS[Leg.TTD].encode, packing.LEG_KINDS[Leg.TTD].decode),
        "e": (1, packing.ERROR_KIND.encode, packing.ERROR_KIND.decode),
    }
    arrays: dict[str, Counts] = {}
    with redis.Redis.from_url(redis_url) as raw:
        for kind, (width, encode, decode) in kinds.items():
            cube = Cube.ERROR if kind == "e" else Cube.COUNTRY
            rows = []
            for name in NAMES[:-1]:
                row = []
                for chunk in CHUNKS:
                    values = rng.integers(0, 2**32, (TIER.slots, width))
                    # Few values are stored sparse, and many dense.
                    values[rng.random(values.shape) < rng.choice([0, 0.99, 1])] = 0
                    packed = encode(values, TIER)
                    key = at.services.keys.rollup(kind, TIER, cube, name, chunk)
                    raw.set(key, packed, ex=timedelta(hours=1))
                    row.append(decode(packed, TIER).reshape(TIER.slots, width))
                rows.append(np.concatenate(row))
            arrays[kind] = np.stack([*rows, np.zeros_like(rows[0])])
    return arrays


@sharing_fixtures(25)
@given(st.data())
def test_any_parts_of_any_slots_are_the_sums_of_their_keys(
    at: World, written: dict[str, Counts], data: st.DataObject
) -> None:
    begin = CHUNKS.start * TIER.chunk_ms
    slots = len(CHUNKS) * TIER.slots
    edges = data.draw(st.lists(st.integers(0, slots), min_size=2, max_size=6, unique=True))
    edges.sort()
    pairs = list(zip(edges[::2], edges[1::2], strict=False))
    pieces = [Piece(TIER, begin + a * TIER.slot_ms, b - a) for a, b in pairs]
    starts = data.draw(st.lists(st.integers(1, slots * TIER.slot_ms), max_size=8, unique=True))
    starts = [0, *(begin + ms for ms in sorted(starts))]
    moments = np.concatenate([np.arange(a, b) for a, b in pairs])
    part_of = np.searchsorted(starts, begin + moments * TIER.slot_ms, side="right") - 1

    def expected(kind: str, parts: int) -> Counts:
        summed = np.zeros((len(NAMES), parts, written[kind].shape[2]), dtype=np.int64)
        for slot, part in zip(moments, part_of, strict=True):
            summed[:, min(part, parts - 1)] += written[kind][:, slot]
        return summed

    s = at.services
    reader = SlotReader(s.client, s.connection.raw, s.keys)
    counters = reader.counters(Cube.COUNTRY, NAMES, pieces, starts)
    assert (counters == expected("c", len(starts))).all()
    histograms = reader.histograms(Leg.TTD, Cube.COUNTRY, NAMES, pieces, starts)
    assert (histograms == expected(Leg.TTD, len(starts))).all()
    assert (reader.errors(NAMES, pieces) == expected("e", 1)[:, 0, 0]).all()


def test_without_slots_or_series_the_sums_are_empty(at: World) -> None:
    s = at.services
    reader = SlotReader(s.client, s.connection.raw, s.keys)
    assert reader.counters(Cube.COUNTRY, NAMES, []).shape == (len(NAMES), 1, len(COLUMNS))
    assert not reader.histograms(Leg.TTD, Cube.COUNTRY, NAMES, []).any()
    assert reader.counters(Cube.COUNTRY, [], [Piece(TIER, 0, 4)]).shape == (0, 1, len(COLUMNS))

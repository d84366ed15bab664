"""Packed slots are read as they were written, and bins have their bounds."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from core.figures import packing
from core.figures.catalogue import COLUMNS, COUNTS, Leg
from core.figures.layout import BINS, Tier
from core.figures.packing import MIDDLE_MS, UPPER_MS
from core.store.keys import ROLLUP_LAYOUT
from tests.figures.bins import bin_of

U32 = 2**32 - 1
SUM = 2**62


@given(st.sampled_from(Tier), st.data())
def test_counters_come_back_as_they_were_written(tier: Tier, data: st.DataObject) -> None:
    counters = data.draw(
        arrays.arrays(np.int64, (tier.slots, len(COUNTS)), elements=st.integers(0, U32))
    )
    sums = data.draw(
        arrays.arrays(
            np.int64,
            (tier.slots, len(COLUMNS) - len(COUNTS)),
            elements=st.integers(-SUM, SUM),
        )
    )
    values = np.concatenate([counters, sums], axis=1)
    packed = packing.COUNTER_KIND.encode(values, tier)
    assert (packing.COUNTER_KIND.decode(packed, tier) == values).all()


@given(st.sampled_from(Tier), st.data())
def test_histograms_and_errors_come_back_as_they_were_written(
    tier: Tier, data: st.DataObject
) -> None:
    bins = data.draw(arrays.arrays(np.int64, (tier.slots, BINS), elements=st.integers(0, U32)))
    packed = packing.LEG_KINDS[Leg.TTD].encode(bins, tier)
    assert (packing.LEG_KINDS[Leg.TTD].decode(packed, tier) == bins).all()
    errors = bins[:, :1]
    packed = packing.ERROR_KIND.encode(errors, tier)
    assert (packing.ERROR_KIND.decode(packed, tier) == errors).all()


@pytest.mark.parametrize("tier", Tier)
def test_missing_bytes_are_zero(tier: Tier) -> None:
    assert not packing.COUNTER_KIND.decode(None, tier).any()
    assert not packing.LEG_KINDS[Leg.TTD].decode(b"", tier).any()
    assert packing.ERROR_KIND.decode(b"\2\0\5\0\0\0", tier)[:3, 0].tolist() == [0, 0, 5]


@given(st.sampled_from(Tier), st.integers(0, 100))
def test_a_key_is_sparse_while_it_has_few_values(tier: Tier, count: int) -> None:
    values = np.zeros((tier.slots, len(COLUMNS)), dtype=np.int64)
    values.ravel()[:count] = np.arange(1, count + 1)
    packed = packing.COUNTER_KIND.encode(values, tier)
    assert len(packed) == count * packing.SPARSE.itemsize
    assert (packing.COUNTER_KIND.decode(packed, tier) == values).all()
    values[0, -1] = -1  # a sum may be negative, which the sparse form cannot hold
    packed = packing.COUNTER_KIND.encode(values, tier)
    assert len(packed) == packing.COUNTER_KIND.dense_bytes(tier)
    assert (packing.COUNTER_KIND.decode(packed, tier) == values).all()


@given(st.integers(33, 259_200_000))
def test_a_span_lies_within_its_bin(ms: int) -> None:
    bin_number = bin_of(ms)
    assert ms <= UPPER_MS[bin_number] * (1 + 1e-12)
    assert ms > UPPER_MS[bin_number - 1] * (1 + 1e-12) if bin_number else True


@given(st.integers(33, 259_200_000))
def test_the_middle_of_a_bin_is_near_every_value_in_it(ms: int) -> None:
    assert abs(MIDDLE_MS[bin_of(ms)] / ms - 1) < 0.0443


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_a_longer_span_is_never_in_a_lower_bin(first: int, second: int) -> None:
    low, high = sorted((first, second))
    assert 0 <= bin_of(low) <= bin_of(high) < BINS


@pytest.mark.parametrize("exponent", range(-4, 19))
def test_a_bound_belongs_to_the_bin_below(exponent: int) -> None:
    ms = 1000 * 2.0**exponent
    if ms == int(ms):
        assert math.isclose(UPPER_MS[bin_of(int(ms))], ms)


@given(st.sampled_from(Tier), st.integers(0, 4 * 10**12))
def test_a_moment_has_one_slot_in_one_key(tier: Tier, ms: int) -> None:
    begins = tier.chunk_of(ms) * tier.chunk_ms + tier.slot_of(ms) * tier.slot_ms
    assert begins <= ms < begins + tier.slot_ms
    assert 0 <= tier.slot_of(ms) < tier.slots
    assert tier.expires_ms(ms) - ms > tier.keep_ms


def test_the_bytes_of_a_slot_keep_their_layout() -> None:
    """The layout that `ROLLUP_LAYOUT` names: Redis holds slots that were written with it."""
    assert ROLLUP_LAYOUT == "roll4"
    counts = ["requested", "started", "resends", "fallbacks", "rescued", "skewed", "unclear",
              "unreported", "rejected", "failed", "undelivered", "entered", "verified", "converted",
              "n_person", "accepted", "n_app", "units", "sent", "n_queue", "delivered", "confirmed",
              "within_10", "within_30", "within_60", "n_carrier", "priced",
              "unattributed"]  # fmt: skip
    sums = ["cost_micros", "carrier_ms", "queue_ms", "app_ms", "person_ms", "cost_verified_micros",
            "cost_unattributed_micros"]  # fmt: skip
    assert tuple(counts + sums) == COLUMNS
    values = np.zeros((Tier.DAY.slots, len(COLUMNS)), dtype=np.int64)
    values[0] = np.arange(1, len(COLUMNS) + 1)
    first_slot = packing.COUNTER_KIND.bytes_of(values[:1])
    assert first_slot == struct.pack(f">{len(counts)}I{len(sums)}q", *range(1, 36))

"""Cumulative figures are correct sums and never fall, in any order of events."""

import itertools
import random
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from core.figures.catalogue import COLUMNS, EXPORTED_COUNTERS, FIGURES, FigureKind, Leg
from core.figures.cumulative import CumulativeFigures, read_cumulative
from core.figures.layout import BINS, Cube, Tier
from core.figures.packing import MIDDLE_MS
from core.figures.ranges import Piece
from core.figures.slot_reader import SlotReader
from core.model.attempt import AttemptEvent, EventKind, Source
from core.model.clock import from_ms, to_ms
from core.model.way import Way
from tests.benchmarks.ledger import attempts, callbacks, requests, truth
from tests.figures.bins import bin_of
from tests.properties import sharing_fixtures
from tests.world import World, until

EVENT_KINDS: dict[Way, list[EventKind]] = {
    Way.SMS: [k for k in EventKind if k not in {EventKind.RINGING, EventKind.ANSWERED}],
    Way.VOICE: [k for k in EventKind if k not in {EventKind.QUEUED, EventKind.SENT}],
}
#: Fields of an event. A later event may correct each of them.
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "cost_micros": st.integers(0, 90_000).map(str),
        "units": st.integers(1, 9).map(str),
        "error_code": st.sampled_from(["30", "50", "900"]),
    },
)
_ids = itertools.count()

EXPORTED = [figure.name for figure in EXPORTED_COUNTERS]


def read(at: World) -> CumulativeFigures:
    s = at.services
    s.fold.settle()
    return read_cumulative(SlotReader(s.client, s.connection.raw, s.keys), at.clock.now())


def requested(at: World, way: Way, n: int = 1, of: str = "", **more: str) -> AttemptEvent:
    """The request of an attempt, 90 seconds ago."""
    record = {
        **way.fields,
        "to_masked": "+49 •",
        "region": "DE",
        "carrier": "O2",
        "origin": "first",
    }
    name = f"{of or f'{next(_ids):024d}'}-{n}"
    moment = from_ms(to_ms(at.clock.now()) - 90_000)
    return AttemptEvent(name, EventKind.REQUESTED, moment, Source.APP, record | more)


def values_of(figures: CumulativeFigures) -> dict[tuple[str, ...], float]:
    """Every value that must not fall, by name."""
    values: dict[tuple[str, ...], float] = {}
    for series, row in zip(figures.series, figures.counters, strict=True):
        values |= {(series, name): int(n) for name, n in zip(EXPORTED, row, strict=True)}
    for leg, histograms in figures.histograms.items():
        for channel, counts, sum_ms in zip(
            figures.channels, histograms.counts, histograms.sums_ms, strict=True
        ):
            values[channel, leg, "sum"] = float(sum_ms)
            values |= {(channel, leg, str(i)): int(n) for i, n in enumerate(counts)}
    return values


def stored_counters(at: World) -> dict[tuple[str, ...], float]:
    """Every figure of FigureKind.COUNTER by series, exported or not."""
    s, tier, now_ms = at.services, Tier.DAY, to_ms(at.clock.now())
    reader = SlotReader(s.client, s.connection.raw, s.keys)
    start_ms = tier.chunk_of(now_ms) * tier.chunk_ms
    pieces = [Piece(tier, start_ms, tier.slot_of(now_ms) + 1)]
    names = reader.series(Cube.COUNTRY, start_ms)
    counters = reader.counters(Cube.COUNTRY, names, pieces)[:, 0]
    return {
        (name, "stored", figure.name): int(row[COLUMNS.index(figure.name)])
        for name, row in zip(names, counters, strict=True)
        for figure in FIGURES
        if figure.kind is FigureKind.COUNTER
    }


def test_the_figures_are_the_sums_of_the_attempts(at: World) -> None:
    traffic = attempts(300, seed=11)
    events = np.arange(4 * len(traffic)).reshape(-1, 4)
    once = np.concatenate([events[:, :3].ravel(), events[traffic["verified"] > 0, 3]])
    at.services.ledger.apply_all(requests(traffic))
    at.services.ledger.apply_all(callbacks(traffic, once))
    added = truth(traffic)
    added["place"] = traffic["channel"] + "/" + traffic["region"]

    def is_sum() -> bool:
        figures = read(at)
        since = traffic["requested"] >= to_ms(figures.since)
        expected = added[since].groupby("place")[EXPORTED].sum()
        by_place = pd.DataFrame(figures.counters, index=list(figures.series), columns=EXPORTED)
        by_place = by_place[by_place["requested"] > 0]
        return bool((by_place.sort_index() == expected.sort_index()).all(axis=None))

    # The background of the world may be in the middle of a fold.
    until(is_sum)
    figures = read(at)
    since = traffic["requested"] >= to_ms(figures.since)
    for row, channel in enumerate(figures.channels):
        rows = traffic[since & (traffic["channel"] == channel)]
        delivered = rows[rows["delivered"] > 0]
        spans = (delivered["delivered"] - delivered["requested"]).astype(int)
        bins = np.bincount([bin_of(ms) for ms in spans], minlength=BINS)
        histogram = figures.histograms[Leg.TTD]
        assert (histogram.counts[row] == bins).all()
        assert histogram.sums_ms[row] == pytest.approx((bins * MIDDLE_MS).sum())
        # The middle of a bin is at most 4.5 % off.
        assert histogram.sums_ms[row] == pytest.approx(spans.sum(), rel=0.045)
        exact = (rows["sent"] - rows["queued"]).sum()
        assert figures.histograms[Leg.QUEUE].sums_ms[row] == exact


@sharing_fixtures(40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(EVENT_KINDS)),
            st.integers(1, 12),
            st.lists(
                st.tuples(st.integers(-5_000, 90_000), FIELDS, st.sampled_from(Source)),
                min_size=12,
                max_size=12,
            ),
        ),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from(["resend", "fallback"]),
    st.randoms(use_true_random=False),
)
def test_no_value_ever_falls_in_any_order_of_events(
    at: World,
    client: redis.Redis,
    reports_by_attempt: list[tuple[Way, int, list[tuple[int, dict[str, str], Source]]]],
    origin: str,
    order: random.Random,
) -> None:
    client.flushall()
    first = requested(at, reports_by_attempt[0][0])
    verification = first.attempt.rpartition("-")[0]
    requests_made = [first]
    for n, (way, _, _) in enumerate(reports_by_attempt[1:], start=2):
        more = {"origin": origin}
        requests_made.append(requested(at, way, n, verification, **more))
    events: list[AttemptEvent] = []
    for request, (way, count, reports) in zip(requests_made, reports_by_attempt, strict=True):
        for kind, (ms, fields, source) in zip(
            order.sample(EVENT_KINDS[way], count), reports, strict=False
        ):
            moment = request.at + timedelta(milliseconds=ms)
            events.append(AttemptEvent(request.attempt, kind, moment, source, fields))
    events += order.sample(events, len(events) // 3)
    order.shuffle(events)
    # Requests may come between reports of other attempts, but before their own reports.
    for request in reversed(requests_made):
        own = [i for i, e in enumerate(events) if e.attempt == request.attempt]
        events.insert(order.randint(0, own[0] if own else len(events)), request)
    before: dict[tuple[str, ...], float] = {}
    for event in events:
        at.services.ledger.apply(event)
        after = values_of(read(at)) | stored_counters(at)
        fell = {name: (was, after.get(name)) for name, was in before.items() if after[name] < was}
        assert not fell, event
        before = after


def test_a_series_restarts_at_zero_with_the_next_key_and_ends_with_the_one_after(
    at: World,
) -> None:
    event = requested(at, Way.SMS)
    at.services.ledger.apply(event)
    before = read(at)
    assert dict(zip(before.series, before.counters[:, 0], strict=True)) == {"sms/DE": 1}
    assert before.since <= at.clock.now() < before.since + timedelta(days=32)
    at.clock.advance(timedelta(days=32))
    after = read(at)
    assert after.since == before.since + timedelta(days=32)
    assert (after.series, after.counters.sum()) == (("sms/DE",), 0)
    at.clock.advance(timedelta(days=32))
    assert read(at).series == ()


def test_there_are_no_series_before_the_first_attempt(at: World) -> None:
    figures = read(at)
    assert (figures.series, figures.channels) == ((), ())
    assert figures.counters.shape == (0, len(EXPORTED))
    assert all(len(one.sums_ms) == 0 for one in figures.histograms.values())


def test_a_key_of_days_spans_32_days() -> None:
    assert Tier.DAY.chunk_ms == timedelta(days=32) / timedelta(milliseconds=1)


def test_the_moment_of_a_right_code_stays_when_another_one_is_accepted(at: World) -> None:
    """As after a failover that has lost the first approval. The first moment is of a clock that
    is behind."""
    first = requested(at, Way.SMS)
    verification = first.attempt.rpartition("-")[0]
    second = requested(at, Way.SMS, 2, verification, origin="resend")
    for request, seconds in ((first, -5), (second, 9)):
        at.services.ledger.apply(request)
        moment = request.at + timedelta(seconds=seconds)
        event = AttemptEvent(request.attempt, EventKind.VERIFIED, moment, Source.APP)
        at.services.ledger.apply(event)
        at.services.fold.settle()
        counters = stored_counters(at)
        assert counters["sms/DE", "stored", "skewed"] == 1

"""Each event counts once, at the moment of its attempt's request, in any order."""

import itertools
import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from core.figures import layout, packing
from core.figures.catalogue import COLUMNS, Leg
from core.figures.layout import Cube, Tier
from core.figures.ranges import Preset, preset
from core.ledger.attempts import Entry
from core.ledger.ledger import EventOutcome
from core.model.attempt import AttemptEvent, EventKind, Source
from core.model.clock import from_ms, to_ms
from core.model.series import Series
from tests.figures.bins import bin_of
from tests.properties import sharing_fixtures
from tests.world import World

_ids = itertools.count()


def raw(redis_url: str) -> Any:
    return redis.Redis.from_url(redis_url)


class Figures:
    """Reads packed figures, a slot at a time, without the code that pages use."""

    def __init__(self, at: World, redis_url: str) -> None:
        self._keys = at.services.keys
        self._fold = at.services.fold
        self._redis = raw(redis_url)

    def _get(self, kind: str, tier: Tier, cube: str, name: str, ms: int) -> bytes | None:
        self._fold.settle()
        key = self._keys.rollup(kind, tier, cube, name, tier.chunk_of(ms))
        packed: bytes | None = self._redis.get(key)
        return packed

    def slot(self, tier: Tier, cube: Cube, name: str, when: datetime) -> dict[str, int]:
        """The counters and sums that are not zero."""
        ms = to_ms(when)
        packed = self._get("c", tier, cube, name, ms)
        values = packing.COUNTER_KIND.decode(packed, tier)[tier.slot_of(ms)]
        return {c: int(n) for c, n in zip(COLUMNS, values, strict=True) if n}

    def bins(self, leg: Leg, tier: Tier, cube: Cube, name: str, when: datetime) -> dict[int, int]:
        ms = to_ms(when)
        packed = self._get(leg, tier, cube, name, ms)
        values = packing.LEG_KINDS[Leg.TTD].decode(packed, tier)[tier.slot_of(ms)]
        return {int(i): int(values[i]) for i in np.flatnonzero(values)}

    def errors(self, tier: Tier, name: str, when: datetime) -> int:
        ms = to_ms(when)
        packed = self._get("e", tier, "error", name, ms)
        return int(packing.ERROR_KIND.decode(packed, tier)[tier.slot_of(ms), 0])

    def ends_ms(self, tier: Tier, cube: Cube, name: str, when: datetime) -> int:
        """When the key expires. (Redis 6.2 has no PEXPIRETIME.)"""
        self._fold.settle()
        ms = to_ms(when)
        key = self._keys.rollup("c", tier, cube, name, tier.chunk_of(ms))
        (seconds, micros), ttl_ms = self._redis.time(), self._redis.pttl(key)
        return int(seconds * 1000 + micros // 1000 + ttl_ms)


@pytest.fixture
def figures(at: World, redis_url: str) -> Figures:
    return Figures(at, redis_url)


class ReportedAttempt:
    """An attempt in the ledger, and the reports about it."""

    def __init__(self, at: World, n: int = 1, of: str = "", **more: str) -> None:
        self.ledger = at.services.ledger
        self.verification = of or f"{next(_ids):024d}"
        self.id = f"{self.verification}-{n}"
        ago = timedelta(seconds=float(more.pop("seconds_ago", "60")))
        self.requested = from_ms(to_ms(at.clock.now() - ago))
        record = {"channel": "sms", "mode": "sms", "to_masked": "+49 •", "region": "DE"}
        self.record = record | {"carrier": "Vodafone", "origin": "first"} | more
        self.report(EventKind.REQUESTED, 0, **self.record)

    def event(self, kind: EventKind, seconds: float, **fields: str) -> AttemptEvent:
        moment = self.requested + timedelta(seconds=seconds)
        return AttemptEvent(self.id, kind, moment, Source.CALLBACK, fields)

    def report(self, kind: EventKind, seconds: float, **fields: str) -> EventOutcome:
        return self.ledger.apply(self.event(kind, seconds, **fields))


DELIVERED = {"requested": 1, "started": 1, "sent": 1, "delivered": 1, "confirmed": 1}
CELLS = [
    (Cube.CHANNEL, "sms"),
    (Cube.COUNTRY, "sms/DE"),
    (Cube.CARRIER, "sms/DE/Vodafone"),
]


@pytest.mark.parametrize("tier", layout.TIERS)
@pytest.mark.parametrize(("cube", "name"), CELLS)
def test_a_delivered_message_counts_once_in_every_tier_and_cube(
    at: World, figures: Figures, tier: Tier, cube: Cube, name: str
) -> None:
    attempt = ReportedAttempt(at)
    for _ in range(2):
        attempt.report(EventKind.QUEUED, 1)
        attempt.report(EventKind.SENT, 3)
        attempt.report(EventKind.DELIVERED, 7, units="2", cost_micros="7700")
    assert figures.slot(tier, cube, name, attempt.requested) == DELIVERED | {
        "within_10": 1,
        "within_30": 1,
        "within_60": 1,
        "n_queue": 1,
        "queue_ms": 2000,
        "n_carrier": 1,
        "carrier_ms": 4000,
        "units": 2,
        "priced": 1,
        "cost_micros": 7700,
    }


def test_each_leg_is_in_every_histogram_that_is_kept(at: World, figures: Figures) -> None:
    attempt = ReportedAttempt(at)
    attempt.report(EventKind.DELIVERED, 7)
    attempt.report(EventKind.SENT, 3)
    attempt.report(EventKind.QUEUED, 1)
    attempt.report(EventKind.VERIFIED, 20)
    for leg, ms in {Leg.TTD: 7000, Leg.TTV: 20000, Leg.QUEUE: 2000, Leg.CARRIER: 4000}.items():
        for cube, tier in layout.HISTOGRAMS[leg]:
            name = dict(CELLS)[cube]
            assert figures.bins(leg, tier, cube, name, attempt.requested) == {bin_of(ms): 1}, leg


def test_a_corrected_report_is_subtracted_again(at: World, figures: Figures) -> None:
    attempt = ReportedAttempt(at)
    attempt.report(EventKind.UNDELIVERED, 5, error_code="30")
    cell = (Tier.QUARTER, Cube.CHANNEL, "sms", attempt.requested)
    undelivered = {"requested": 1, "started": 1, "sent": 1, "undelivered": 1}
    assert figures.slot(*cell) == undelivered
    assert figures.errors(Tier.MINUTE, "sms//30", attempt.requested) == 1
    assert figures.errors(Tier.DAY, "sms/DE/30", attempt.requested) == 1
    assert attempt.report(EventKind.DELIVERED, 9) is EventOutcome.APPLIED
    slot = figures.slot(*cell)
    assert slot == DELIVERED | {"within_10": 1, "within_30": 1, "within_60": 1}
    assert figures.errors(Tier.MINUTE, "sms//30", attempt.requested) == 0
    assert figures.errors(Tier.DAY, "sms/DE/30", attempt.requested) == 0


def test_a_failure_with_a_later_error_code_moves_between_errors(
    at: World, figures: Figures
) -> None:
    attempt = ReportedAttempt(at)
    attempt.report(EventKind.FAILED, 5, error_code="900")
    attempt.report(EventKind.UNDELIVERED, 6, error_code="50")
    assert figures.errors(Tier.QUARTER, "sms//900", attempt.requested) == 0
    assert figures.errors(Tier.QUARTER, "sms//50", attempt.requested) == 1


def test_an_attempt_without_reports_is_pending_and_then_unreported(
    at: World, figures: Figures
) -> None:
    attempt = ReportedAttempt(at)
    cell = (Tier.DAY, Cube.CHANNEL, "sms", attempt.requested)
    attempt.report(EventKind.UNREPORTED, 72 * 3600)
    assert figures.slot(*cell) == {"requested": 1, "started": 1, "unreported": 1}


def test_a_right_code_that_only_a_fallback_can_have_brought_counts_there_and_converts_the_first(
    at: World, figures: Figures
) -> None:
    first = ReportedAttempt(at)
    first.report(EventKind.UNDELIVERED, 5, error_code="30")
    call = ReportedAttempt(
        at,
        2,
        first.verification,
        channel="voice",
        mode="call",
        origin="fallback",
        seconds_ago="30",
    )
    call.report(EventKind.CHECKED, 12)
    call.report(EventKind.VERIFIED, 15)
    sms = figures.slot(Tier.DAY, Cube.CHANNEL, "sms", first.requested)
    voice = figures.slot(Tier.DAY, Cube.CHANNEL, "voice", call.requested)
    assert sms["converted"] == 1
    assert "verified" not in sms
    assert voice == {
        "requested": 1,
        "fallbacks": 1,
        "entered": 1,
        "verified": 1,
        "confirmed": 1,
        "rescued": 1,
    }


@pytest.mark.parametrize(("fields", "code"), [({"send_status": "503"}, "503"), ({}, "no answer")])
def test_an_unclear_send_is_an_error_by_its_status_until_a_report_settles_it(
    at: World, figures: Figures, fields: dict[str, str], code: str
) -> None:
    attempt = ReportedAttempt(at)
    cell = (Tier.DAY, Cube.CHANNEL, "sms", attempt.requested)
    attempt.report(EventKind.UNCONFIRMED, 10, **fields)
    assert figures.slot(*cell) == {"requested": 1, "started": 1, "unclear": 1}
    assert figures.errors(Tier.MINUTE, f"sms//{code}", attempt.requested) == 1
    assert figures.errors(Tier.DAY, f"sms/DE/{code}", attempt.requested) == 1
    # Not an error of its own, and without the status of the send.
    attempt.report(EventKind.UNDELIVERED, 12)
    assert figures.errors(Tier.DAY, f"sms//{code}", attempt.requested) == 0
    assert figures.errors(Tier.DAY, "sms//unstated", attempt.requested) == 1
    assert figures.slot(*cell) == {"requested": 1, "started": 1, "sent": 1, "undelivered": 1}


def test_an_unclear_send_is_not_pending(at: World) -> None:
    unclear, waiting = (ReportedAttempt(at) for _ in range(2))
    unclear.report(EventKind.UNCONFIRMED, 0.5, send_status="429")
    waiting.report(EventKind.ACCEPTED, 0.5)
    period = preset(Preset.HOUR, at.clock.now(), ZoneInfo("UTC"))
    totals = at.services.queries.totals(period)
    assert (totals["unclear"], totals["pending"]) == (1, 1)
    (row,) = at.services.queries.errors(period).reset_index().to_dict("records")
    assert (row["channel"], row["code"], row["count"]) == ("sms", "429", 1)


def test_costs_of_verified_attempts_are_summed_separately_in_either_order(
    at: World, figures: Figures
) -> None:
    for kinds in itertools.permutations([EventKind.VERIFIED, EventKind.DELIVERED]):
        attempt = ReportedAttempt(at, region="FR")
        for kind in kinds:
            fields = {"cost_micros": "5000"} if kind is EventKind.DELIVERED else {}
            attempt.report(kind, 20, **fields)
    slot = figures.slot(Tier.DAY, Cube.COUNTRY, "sms/FR", attempt.requested)
    assert slot["cost_micros"] == slot["cost_verified_micros"] == 10_000


def test_the_log_settles_the_price(at: World, figures: Figures) -> None:
    attempt = ReportedAttempt(at)
    attempt.report(EventKind.DELIVERED, 5, cost_micros="5000")
    event = attempt.event(EventKind.DELIVERED, 5, cost_micros="7000")
    settled = AttemptEvent(event.attempt, event.kind, event.at, Source.LOG, event.fields)
    assert attempt.ledger.apply(settled) is EventOutcome.REPEATED
    slot = figures.slot(Tier.DAY, Cube.CHANNEL, "sms", attempt.requested)
    assert (slot["cost_micros"], slot["priced"]) == (7000, 1)


def test_no_later_report_changes_the_price_of_the_log(at: World, figures: Figures) -> None:
    prices = {Source.LOG: "7000", Source.CALLBACK: "5000", Source.POLL: "6000"}
    for n, sources in enumerate(itertools.permutations(prices)):
        attempt = ReportedAttempt(at, carrier=f"Log {n}")
        kinds = (EventKind.SENT, EventKind.UNDELIVERED, EventKind.DELIVERED)
        for source, kind in zip(sources, kinds, strict=True):
            event = attempt.event(kind, 5, cost_micros=prices[source], units="2")
            attempt.ledger.apply(AttemptEvent(event.attempt, kind, event.at, source, event.fields))
        slot = figures.slot(Tier.DAY, Cube.CARRIER, f"sms/DE/Log {n}", attempt.requested)
        assert (slot["cost_micros"], slot["priced"], slot["units"]) == (7000, 1, 2), sources


@pytest.mark.parametrize(
    ("channel", "kinds", "is_priced"),
    [
        ("sms", [EventKind.REJECTED], True),
        ("sms", [EventKind.FAILED], True),
        ("sms", [EventKind.UNDELIVERED], False),
        ("sms", [EventKind.SENT], False),
        ("voice", [EventKind.UNDELIVERED], True),
        ("voice", [EventKind.ANSWERED, EventKind.UNDELIVERED], False),
        ("voice", [EventKind.FAILED, EventKind.DELIVERED], False),
    ],
)
def test_what_ended_before_it_cost_anything_needs_no_price(
    at: World, figures: Figures, channel: str, kinds: list[EventKind], is_priced: bool
) -> None:
    country = f"{channel}/{_ids.__next__()}"
    attempt = ReportedAttempt(at, channel=channel, mode=channel, region=country.split("/")[1])
    for kind in kinds:
        attempt.report(kind, 5)
    slot = figures.slot(Tier.DAY, Cube.COUNTRY, country, attempt.requested)
    assert slot.get("priced", 0) == is_priced


def test_a_negative_latency_is_cut_to_zero_and_counted(at: World, figures: Figures) -> None:
    attempt = ReportedAttempt(at)
    attempt.report(EventKind.DELIVERED, -5)
    slot = figures.slot(Tier.DAY, Cube.CHANNEL, "sms", attempt.requested)
    assert (slot["skewed"], slot["within_10"]) == (1, 1)
    assert figures.bins(Leg.TTD, Tier.DAY, Cube.CHANNEL, "sms", attempt.requested) == {0: 1}


def test_keys_expire_at_the_end_of_their_retention(at: World, figures: Figures) -> None:
    attempt = ReportedAttempt(at)
    for tier in layout.TIERS:
        ends = figures.ends_ms(tier, Cube.CHANNEL, "sms", attempt.requested)
        # Time and TTL come from two commands, so they differ slightly.
        assert abs(ends - tier.expires_ms(to_ms(attempt.requested))) < 1000


def test_an_event_too_late_for_a_tier_is_dropped_there_and_counted(
    at: World, figures: Figures
) -> None:
    attempt = ReportedAttempt(at)
    at.services.fold.settle()
    at.clock.advance(timedelta(hours=50))
    attempt.report(EventKind.DELIVERED, 5)
    assert "delivered" in figures.slot(Tier.DAY, Cube.CHANNEL, "sms", attempt.requested)
    assert "delivered" not in figures.slot(Tier.MINUTE, Cube.CHANNEL, "sms", attempt.requested)
    assert at.services.ledger.counters()["late_dropped"] == 1


@pytest.mark.parametrize(("column", "full"), [("sent", 2**32 - 1), ("queue_ms", 2**53)])
def test_a_value_that_is_full_stays_as_it_is_and_is_counted(
    at: World, figures: Figures, redis_url: str, column: str, full: int
) -> None:
    attempt = ReportedAttempt(at)
    at.services.fold.settle()
    tier, ms = Tier.DAY, to_ms(attempt.requested)
    key = at.services.keys.rollup("c", tier, Cube.CHANNEL, "sms", tier.chunk_of(ms))
    with raw(redis_url) as server:
        values = packing.COUNTER_KIND.decode(server.get(key), tier)
        values[tier.slot_of(ms), COLUMNS.index(column)] = full
        server.set(key, packing.COUNTER_KIND.encode(values, tier), keepttl=True)
    attempt.report(EventKind.QUEUED, 1)
    attempt.report(EventKind.SENT, 3)
    slot = figures.slot(tier, Cube.CHANNEL, "sms", attempt.requested)
    assert slot[column] == full
    assert slot["n_queue"] == 1
    assert figures.slot(tier, Cube.COUNTRY, "sms/DE", attempt.requested)["sent"] == 1
    assert at.services.ledger.counters()["overflow"] == 1


def test_every_key_of_the_ledger_expires(at: World, redis_url: str) -> None:
    attempt = ReportedAttempt(at, number_index="n")
    attempt.report(EventKind.QUEUED, 1, reference="u-1")
    attempt.report(EventKind.SENT, 2)
    attempt.report(EventKind.UNDELIVERED, 5, error_code="30")
    attempt.report(EventKind.DELIVERED, 7)
    attempt.report(EventKind.VERIFIED, 9)
    attempt.report(EventKind.VERIFIED, 9)
    at.services.fold.settle()
    with raw(redis_url) as server:
        assert [key for key in server.scan_iter(count=1000) if server.pttl(key) == -1] == []


def test_checks_are_added_to_the_figures(at: World, figures: Figures) -> None:
    verification = at.started(at.number())
    ledger = at.services.ledger
    at.services.verifications.check(verification, at.wrong_code(verification))
    at.services.verifications.check(verification, at.wrong_code(verification))
    first = ledger.attempt(f"{verification}-1")
    assert first is not None
    requested = first.moments[EventKind.REQUESTED]
    cell = (Tier.MINUTE, Cube.CHANNEL, "sms", requested)
    assert figures.slot(*cell)["entered"] == 1
    at.services.verifications.check(verification, at.code(verification))
    slot = figures.slot(*cell)
    assert (slot["entered"], slot["verified"], slot["converted"]) == (1, 1, 1)
    assert [event.kind for event in ledger.events(f"{verification}-1")].count(
        EventKind.VERIFIED
    ) == 1


def contribution(events: list[AttemptEvent], record: dict[str, str]) -> Counter[str]:
    """What an attempt must add to the figures, computed from all its events at once."""
    ms = {event.kind: to_ms(event.at) for event in events}
    k = EventKind
    counts: Counter[str] = Counter(requested=1, started=1)
    finals = [k.DELIVERED, k.UNDELIVERED, k.FAILED, k.REJECTED, k.UNREPORTED]
    top = next((kind for kind in finals if kind in ms), None)
    later = {k.ACCEPTED, k.QUEUED, k.SENT, *finals} & set(ms)
    if top:
        counts[top.value] = 1
    elif k.UNCONFIRMED in ms and not later:
        counts["unclear"] = 1
    # Plivo charges neither what it refused nor what it could not hand over.
    counts["priced"] = int(top in {k.FAILED, k.REJECTED})
    counts["accepted"] = int(k.ACCEPTED in ms)
    counts["sent"] = int(bool({k.SENT, k.DELIVERED, k.UNDELIVERED} & set(ms)))
    counts["entered"] = int(bool({k.CHECKED, k.VERIFIED} & set(ms)))
    counts["verified"] = counts["converted"] = int(k.VERIFIED in ms)
    counts["confirmed"] = int(bool({k.DELIVERED, k.VERIFIED} & set(ms)))
    if k.DELIVERED in ms:
        took = ms[k.DELIVERED] - ms[k.REQUESTED]
        for seconds in (10, 30, 60):
            counts[f"within_{seconds}"] = int(took <= seconds * 1000)
    for name, a, b in (
        ("app", k.REQUESTED, k.ACCEPTED),
        ("queue", k.QUEUED, k.SENT),
        ("carrier", k.SENT, k.DELIVERED),
        ("person", k.DELIVERED, k.VERIFIED),
    ):
        if a in ms and b in ms and (ms[b] >= ms[a] or name != "person"):
            counts[f"n_{name}"] = 1
            counts[f"{name}_ms"] = max(0, ms[b] - ms[a])
            if ms[b] < ms[a]:
                counts["skewed"] = 1
    return +counts


KINDS = [
    EventKind.UNCONFIRMED,
    EventKind.ACCEPTED,
    EventKind.QUEUED,
    EventKind.SENT,
    EventKind.UNREPORTED,
    EventKind.REJECTED,
    EventKind.FAILED,
    EventKind.UNDELIVERED,
    EventKind.DELIVERED,
    EventKind.CHECKED,
    EventKind.VERIFIED,
]


@sharing_fixtures(60)
@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from(KINDS), st.integers(0, 90_000)),
            max_size=8,
            unique_by=lambda pair: pair[0],
        ),
        min_size=1,
        max_size=4,
    ),
    st.randoms(use_true_random=False),
)
def test_any_events_in_any_order_and_number_add_up(
    at: World,
    redis_url: str,
    events_by_attempt: list[list[tuple[EventKind, int]]],
    order: random.Random,
) -> None:
    with raw(redis_url) as server:
        server.flushall()
    everything, expected = [], Counter[str]()
    attempts: list[Any] = []
    for kinds in events_by_attempt:
        attempt = ReportedAttempt(at)
        attempts.append(attempt)
        events = [attempt.event(kind, ms / 1000) for kind, ms in kinds]
        everything += events * order.randint(1, 2)
        requested = attempt.event(EventKind.REQUESTED, 0)
        expected += contribution([requested, *events], attempt.record)
    order.shuffle(everything)
    at.services.ledger.apply_all(everything, batch=5)
    figures = Figures(at, redis_url)
    quarters = {
        to_ms(attempt.requested) // Tier.DAY.slot_ms: attempt.requested for attempt in attempts
    }
    for cube, name in CELLS:
        sums: Counter[str] = Counter()
        for when in quarters.values():
            sums.update(figures.slot(Tier.DAY, cube, name, when))
        assert sums == expected


def test_events_in_batches_and_single_events_count_the_same(at: World, figures: Figures) -> None:
    attempt = ReportedAttempt(at, seconds_ago="1", region="AT")
    two = ReportedAttempt(at, seconds_ago="1", region="CH")
    kinds = [EventKind.QUEUED, EventKind.SENT, EventKind.UNDELIVERED, EventKind.DELIVERED]
    for kind in kinds:
        attempt.report(kind, 2)
    outcomes = two.ledger.apply_all(two.event(kind, 2) for kind in [*kinds, *kinds])
    assert outcomes == {EventOutcome.APPLIED: 4, EventOutcome.REPEATED: 4}
    cell = Tier.QUARTER, Cube.COUNTRY
    assert figures.slot(*cell, "sms/AT", attempt.requested) == figures.slot(
        *cell, "sms/CH", two.requested
    )


def test_an_attempt_is_found_by_its_reference_its_number_and_its_time(at: World) -> None:
    verification = at.started(at.number())
    ledger = at.services.ledger
    (attempt,) = ledger.attempts([f"{verification}-1"])
    # Compared by id, since callbacks may change the attempt meanwhile.
    same = ledger.attempt_by_reference(attempt.reference)
    assert same is not None
    assert same.id == attempt.id
    index = at.look(verification).verification.number_index
    assert [attempt.id for attempt in ledger.attempts_of_number(index)] == [attempt.id]
    entry = Entry(to_ms(attempt.moments[EventKind.REQUESTED]), attempt.id)
    assert ledger.recent()[0] == entry
    assert entry not in ledger.recent(entry)


def test_only_the_newest_attempts_are_kept_but_the_figures_of_all(
    at: World, figures: Figures
) -> None:
    attempts = [ReportedAttempt(at, seconds_ago=str(100 - n)) for n in range(5)]
    ledger = at.services.ledger
    assert ledger.trim(2) == 3
    assert [attempt.attempt for attempt in ledger.recent()] == [attempts[4].id, attempts[3].id]
    assert ledger.attempt(attempts[0].id) is None
    assert attempts[0].report(EventKind.DELIVERED, 5) is EventOutcome.ORPHAN
    day = {to_ms(attempt.requested) // Tier.DAY.slot_ms: attempt.requested for attempt in attempts}
    cells = [figures.slot(Tier.DAY, Cube.CHANNEL, "sms", when) for when in day.values()]
    assert sum(cell["requested"] for cell in cells) == 5


def test_a_separator_in_a_carrier_is_escaped_in_the_name_of_a_series() -> None:
    assert Series.of("sms", "DE", "O2/E-Plus") == "sms/DE/O2%2FE-Plus"

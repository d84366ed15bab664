"""A right code counts for the attempt that brought it, or, where several can have, for none."""

import itertools
import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from core.figures.catalogue import Leg
from core.figures.filters import Filters
from core.figures.ranges import Range
from core.ledger.ledger import Ledger
from core.model.attempt import AttemptEvent, EventKind, Proof, Source, State
from core.model.clock import from_ms, to_ms
from core.model.way import Mode
from core.panels.attempts import facts, state_words
from core.verification.timeline import timeline
from tests.figures.bins import bin_of
from tests.properties import sharing_fixtures
from tests.world import World

_ids = itertools.count()
#: What a test counts, by channel.
SHOWN = (
    "requested",
    "confirmed",
    "verified",
    "undelivered",
    "converted",
    "unattributed",
    "rescued",
)


class Report(NamedTuple):
    """A report of an attempt, by its number; `seconds` after the first request."""

    number: int
    kind: EventKind
    seconds: float
    fields: dict[str, str] = {}  # noqa: RUF012


class Sent(NamedTuple):
    """A verification with attempts by these channels, one each 20 seconds."""

    id: str
    began: datetime
    channels: tuple[str, ...]

    @classmethod
    def by(cls, at: World, *channels: str) -> "Sent":
        ago = timedelta(minutes=10)
        return cls(f"{next(_ids):024d}", from_ms(to_ms(at.clock.now() - ago)), channels)

    def requests(self) -> list[AttemptEvent]:
        events = []
        for number, channel in enumerate(self.channels, start=1):
            origin = "resend" if channel == self.channels[0] else "fallback"
            record = {
                "channel": channel,
                "mode": "call" if channel == "voice" else "sms",
                "to_masked": "+49 •",
                "region": "DE",
                "carrier": "O2",
                "origin": origin if number > 1 else "first",
            }
            events.append(self._event(number, EventKind.REQUESTED, 20 * (number - 1), record))
        return events

    def events(self, reports: Sequence[Report]) -> list[AttemptEvent]:
        return [self._event(*report) for report in reports]

    def _event(
        self, number: int, kind: EventKind, seconds: float, fields: dict[str, str]
    ) -> AttemptEvent:
        moment = self.began + timedelta(seconds=seconds)
        return AttemptEvent(f"{self.id}-{number}", kind, moment, Source.CALLBACK, fields)


def figures(at: World) -> dict[str, dict[str, int]]:
    """SHOWN by channel, of everything."""
    at.services.queries.forget()
    period = Range(at.clock.now() - timedelta(hours=1), at.clock.now())
    by_channel = at.services.queries.by_channel(period)
    return {
        str(channel): {name: int(row[name]) for name in SHOWN if row[name]}
        for channel, row in by_channel.iterrows()
    }


def apply(at: World, sent: Sent, *reports: Report) -> None:
    at.services.ledger.apply_all([*sent.requests(), *sent.events(reports)])


def proofs(at: World, sent: Sent) -> list[Proof | None]:
    at.services.fold.settle()
    ids = [f"{sent.id}-{number + 1}" for number in range(len(sent.channels))]
    return [attempt.proof for attempt in at.services.ledger.attempts(ids)]


K = EventKind
SMS_SENT = Report(1, K.SENT, 2, {"cost_micros": "7000"})
CALL_RINGS_OUT = Report(2, K.UNDELIVERED, 50, {"hangup_cause": "3000"})
CALL_IS_HEARD = Report(2, K.DELIVERED, 40, {"cost_micros": "20000"})
CODE_AFTER_CALL = Report(2, K.VERIFIED, 60)


def test_codes_of_messages_do_not_confirm_calls_that_rang_out(at: World) -> None:
    for _ in range(12):
        apply(at, Sent.by(at, "sms", "voice"), SMS_SENT, CALL_RINGS_OUT, CODE_AFTER_CALL)
    assert figures(at) == {
        "sms": {"requested": 12, "confirmed": 12, "verified": 12, "converted": 12},
        "voice": {"requested": 12, "undelivered": 12},
    }


def test_codes_that_a_message_or_a_call_can_have_brought_are_counted_on_the_verification(
    at: World,
) -> None:
    for _ in range(12):
        apply(at, Sent.by(at, "sms", "voice"), SMS_SENT, CODE_AFTER_CALL)
    assert figures(at) == {
        "sms": {"requested": 12, "converted": 12, "unattributed": 12},
        "voice": {"requested": 12},
    }


def test_a_late_message_and_an_answered_call_are_confirmed_each_by_its_receipt(at: World) -> None:
    late = Report(1, K.DELIVERED, 300)
    sent = Sent.by(at, "sms", "voice")
    apply(at, sent, SMS_SENT, CALL_IS_HEARD, CODE_AFTER_CALL, late)
    assert figures(at) == {
        "sms": {"requested": 1, "confirmed": 1, "converted": 1, "unattributed": 1},
        "voice": {"requested": 1, "confirmed": 1},
    }


def test_a_report_that_comes_after_the_code_changes_which_attempt_brought_it(at: World) -> None:
    sent = Sent.by(at, "sms", "voice")
    apply(at, sent, SMS_SENT, CODE_AFTER_CALL)
    assert proofs(at, sent) == [Proof.SHARED, Proof.SHARED]
    at.services.ledger.apply_all(sent.events([CALL_RINGS_OUT]))
    assert proofs(at, sent) == [Proof.SOLE, Proof.OTHER]
    assert figures(at)["sms"] == {"requested": 1, "confirmed": 1, "verified": 1, "converted": 1}
    # The log corrects it: the call was answered.
    at.services.ledger.apply_all(sent.events([CALL_IS_HEARD]))
    assert proofs(at, sent) == [Proof.SHARED, Proof.SHARED]
    assert figures(at) == {
        "sms": {"requested": 1, "converted": 1, "unattributed": 1},
        "voice": {"requested": 1, "confirmed": 1},
    }


def test_a_fallback_after_a_lost_message_is_rescued(at: World) -> None:
    lost = Report(1, K.UNDELIVERED, 5, {"error_code": "30"})
    apply(at, Sent.by(at, "sms", "voice"), lost, CODE_AFTER_CALL)
    assert figures(at) == {
        "sms": {"requested": 1, "undelivered": 1, "converted": 1},
        "voice": {"requested": 1, "confirmed": 1, "verified": 1, "rescued": 1},
    }


def test_a_resend_by_the_same_way_is_attributed_like_another_way(at: World) -> None:
    sent = Sent.by(at, "sms", "sms", "sms")
    apply(at, sent, Report(1, K.FAILED, 5, {"error_code": "900"}), Report(3, K.VERIFIED, 60))
    assert proofs(at, sent) == [Proof.OTHER, Proof.SHARED, Proof.SHARED]
    assert figures(at)["sms"] == {"requested": 3, "converted": 1, "unattributed": 1}
    at.services.ledger.apply_all(sent.events([Report(3, K.UNDELIVERED, 70)]))
    assert proofs(at, sent) == [Proof.OTHER, Proof.SOLE, Proof.OTHER]
    assert figures(at)["sms"] == {
        "requested": 3, "confirmed": 1, "verified": 1, "undelivered": 1, "converted": 1,
    }  # fmt: skip


def test_where_all_attempts_ended_badly_the_code_is_not_attributed(at: World) -> None:
    """A receipt is wrong, and it is not known which."""
    lost = Report(1, K.UNDELIVERED, 5)
    sent = Sent.by(at, "sms", "voice")
    apply(at, sent, lost, CALL_RINGS_OUT, CODE_AFTER_CALL)
    assert proofs(at, sent) == [Proof.SHARED, Proof.SHARED]
    single = Sent.by(at, "phlo")
    apply(at, single, lost, Report(1, K.VERIFIED, 60))
    assert proofs(at, single) == [Proof.SOLE]
    assert figures(at)["phlo"] == {
        "requested": 1, "confirmed": 1, "verified": 1, "undelivered": 1, "converted": 1,
    }  # fmt: skip


def test_an_attempt_that_was_requested_after_the_code_is_left_out(at: World) -> None:
    sent = Sent.by(at, "sms", "voice")
    apply(at, sent, SMS_SENT, Report(1, K.VERIFIED, 10))
    assert proofs(at, sent) == [Proof.SOLE, None]
    assert figures(at)["sms"] == {"requested": 1, "confirmed": 1, "verified": 1, "converted": 1}


def test_money_follows_the_attempt_that_brought_the_code(at: World) -> None:
    sent = Sent.by(at, "sms", "voice")
    apply(at, sent, SMS_SENT, CALL_IS_HEARD, CODE_AFTER_CALL)
    period = Range(at.clock.now() - timedelta(hours=1), at.clock.now())
    totals = at.services.queries.totals(period)
    assert totals[["cost_verified_micros", "cost_unattributed_micros"]].tolist() == [0, 27_000]
    at.services.ledger.apply_all(sent.events([Report(1, K.UNDELIVERED, 80)]))
    at.services.queries.forget()
    totals = at.services.queries.totals(period)
    assert totals[["cost_verified_micros", "cost_unattributed_micros"]].tolist() == [20_000, 0]


def test_the_time_to_verify_counts_from_the_first_request(at: World) -> None:
    apply(at, Sent.by(at, "sms", "voice"), SMS_SENT, CALL_RINGS_OUT, CODE_AFTER_CALL)
    period = Range(at.clock.now() - timedelta(hours=1), at.clock.now())
    counts = {
        channel: at.services.queries.histogram(period, Filters(channel), Leg.TTV)
        for channel in ("sms", "voice")
    }
    assert counts["sms"][bin_of(60_000)] == 1
    assert (counts["sms"].sum(), counts["voice"].sum()) == (1, 0)


def test_a_code_of_a_real_fallback_is_attributed_by_the_call_that_rings_out(at: World) -> None:
    """Through the sandbox: the message has no receipt, the call is not answered."""
    verification = at.started(at.number("0700"))
    at.clock.advance(31)
    at.resend(verification, seen=1, mode=Mode.CALL)
    code = at.code(verification)
    assert at.services.verifications.check(verification, code).outcome == "approved"
    at.services.fold.settle()
    first, second = at.services.ledger.attempts([f"{verification}-1", f"{verification}-2"])
    assert {first.proof, second.proof} == {Proof.SHARED}
    assert {state_words(each).partition(", ")[2] for each in (first, second)} == {
        "✔ perhaps verified"
    }
    event = AttemptEvent(second.id, K.UNDELIVERED, at.clock.now(), Source.CALLBACK, {})
    at.services.ledger.apply(event)
    at.services.fold.settle()
    first, second = at.services.ledger.attempts([f"{verification}-1", f"{verification}-2"])
    assert (first.proof, second.proof) == (Proof.SOLE, Proof.OTHER)
    assert state_words(first).endswith(", ✔ verified")
    assert "verified" not in state_words(second)
    assert facts(second)["Right code"] == "another attempt of the verification brought it"
    # The timeline has the code in the row of the attempt that brought it.
    rows = timeline(at.look(verification))
    assert ["Verified" in [step.label for step in row.steps] for row in rows] == [True, False]


REPORTS = [K.SENT, K.UNDELIVERED, K.DELIVERED, K.REJECTED, K.FAILED, K.UNREPORTED, K.UNCONFIRMED]
LOST = {State.UNDELIVERED, State.REJECTED, State.FAILED}


def expected(at: World, sent: Sent, states: Sequence[State], newest: int) -> Counter[str]:
    """By channel and column, from the definitions."""
    counts = Counter[str]()
    able = [i for i in range(newest) if states[i] not in LOST] or list(range(newest))
    for i, channel in enumerate(sent.channels):
        counts[f"{channel} requested"] += 1
        sole = able == [i]
        counts[f"{channel} confirmed"] += sole or states[i] is State.DELIVERED
        counts[f"{channel} verified"] += sole
        counts[f"{channel} undelivered"] += states[i] is State.UNDELIVERED
        counts[f"{channel} rescued"] += sole and channel != sent.channels[0]
    counts[f"{sent.channels[0]} converted"] += 1
    counts[f"{sent.channels[0]} unattributed"] += len(able) > 1
    return +counts


@sharing_fixtures(60)
@given(
    st.lists(st.sampled_from(["sms", "voice", "phlo"]), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from(REPORTS)), max_size=10, unique=True),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_any_order_of_reports_gives_the_figures_of_the_definitions(
    at: World,
    client: redis.Redis,
    channels: list[str],
    reported: list[tuple[int, EventKind]],
    newest: int,
    order: random.Random,
) -> None:
    client.flushall()
    newest = min(newest, len(channels))
    sent = Sent.by(at, *channels)
    reports = [Report(n, kind, 5) for n, kind in reported if n <= len(channels)]
    events = sent.events([*reports, Report(newest, K.VERIFIED, 61)])
    events += order.sample(events, len(events) // 2)
    order.shuffle(events)
    ledger: Ledger = at.services.ledger
    ledger.apply_all(sent.requests())
    for event in events:
        ledger.apply(event)
        if order.random() < 0.4:
            at.services.fold.settle()
    attempts = ledger.attempts([f"{sent.id}-{n + 1}" for n in range(len(channels))])
    states = [attempt.state for attempt in attempts]
    found = {
        f"{channel} {name}": count
        for channel, row in figures(at).items()
        for name, count in row.items()
    }
    assert found == expected(at, sent, states, newest)


@pytest.mark.parametrize("text", ["", "x", "-1", "abc-", "abc-0", "abc-9999999"])
def test_an_attribution_that_cannot_be_read_is_left_out(
    at: World, client: redis.Redis, text: str
) -> None:
    with at.services.fold._lock:
        client.xadd(at.services.keys.journal, {"attribute": text})
    at.services.fold.settle()
    assert client.xlen(at.services.keys.journal) == 0

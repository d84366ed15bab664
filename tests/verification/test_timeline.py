"""The rows of the timeline, in every way, and the shapes of the steps."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.attempt import Attempt, AttemptEvent, EventKind, Proof, Source, State, attempt_id
from core.model.phone_number import PhoneNumber
from core.model.verification import CheckOutcome, Status, Verification, View
from core.model.way import Mode, Way
from core.panels.exchanges import exchange_lines
from core.verification.timeline import (
    StepState,
    TimelineRow,
    attempt_timeline,
    timeline,
    waiting_timeline,
)
from tests.world import World, until

BEGAN = datetime(2026, 11, 24, 12, tzinfo=UTC)
CSS = (Path(__file__).parents[2] / "pages/components/timeline.css").read_text("utf-8")
SCRIPT = (Path(__file__).parents[2] / "pages/components/timeline.js").read_text("utf-8")


def attempt(state: State, *heard: EventKind) -> Attempt:
    moments = {kind: BEGAN + timedelta(seconds=n) for n, kind in enumerate(heard)}
    return Attempt(
        "a" * 24 + "-1", Way.SMS, state, "+49 •", "DE", "O2", moments,
        error_code="30" if state is State.UNDELIVERED else "",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "step"),
    [
        (State.UNDELIVERED, StepState.UNDELIVERED),
        (State.FAILED, StepState.FAILED),
        (State.REJECTED, StepState.REJECTED),
        (State.UNCLEAR, StepState.UNCLEAR),
        (State.UNKNOWN, StepState.UNKNOWN),
    ],
)
def test_a_lost_attempt_ends_with_the_shape_of_its_state(state: State, step: StepState) -> None:
    heard = [EventKind.REQUESTED]
    if state.is_lost:
        heard.append(EventKind(state))
    steps = attempt_timeline(attempt(state, *heard))[0].steps
    assert steps[-1].state is step
    assert not any(one.state is StepState.WAITING for one in steps)


def test_what_has_ended_waits_for_nothing_and_what_has_not_does() -> None:
    heard = EventKind.REQUESTED, EventKind.ACCEPTED, EventKind.SENT, EventKind.DELIVERED
    ended = attempt_timeline(attempt(State.DELIVERED, *heard))[0].steps
    assert [one.label for one in ended] == ["Requested", "Accepted", "Sent", "Delivered"]
    assert [one.gap for one in ended] == [None, *[timedelta(seconds=1)] * 3]
    open_ = attempt_timeline(attempt(State.SENT, *heard[:3]))[0].steps
    assert open_[-1].state is StepState.WAITING


@pytest.mark.parametrize("state", [State.DELIVERED, State.UNDELIVERED])
@pytest.mark.parametrize("early", [0.001, 0.5, 724.7, 90_000.0])
def test_what_is_dated_before_the_request_is_shown_as_clocks_that_differ(
    state: State, early: float
) -> None:
    last = EventKind(state)
    found = attempt(state, EventKind.REQUESTED, EventKind.ACCEPTED, EventKind.SENT, last)
    found.moments[EventKind.SENT] = BEGAN - timedelta(seconds=early + 1)
    found.moments[last] = BEGAN - timedelta(seconds=early)
    found.moments[EventKind.VERIFIED] = BEGAN + timedelta(seconds=9)
    steps = attempt_timeline(found)[0].steps
    # The check is counted from the acceptance, the last step before it by our own clock.
    gaps = [None, timedelta(seconds=1), None, None, timedelta(seconds=8)]
    assert [step.gap for step in steps] == gaps
    differ = ["clocks differ" in step.note for step in steps]
    assert differ == [False, False, True, True, False]


@given(st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=5))
def test_no_gap_is_negative_whatever_the_clocks_say(seconds: list[float]) -> None:
    kinds = EventKind.ACCEPTED, EventKind.QUEUED, EventKind.SENT, EventKind.DELIVERED
    found = attempt(State.DELIVERED, EventKind.REQUESTED, *kinds, EventKind.VERIFIED)
    for kind, after in zip((*kinds, EventKind.VERIFIED), seconds, strict=True):
        found.moments[kind] = BEGAN + timedelta(seconds=after)
    for step in attempt_timeline(found)[0].steps:
        assert step.gap is None or step.gap >= timedelta()
        assert step.at is not None
        assert ("clocks differ" in step.note) is (step.at < BEGAN)


def test_a_receipt_after_the_check_gives_the_check_no_gap() -> None:
    found = attempt(State.DELIVERED, EventKind.REQUESTED, EventKind.SENT, EventKind.DELIVERED)
    found.moments[EventKind.DELIVERED] = BEGAN + timedelta(seconds=60)
    found.moments[EventKind.VERIFIED] = BEGAN + timedelta(seconds=5)
    steps = {step.label: step for step in attempt_timeline(found)[0].steps}
    assert (steps["Verified"].gap, steps["Verified"].note) == (None, "")


@pytest.mark.parametrize("proof", [Proof.SHARED, Proof.OTHER])
def test_no_code_is_waited_for_after_another_attempt_may_have_brought_it(proof: Proof) -> None:
    heard = EventKind.REQUESTED, EventKind.ACCEPTED, EventKind.SENT
    steps = attempt_timeline(replace(attempt(State.SENT, *heard), proof=proof))[0].steps
    assert "Verified" not in [step.label for step in steps]


ID = "a" * 24
NUMBER = PhoneNumber("+4915112340030", "+49 •", "DE", "Germany")
MOST = {
    Way.SMS: "requested accepted sent delivered",
    Way.VOICE: "requested accepted ringing answered delivered",
    Way.PHLO_SMS: "requested accepted sent delivered",
    Way.PHLO_CALL: "requested accepted answered delivered",
}
LABELS = {
    Way.SMS: "Requested Accepted Sent Delivered Verified",
    Way.VOICE: "Requested Accepted Ringing Answered Read out Verified",
    Way.PHLO_SMS: "Requested Accepted Sent Delivered Verified",
    Way.PHLO_CALL: "Requested Accepted Answered Completed Verified",
}
FALLBACKS = {
    Way.SMS: ["SMS", "Call instead"],
    Way.VOICE: ["Call", "Call again"],
    Way.PHLO_SMS: ["PHLO SMS", "PHLO call instead"],
    Way.PHLO_CALL: ["PHLO call", "PHLO call again"],
}


def sent(
    number: int,
    way: Way,
    kinds: str,
    *,
    after: float = 0,
    state: State | None = None,
    reference: str = "u-1",
    **moments: float,
) -> Attempt:
    """An attempt whose events came a second apart, from `after` the start on; the others at their
    own `moments`."""
    heard = [EventKind(kind) for kind in kinds.split()]
    at = {kind: BEGAN + timedelta(seconds=after + n) for n, kind in enumerate(heard)}
    at |= {EventKind(kind): BEGAN + timedelta(seconds=s) for kind, s in moments.items()}
    last = state or State(heard[-1].value)
    return Attempt(attempt_id(ID, number), way, last, "+49 •", "DE", "", at, reference=reference)


def view_of(
    *attempts: Attempt, status: Status = Status.PENDING, verified_after: float | None = None
) -> View:
    verified_at = None
    if verified_after is not None:
        status, verified_at = Status.VERIFIED, BEGAN + timedelta(seconds=verified_after)
    verification = Verification(
        ID, status, NUMBER, "", "en-US", attempts[-1].way, 6,
        BEGAN, BEGAN + timedelta(minutes=5), 5, 5, len(attempts), BEGAN, "", "",
        verified_at=verified_at,
    )  # fmt: skip
    return View(verification, list(attempts), BEGAN, None)


def labels(row: TimelineRow) -> str:
    return " ".join(step.label for step in row.steps)


@pytest.mark.parametrize("way", list(Way))
def test_a_row_has_the_same_steps_before_while_and_after_they_happen(way: Way) -> None:
    kinds = MOST[way].split()
    assert labels(waiting_timeline(way)[0]) == LABELS[way]
    for count in range(1, len(kinds) + 1):
        (row,) = timeline(view_of(sent(1, way, " ".join(kinds[:count]))))
        assert labels(row) == LABELS[way]
        states = [step.state for step in row.steps]
        assert states[:count] == [StepState.DONE] * count
        assert states[count] is StepState.NOW
        assert row.total is None
    done = sent(1, way, MOST[way], verified=20)
    (row,) = timeline(view_of(done, verified_after=20))
    assert labels(row) == LABELS[way]
    assert row.total == timedelta(seconds=20)


@pytest.mark.parametrize("way", list(Way))
def test_what_was_not_reported_is_left_out_once_the_code_is_verified(way: Way) -> None:
    (row,) = timeline(view_of(sent(1, way, "requested accepted", verified=9), verified_after=9))
    assert labels(row) == "Requested Accepted Verified"
    # A later step is evidence that those before it happened, unreported.
    (row,) = timeline(view_of(sent(1, way, "requested accepted delivered")))
    assert [step.state for step in row.steps][-1] is StepState.NOW
    assert len(row.steps) == 4


@pytest.mark.parametrize("status", [Status.EXPIRED, Status.LOCKED, Status.CANCELED])
@pytest.mark.parametrize("way", list(Way))
def test_nothing_is_waited_for_when_the_verification_is_over(way: Way, status: Status) -> None:
    attempts = (sent(1, way, "requested accepted"), sent(2, way, "requested accepted", after=40))
    first, second = timeline(view_of(*attempts, status=status))
    assert labels(first) == "Requested Accepted"
    assert labels(second) == f"Requested Accepted {status.value.capitalize()}"


@pytest.mark.parametrize("way", [Way.PHLO_SMS, Way.PHLO_CALL])
def test_of_a_phlo_that_names_no_message_nothing_is_waited_for_but_the_code(way: Way) -> None:
    (row,) = timeline(view_of(sent(1, way, "requested accepted", reference="")))
    assert [(step.label, step.state) for step in row.steps][2:] == [("Verified", StepState.NOW)]


def test_each_attempt_has_a_row_and_totals_count_from_the_first_request() -> None:
    view = view_of(
        sent(1, Way.SMS, "requested accepted", state=State.SENT, sent=3),
        sent(2, Way.SMS, "requested accepted undelivered", after=30),
        sent(3, Way.VOICE, "requested accepted ringing", after=60, state=State.FAILED, failed=70),
        sent(4, Way.VOICE, MOST[Way.VOICE], after=90, verified=103.4),
        verified_after=103.4,
    )
    rows = timeline(view)
    assert [row.label for row in rows] == ["SMS", "SMS again", "Call instead", "Call again"]
    assert [row.attempt for row in rows] == [f"{ID}-{n}" for n in (1, 2, 3, 4)]
    assert [row.offset for row in rows] == [timedelta(seconds=s) for s in (0, 30, 60, 90)]
    assert [row.total for row in rows] == [timedelta(seconds=s) for s in (3, 32, 70, 103.4)]
    assert rows[-1].total == view.verification.time_to_verify
    assert [labels(row) for row in rows] == [
        "Requested Accepted Sent",
        "Requested Accepted Not delivered",
        "Requested Accepted Ringing Not reached",
        LABELS[Way.VOICE],
    ]


def test_an_earlier_attempt_waits_for_its_report_but_not_for_the_code() -> None:
    first, second = timeline(
        view_of(
            sent(1, Way.SMS, "requested accepted sent"),
            sent(2, Way.VOICE, "requested accepted", after=20),
        )
    )
    assert labels(first) == "Requested Accepted Sent Delivered"
    assert (first.steps[-1].state, second.steps[-1].label) == (StepState.NOW, "Verified")


def test_a_wrong_code_is_a_step_of_its_own_and_does_not_end_the_wait_for_a_report() -> None:
    (row,) = timeline(view_of(sent(1, Way.SMS, "requested accepted sent", checked=5)))
    assert [(s.label, s.note) for s in row.steps][3:] == [
        ("Delivered", ""), ("Checked", "wrong code"), ("Verified", ""),
    ]  # fmt: skip
    both = sent(1, Way.SMS, MOST[Way.SMS], checked=8, verified=8)
    assert labels(timeline(view_of(both, verified_after=8))[0]) == LABELS[Way.SMS]


def test_a_receipt_after_the_verdict_does_not_change_the_total() -> None:
    late = sent(1, Way.SMS, "requested accepted sent", delivered=60, verified=5)
    (row,) = timeline(view_of(late, verified_after=5))
    assert labels(row) == LABELS[Way.SMS]
    assert row.total == timedelta(seconds=5)


@pytest.mark.parametrize("status", [Status.LOCKED, Status.CANCELED])
def test_an_end_whose_moment_is_not_known_has_no_total(status: Status) -> None:
    view = view_of(sent(1, Way.SMS, MOST[Way.SMS], checked=8))
    (row,) = timeline(replace(view, verification=replace(view.verification, status=status)))
    assert row.total is None


def test_doubled_and_late_events_add_no_step(at: World) -> None:
    verification = at.started(at.number("0700"))
    attempt, now = f"{verification}-1", at.clock.now()
    until(lambda: at.look(verification).attempts[0].state is State.SENT)
    before = labels(timeline(at.look(verification))[0])
    for kind in (EventKind.DELIVERED, EventKind.SENT, EventKind.QUEUED, EventKind.DELIVERED):
        at.services.ledger.apply(AttemptEvent(attempt, kind, now, Source.CALLBACK))
    (row,) = timeline(at.look(verification))
    assert labels(row) == before
    assert [step.state for step in row.steps][-2:] == [StepState.DONE, StepState.NOW]


@pytest.mark.parametrize("way", list(Way))
def test_a_fallback_is_drawn_and_each_reported_step_has_its_exchange(at: World, way: Way) -> None:
    number = at.number("5555")
    verification = at.started(number, way)
    if way.is_call:
        at.touch(number, at.call(number, "ringing"), "decline")
    until(lambda: at.look(verification).attempts[0].state.is_final)
    at.clock.advance(60)
    at.resend(verification, seen=1, mode=Mode.CALL)
    at.touch(number, at.call(number, "ringing"), "answer")
    # The call rings on while the code is entered: no end of it is reported.
    until(lambda: EventKind.ANSWERED in at.look(verification).attempts[1].moments)
    result = at.services.verifications.check(verification, at.code(verification))
    assert result.outcome is CheckOutcome.APPROVED
    view = at.look(verification)
    rows = timeline(view)
    assert [row.label for row in rows] == FALLBACKS[way]
    took = view.verification.time_to_verify
    assert rows[1].total == took
    assert took is not None
    assert took > timedelta(seconds=60)
    dots = {f"{row.attempt[-1]}-{step.kind}" for row in rows for step in row.steps if step.at}

    def linked() -> set[str]:
        exchanges = at.services.exchanges.of(verification)
        lines = exchange_lines(exchanges, rows, view.verification.started_at, simulated=True)
        return {step for line in lines for step in line.steps}

    # The check of the code is no exchange with Plivo. An exchange is kept after its event.
    until(lambda: dots - linked() == {"2-verified"})
    assert linked() <= dots


def test_every_state_of_a_step_has_a_shape_a_colour_and_a_word() -> None:
    shapes = set()
    for state in StepState:
        assert re.search(rf"^  {state}: \"", SCRIPT, re.MULTILINE), state
        rules = re.findall(rf"\.{state}\b[^{{}}]*\{{([^}}]*)\}}", CSS)
        drawn = re.findall(rf"\.{state} \.mark::before[^{{]*\{{([^}}]*)\}}", CSS)
        assert any("--state" in rule for rule in rules), state
        assert drawn, state
        shapes.add("".join(drawn))
    # An end that no attempt brought, and a failed one, are both a cross.
    assert len(shapes) == len(StepState) - 1

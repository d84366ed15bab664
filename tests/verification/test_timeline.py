"""The timeline of one attempt, and the shapes of its steps."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.attempt import Attempt, EventKind, State
from core.model.way import Way
from core.verification.timeline import StepState, attempt_timeline

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
        (State.UNKNOWN, StepState.UNKNOWN),
    ],
)
def test_a_lost_attempt_ends_with_the_shape_of_its_state(state: State, step: StepState) -> None:
    heard = [EventKind.REQUESTED]
    if state.is_lost:
        heard.append(EventKind(state))
    steps = attempt_timeline(attempt(state, *heard))
    assert steps[-1].state is step
    assert not any(one.state is StepState.WAITING for one in steps)


def test_what_has_ended_waits_for_nothing_and_what_has_not_does() -> None:
    heard = EventKind.REQUESTED, EventKind.ACCEPTED, EventKind.SENT, EventKind.DELIVERED
    ended = attempt_timeline(attempt(State.DELIVERED, *heard))
    assert [one.label for one in ended] == ["Requested", "Accepted", "Sent", "Delivered"]
    assert [one.gap for one in ended] == [None, *[timedelta(seconds=1)] * 3]
    open_ = attempt_timeline(attempt(State.SENT, *heard[:3]))
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
    steps = attempt_timeline(found)
    # The check is counted from the acceptance, the last step before it by our own clock.
    gaps = [None, timedelta(seconds=1), None, None, timedelta(seconds=8), timedelta()]
    assert [step.gap for step in steps] == gaps
    assert ["clocks differ" in step.note for step in steps] == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]


@given(st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=5))
def test_no_gap_is_negative_whatever_the_clocks_say(seconds: list[float]) -> None:
    kinds = EventKind.ACCEPTED, EventKind.QUEUED, EventKind.SENT, EventKind.DELIVERED
    found = attempt(State.DELIVERED, EventKind.REQUESTED, *kinds, EventKind.VERIFIED)
    for kind, after in zip((*kinds, EventKind.VERIFIED), seconds, strict=True):
        found.moments[kind] = BEGAN + timedelta(seconds=after)
    for step in attempt_timeline(found):
        assert step.gap is None or step.gap >= timedelta()
        assert step.at is not None
        assert ("clocks differ" in step.note) is (step.at < BEGAN)


def test_a_receipt_after_the_check_gives_the_check_no_gap() -> None:
    found = attempt(State.DELIVERED, EventKind.REQUESTED, EventKind.SENT, EventKind.DELIVERED)
    found.moments[EventKind.DELIVERED] = BEGAN + timedelta(seconds=60)
    found.moments[EventKind.VERIFIED] = BEGAN + timedelta(seconds=5)
    steps = {step.label: step for step in attempt_timeline(found)}
    assert (steps["Checked"].gap, steps["Checked"].note) == (None, "")


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

"""The timeline of one attempt, and the shapes of its steps."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.delivery.attempt import Attempt, Channel, EventKind, Mode, State
from core.verification.timeline import StepState, attempt_timeline

BEGAN = datetime(2026, 11, 24, 12, tzinfo=UTC)
CSS = (Path(__file__).parents[2] / "pages/components/timeline.css").read_text("utf-8")
SCRIPT = (Path(__file__).parents[2] / "pages/components/timeline.js").read_text("utf-8")


def attempt(state: State, *heard: EventKind) -> Attempt:
    moments = {kind: BEGAN + timedelta(seconds=n) for n, kind in enumerate(heard)}
    return Attempt(
        "a" * 24 + "-1", Channel.SMS, Mode.SMS, state, "+49 •", "DE", "O2", moments,
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

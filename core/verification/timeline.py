"""A verification as a row of steps: what happened, when, and how long each leg took."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.model.attempt import Attempt, EventKind, OverBudget, State
from core.model.clock import CLOCKS_DIFFER, elapsed
from core.model.verification import Status, View
from core.model.way import Way
from core.wording.verification import attempt_words, over_budget_words


class StepState(StrEnum):
    """How a step stands. `NOW` is the one that is waited for, `BAD` an end that no attempt brought.
    An attempt that was lost has the shape of its own state."""

    DONE = "done"
    VERIFIED = "verified"
    NOW = "now"
    WAITING = "waiting"
    BAD = "bad"
    UNKNOWN = "unknown"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """`at` is when it happened, None when it has not; `gap` the time since the step before it, None
    where that is not known. The note of a step before the request says that clocks differ."""

    label: str
    state: StepState
    at: datetime | None = None
    gap: timedelta | None = None
    note: str = ""


#: Steps that near to each other are shown as one right after the other.
_OVERLAP = timedelta(seconds=1)

_MESSAGE = {
    EventKind.REQUESTED: "Requested",
    EventKind.ACCEPTED: "Accepted",
    EventKind.QUEUED: "Queued",
    EventKind.SENT: "Sent",
    EventKind.DELIVERED: "Delivered",
}
_CALL = {
    EventKind.REQUESTED: "Requested",
    EventKind.ACCEPTED: "Accepted",
    EventKind.RINGING: "Ringing",
    EventKind.ANSWERED: "Answered",
    EventKind.DELIVERED: "Read out",
}
_LAST = {EventKind.CHECKED: "Checked", EventKind.VERIFIED: "Verified"}
_END = {
    Status.EXPIRED: "Expired",
    Status.LOCKED: "Locked",
    Status.CANCELED: "Canceled",
}


def timeline(view: View) -> list[TimelineStep]:
    """The steps of the newest attempt and what became of its code, in the order of their meaning.

    Where an attempt was lost or its fate is unknown, that takes the place of the steps it never
    reached. A moment is by the clock of its source, so clocks may differ: a step
    that is dated before the request has no gap, and none is counted from it.
    """
    attempt = view.newest
    if attempt is None:
        return [TimelineStep("Requested", StepState.NOW)]
    steps = list(_legs(attempt, view.verification.status, view.verification.over_budget))
    return list(_with_gaps(steps))


def attempt_timeline(attempt: Attempt) -> list[TimelineStep]:
    """The steps of one attempt that have come, and those that are still waited for unless it has
    ended: what did not come by then is no step of it."""
    steps = list(_legs(attempt, Status.PENDING))
    if attempt.state.is_final or attempt.state is State.UNKNOWN:
        steps = [step for step in steps if step.state is not StepState.WAITING]
    return list(_with_gaps(steps))


def waiting_timeline(way: Way) -> list[TimelineStep]:
    """The steps of a message or a call before anything has happened."""
    names = _CALL if way.is_call else _MESSAGE
    return [TimelineStep(label, StepState.WAITING) for label in (*names.values(), *_LAST.values())]


def _legs(
    attempt: Attempt, status: Status, checks_over: OverBudget | None = None
) -> Iterator[TimelineStep]:
    names = _CALL if attempt.way.is_call else _MESSAGE
    if attempt.way is Way.PHLO_CALL:
        # It may ring and be answered between two questions: ringing is not a step to wait for.
        names = {
            k: v for k, v in names.items() if k is not EventKind.RINGING or k in attempt.moments
        }
    stopped = False
    for kind, label in names.items():
        if attempt.state.is_lost and kind is EventKind.DELIVERED:
            stopped = True
            yield _lost(attempt)
        elif kind in attempt.moments:
            over = attempt.over_budget if kind is EventKind.REQUESTED else None
            yield TimelineStep(label, StepState.DONE, attempt.moments[kind], note=_live_note(over))
        elif attempt.state is State.UNKNOWN and not stopped:
            stopped = True
            yield _unknown(attempt)
        elif not attempt.state.is_lost and not stopped:
            passed = _is_passed(kind, attempt, names)
            yield TimelineStep(label, StepState.WAITING, note="not reported" if passed else "")
    verified = attempt.moments.get(EventKind.VERIFIED)
    checked = attempt.moments.get(EventKind.CHECKED) or verified
    if checked is not None:
        notes = ["wrong code" if checked != verified else "", _live_note(checks_over)]
        note = ", ".join(filter(None, notes))
        yield TimelineStep(_LAST[EventKind.CHECKED], StepState.DONE, checked, note=note)
    elif not stopped:
        yield TimelineStep(_LAST[EventKind.CHECKED], StepState.WAITING)
    if verified is not None:
        yield TimelineStep(_LAST[EventKind.VERIFIED], StepState.VERIFIED, verified)
    elif status in _END:
        yield TimelineStep(_END[status], StepState.BAD)
    elif not stopped:
        yield TimelineStep(_LAST[EventKind.VERIFIED], StepState.WAITING)


def _live_note(over: OverBudget | None) -> str:
    """For a step that a budget would have refused when live."""
    return f"live, refused: {over_budget_words(over)}" if over else ""


def _lost(attempt: Attempt) -> TimelineStep:
    kind = EventKind(attempt.state.value)
    code = attempt.error_code or attempt.hangup_cause
    note = f"code {code}" if code else ""
    return TimelineStep(
        attempt_words(attempt).headline, StepState(kind), attempt.moments.get(kind), note=note
    )


def _unknown(attempt: Attempt) -> TimelineStep:
    moments = attempt.moments
    at = moments.get(EventKind.UNREPORTED) or moments.get(EventKind.UNCONFIRMED)
    return TimelineStep("Unknown", StepState.UNKNOWN, at, note="no answer")


def _is_passed(kind: EventKind, attempt: Attempt, names: dict[EventKind, str]) -> bool:
    order = list(names)
    return any(later in attempt.moments for later in order[order.index(kind) + 1 :])


def _with_gaps(steps: list[TimelineStep]) -> Iterator[TimelineStep]:
    requested = before = steps[0].at
    waited_for = next((s for s in steps if s.state is StepState.WAITING and not s.note), None)
    for step in steps:
        gap, note = None, step.note
        if step.at is not None and requested is not None and before is not None:
            if elapsed(requested, step.at) is None:
                note = f"{note}, {CLOCKS_DIFFER}" if note else CLOCKS_DIFFER
            else:
                if step is not steps[0]:
                    gap = _gap(before, step.at)
                before = step.at
        state = StepState.NOW if step is waited_for else step.state
        yield TimelineStep(step.label, state, step.at, gap, note)


def _gap(before: datetime, at: datetime) -> timedelta | None:
    """Steps are in the order of their meaning, which need not be that of their moments: Plivo has
    queued a message before we read its answer, and a receipt may follow the check of the code."""
    overlaps = timedelta() < before - at < _OVERLAP
    return timedelta() if overlaps else elapsed(before, at)

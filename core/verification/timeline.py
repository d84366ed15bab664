"""A verification as a table of steps: a row for each attempt, with the time between its steps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from core.model.attempt import Attempt, EventKind, OverBudget, State
from core.model.clock import CLOCKS_DIFFER, elapsed
from core.model.verification import Status, Verification, View
from core.model.way import Channel, Way
from core.wording.formats import way_name
from core.wording.verification import attempt_words, over_budget_words


class StepState(StrEnum):
    """How a step stands. `NOW` is the one that is waited for, `BAD` an end that no attempt brought.
    An attempt that was lost has the shape of its own state."""

    DONE = "done"
    VERIFIED = "verified"
    NOW = "now"
    WAITING = "waiting"
    BAD = "bad"
    UNCLEAR = "unclear"
    UNKNOWN = "unknown"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """`at` is when it happened, None when it has not; `gap` the time since the step before it, None
    where that is not known. The note of a step before the request says that clocks differ. `kind`
    is the event that it stands for."""

    label: str
    state: StepState
    at: datetime | None = None
    gap: timedelta | None = None
    note: str = ""
    kind: EventKind | None = None


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """The steps of one attempt. `attempt` is its id, "" before there is one; `offset` the time from
    the first request to its own; `total` the time from the first request to the end of the row,
    None while a step is waited for."""

    label: str
    steps: tuple[TimelineStep, ...]
    attempt: str = ""
    offset: timedelta | None = None
    total: timedelta | None = None


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
#: Of the call of a PHLO is known that it was answered and lasted, not what was heard.
_LABELS = {
    Way.SMS: _MESSAGE,
    Way.VOICE: _CALL,
    Way.PHLO_SMS: _MESSAGE,
    Way.PHLO_CALL: _CALL | {EventKind.DELIVERED: "Completed"},
}
#: Shown when it is reported, never waited for: Plivo may leave it out, and a call may ring and be
#: answered between two polls.
_OPTIONAL = {
    Way.SMS: {EventKind.QUEUED},
    Way.VOICE: set[EventKind](),
    Way.PHLO_SMS: {EventKind.QUEUED},
    Way.PHLO_CALL: {EventKind.RINGING},
}
_VERIFIED = "Verified"


def timeline(view: View) -> list[TimelineRow]:
    """A row for each attempt, oldest first; the newest row also has the checks of the code and the
    end of the verification.

    A step that was not reported is left out once a later one was reported, and when the
    verification is over. A lost or unknown attempt ends with that step in place of those it never
    reached. Each moment is by the clock of its source, and clocks may differ: a step that is dated
    before the request has no gap, and no gap is counted from it.
    """
    verification = view.verification
    if not view.attempts:
        requested = TimelineStep("Requested", StepState.NOW, kind=EventKind.REQUESTED)
        return [TimelineRow(way_name(verification.way), (requested,))]
    is_open = verification.status is Status.PENDING
    start = verification.started_at
    rows = []
    for attempt, label in zip(view.attempts, _labels(view.attempts), strict=True):
        is_newest = attempt is view.newest
        steps = _reports(attempt, is_open=is_open)
        if is_newest:
            steps += _ending(attempt, verification, is_lost=_is_stopped(steps))
        else:
            steps += _checks(attempt)
        rows.append(_row(label, attempt, steps, start))
    return rows


def attempt_timeline(attempt: Attempt) -> list[TimelineRow]:
    """One row: the steps of an attempt that have come and, unless it has ended, those that are
    waited for. Its time counts from its own request."""
    is_open = not attempt.state.is_final and not attempt.state.is_uncertain
    steps = _reports(attempt, is_open=is_open)
    steps += _checks(attempt)
    if is_open and EventKind.VERIFIED not in attempt.moments and attempt.proof is None:
        steps.append(TimelineStep(_VERIFIED, StepState.WAITING))
    label = _named(attempt.way, attempt.origin)
    return [replace(_row(label, attempt, steps, attempt.moments[EventKind.REQUESTED]), offset=None)]


def waiting_timeline(way: Way) -> list[TimelineRow]:
    """The steps of a message or a call before anything has happened."""
    labels = [label for kind, label in _LABELS[way].items() if kind not in _OPTIONAL[way]]
    steps = [TimelineStep(label, StepState.WAITING) for label in (*labels, _VERIFIED)]
    return [TimelineRow(way_name(way), tuple(steps))]


def _labels(attempts: Sequence[Attempt]) -> Iterator[str]:
    used: set[Way] = set()
    for attempt in attempts:
        repeats = "resend" if attempt.way in used else "fallback"
        yield _named(attempt.way, "first" if attempt.number == 1 else repeats)
        used.add(attempt.way)


def _named(way: Way, origin: str) -> str:
    suffix = {"resend": " again", "fallback": " instead"}.get(origin, "")
    return f"{way_name(way)}{suffix}"


def _row(
    label: str, attempt: Attempt, steps: Sequence[TimelineStep], start: datetime
) -> TimelineRow:
    timed = tuple(_with_gaps(steps))
    requested = attempt.moments[EventKind.REQUESTED]
    is_waited_for = any(step.state is StepState.NOW for step in timed)
    return TimelineRow(
        label,
        timed,
        attempt.id,
        offset=elapsed(start, requested),
        total=None if is_waited_for else _total(timed, start),
    )


def _total(steps: Sequence[TimelineStep], start: datetime) -> timedelta | None:
    """Until the code was verified, if it was: a delivery report may come later. None for an end
    whose moment is not known."""
    if steps[-1].state in {StepState.BAD, StepState.REJECTED} and steps[-1].at is None:
        return None
    moments = [step.at for step in steps if step.at is not None]
    verified = [step.at for step in steps if step.state is StepState.VERIFIED and step.at]
    return elapsed(start, max(verified or moments))


def _reports(attempt: Attempt, *, is_open: bool) -> list[TimelineStep]:
    """What was reported of the message or call, and what is waited for while it `is_open`."""
    steps: list[TimelineStep] = []
    labels = _LABELS[attempt.way]
    awaited = _awaited(attempt) if is_open else set()
    for kind, label in labels.items():
        if attempt.state.is_lost and kind is EventKind.DELIVERED:
            steps.append(_lost(attempt))
        elif kind in attempt.moments:
            over = attempt.over_budget if kind is EventKind.REQUESTED else None
            at, note = attempt.moments[kind], _live_note(over)
            steps.append(TimelineStep(label, StepState.DONE, at, note=note, kind=kind))
        elif _is_passed(kind, attempt, labels) or attempt.state.is_lost:
            continue
        elif attempt.state.is_uncertain:
            return [*steps, _uncertain(attempt)]
        elif kind in awaited:
            steps.append(TimelineStep(label, StepState.WAITING, kind=kind))
    return steps


def _awaited(attempt: Attempt) -> set[EventKind]:
    kinds = set(_LABELS[attempt.way]) - _OPTIONAL[attempt.way]
    if (
        attempt.way.channel is Channel.PHLO
        and attempt.state is not State.REQUESTED
        and not attempt.reference
    ):
        # The PHLO's answer named no message or call: there is nothing to poll.
        return set()
    return kinds


def _ending(attempt: Attempt, verification: Verification, *, is_lost: bool) -> list[TimelineStep]:
    """The checks of the code and the end of the verification, for the newest attempt. While that
    `is_lost`, no code is waited for."""
    steps = _checks(attempt, verification.over_budget)
    match verification.status:
        case Status.EXPIRED:
            steps.append(TimelineStep("Expired", StepState.BAD, verification.expires_at))
        case Status.LOCKED:
            # The shape of what is blocked.
            steps.append(TimelineStep("Locked", StepState.REJECTED))
        case Status.CANCELED:
            steps.append(TimelineStep("Canceled", StepState.BAD))
        case Status.PENDING if not is_lost:
            steps.append(TimelineStep(_VERIFIED, StepState.WAITING))
    return steps


def _checks(attempt: Attempt, over: OverBudget | None = None) -> list[TimelineStep]:
    """The first check of the code, if that was not the right one, and the right one."""
    steps = []
    verified = attempt.moments.get(EventKind.VERIFIED)
    checked = attempt.moments.get(EventKind.CHECKED)
    note = _live_note(over)
    if checked is not None and checked != verified:
        notes = ", ".join(filter(None, ("wrong code", note)))
        step = TimelineStep("Checked", StepState.DONE, checked, note=notes, kind=EventKind.CHECKED)
        steps, note = [step], ""
    if verified is not None:
        steps.append(
            TimelineStep(
                _VERIFIED, StepState.VERIFIED, verified, note=note, kind=EventKind.VERIFIED
            )
        )
    return steps


def _is_stopped(steps: Sequence[TimelineStep]) -> bool:
    return steps[-1].state not in {StepState.DONE, StepState.WAITING}


def _live_note(over: OverBudget | None) -> str:
    """For a step that a budget would have refused when live."""
    return f"live, refused: {over_budget_words(over)}" if over else ""


def _lost(attempt: Attempt) -> TimelineStep:
    kind = EventKind(attempt.state.value)
    code = attempt.error_code or attempt.hangup_cause
    note = f"code {code}" if code else ""
    headline = attempt_words(attempt).headline
    return TimelineStep(headline, StepState(kind), attempt.moments.get(kind), note=note, kind=kind)


def _uncertain(attempt: Attempt) -> TimelineStep:
    if attempt.state is State.UNKNOWN:
        kind, note = EventKind.UNREPORTED, "no report"
    else:
        kind, note = EventKind.UNCONFIRMED, attempt.error
    label = attempt.state.capitalize()
    return TimelineStep(
        label, StepState(attempt.state), attempt.moments.get(kind), note=note, kind=kind
    )


def _is_passed(kind: EventKind, attempt: Attempt, labels: dict[EventKind, str]) -> bool:
    """Whether a later step was reported, or the code was verified."""
    order = [*labels, EventKind.VERIFIED]
    return any(later in attempt.moments for later in order[order.index(kind) + 1 :])


def _with_gaps(steps: Sequence[TimelineStep]) -> Iterator[TimelineStep]:
    requested = before = steps[0].at
    waited_for = next((step for step in steps if step.state is StepState.WAITING), None)
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
        yield replace(step, state=state, gap=gap, note=note)


def _gap(before: datetime, at: datetime) -> timedelta | None:
    """Steps are in the order of their meaning, which need not be that of their moments: Plivo has
    queued a message before we read its answer, and a receipt may follow the check of the code."""
    overlaps = timedelta() < before - at < _OVERLAP
    return timedelta() if overlaps else elapsed(before, at)

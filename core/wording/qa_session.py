"""Lines about a test session: what was seen of an attempt, refused sends, progress, recording."""

from core.lab.sessions.model import ChecklistProgress, RefusedSend
from core.lab.sessions.recording import Recording, RecordingState
from core.model.attempt import Attempt, EventKind, Proof, State
from core.model.clock import elapsed
from core.wording.error_codes import hangup_text, message_error_text
from core.wording.formats import duration
from core.wording.verification import attempt_words

#: Of the names in the line about a recording.
_LONGEST = 28


def seen_words(attempt: Attempt) -> str:
    """The state of an attempt with its error and its time: "Not delivered: the carrier refused it
    as spam (error 30)", "Delivered after 1.2 s, verified". "Perhaps verified": another attempt may
    have brought the code."""
    text = attempt_words(attempt).headline
    if cause := _cause(attempt):
        text = f"{text}: {cause[:1].lower()}{cause[1:]}"
    elif took := _took(attempt):
        text = f"{text} after {took}"
    if attempt.proof is Proof.SHARED:
        return f"{text}, perhaps verified"
    return f"{text}, verified" if EventKind.VERIFIED in attempt.moments else text


def refusal_words(refusal: RefusedSend) -> str:
    """ "Refused: this number was sent its share of codes for today"."""
    cause = refusal.cause.removesuffix(".")
    return f"Refused: {cause[:1].lower()}{cause[1:]}"


def progress_words(progress: ChecklistProgress) -> str:
    """ "12 of 40: 9 passed, 2 failed, 1 blocked"."""
    if not progress.items:
        return "No items yet"
    parts = {
        "passed": progress.passed,
        "failed": progress.failed,
        "blocked": progress.blocked,
    }
    marks = ", ".join(f"{count} {word}" for word, count in parts.items() if count)
    return f"{progress.marked} of {progress.items}" + (f": {marks}" if marks else "")


def recording_words(recording: Recording, item: str = "") -> str:
    """ "Recording into Smoke · 0030 Spam", "Not recording: Smoke is full"; `item` is its title."""
    name = _cut(recording.name)
    if recording.state is RecordingState.ACTIVE:
        return f"Recording into {name}" + (f" · {_cut(item)}" if item else "")
    if recording.state is RecordingState.DELETED:
        return "Not recording: the test session was deleted"
    return f"Not recording: {name} is {recording.state}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _cause(attempt: Attempt) -> str:
    """Why it did not arrive, without the full stop; else ""."""
    if attempt.state in {State.REJECTED, State.UNCLEAR}:
        return attempt.cause.removesuffix(".")
    if not attempt.state.is_lost:
        return ""
    if attempt.way.is_call:
        hangup = hangup_text(attempt.hangup_cause or "0")
        return f"{hangup.meaning.removesuffix('.')} (hangup cause {hangup.code})" if hangup else ""
    error = message_error_text(attempt.error_code or "1000")
    return f"{error.meaning.removesuffix('.')} (error {error.code})" if error else ""


def _took(attempt: Attempt) -> str:
    """From the request to the arrival; "" while it has not arrived."""
    arrived = attempt.moments.get(EventKind.DELIVERED)
    if attempt.state is not State.DELIVERED or arrived is None:
        return ""
    took = elapsed(attempt.moments[EventKind.REQUESTED], arrived)
    return duration(took) if took else ""

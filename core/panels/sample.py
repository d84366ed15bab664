"""Sentences about sample traffic: how far it is loaded, and what the figures include."""

from core.sample.plan import DAYS, SampleState, SampleStatus
from core.wording.formats import counted

LOAD_WORDS = (
    f"Fill the sandbox with {DAYS} days of invented traffic, with incidents to find. It takes some "
    "seconds and can be removed again; your own attempts stay as they are."
)


def sample_words(state: SampleState) -> str:
    """The state in a sentence; "" without sample traffic."""
    if state.plan is None:
        return ""
    days = f"{state.days:,} of {counted(state.plan.days, 'day')}"
    attempts = counted(state.attempts, "attempt")
    match state.status:
        case SampleStatus.LOADING:
            return f"Loading sample traffic: {days}, {attempts}"
        case SampleStatus.STOPPED:
            return f"Includes sample traffic: {days}, {attempts}; the rest is not loaded"
        case SampleStatus.REMOVING:
            return f"Removing sample traffic: {days} left"
        case SampleStatus.LOADED:
            return f"Includes sample traffic: {attempts}"
        case SampleStatus.ABSENT:
            return ""

"""What a reset removes, by kind, and which keys that is."""

from collections.abc import Iterable
from enum import StrEnum

from core.model.errors import ResetRefused


class ResetKind(StrEnum):
    """What can be reset by itself. `removes` says what goes."""

    BUDGETS = "budgets"
    HANDSETS = "handsets"
    ATTEMPTS = "attempts"
    SAMPLE = "sample"

    @property
    def label(self) -> str:
        return _WORDS[self][0]

    @property
    def removes(self) -> str:
        return _WORDS[self][1]


_WORDS = {
    ResetKind.BUDGETS: (
        "Budgets",
        "Removes the counts of sends, spend, wrong codes, API requests and sign-in tries.",
    ),
    ResetKind.HANDSETS: (
        "Handsets",
        "Removes the messages and calls on all simulated phones, and turns auto-answer off.",
    ),
    ResetKind.ATTEMPTS: (
        "Attempts and figures",
        "Removes all verifications, attempts, figures, alerts and webhook events, and sample "
        "traffic.",
    ),
    ResetKind.SAMPLE: (
        "Sample traffic",
        "Removes the attempts and figures of sample traffic. Your own attempts stay; figures of "
        "those that are no longer kept go too.",
    ),
}

#: Families of keys (the word behind `{sandbox}:v1:`) by the kind that removes them. None: a reset
#: leaves them, because they say who may do what, or who of several processes works.
FAMILIES: dict[str, ResetKind | None] = {
    **dict.fromkeys(
        ("failures", "guesses", "sends", "refusals", "spend", "tries", "requests"),
        ResetKind.BUDGETS,
    ),
    **dict.fromkeys(
        (
            "verification", "attempt", "events", "exchanges", "start", "follow", "counters",
            "checks", "recent", "number", "reference", "logs", "foreign", "expiries", "outbox",
            "outbox_events", "dead", "dead_events", "told", "simulated", "alerts", "alert_check",
            "alert_turn", "roll2",
        ),
        ResetKind.ATTEMPTS,
    ),
    **dict.fromkeys(
        ("tokens", "sessions", "invites", "probe", "log_turn", "log_token", "log_requests")
    ),
}  # fmt: skip
#: The families that hold what sample traffic has been added up into.
FIGURES = {"roll2", "recent", "number", "reference", "simulated", "alerts", "alert_check"}


def read_kinds(texts: Iterable[str]) -> frozenset[ResetKind]:
    """The kinds that are named, each text with commas between; all where none is. Raises
    ResetRefused for an unknown name."""
    names = {name.strip() for text in texts for name in text.split(",") if name.strip()}
    if unknown := names - set(ResetKind):
        raise ResetRefused(
            f"{len(unknown)} of the kinds to reset {'is' if len(unknown) == 1 else 'are'} unknown.",
            f"Choose among {', '.join(ResetKind)}; none means all of them.",
        )
    return frozenset(map(ResetKind, names)) or frozenset(ResetKind)

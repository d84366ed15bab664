"""The kinds of state that a reset removes, and the Redis keys of each."""

from collections.abc import Iterable
from enum import StrEnum

from core.model.errors import ResetRefused
from core.store.keys import ROLLUP_LAYOUT


class ResetKind(StrEnum):
    """A part of the sandbox's state that can be reset alone."""

    BUDGETS = "budgets"
    HANDSETS = "handsets"
    ATTEMPTS = "attempts"
    SAMPLE = "sample"
    TEST_SESSIONS = "test_sessions"

    @property
    def label(self) -> str:
        """The name on pages."""
        return _TEXTS[self][0]

    @property
    def removes(self) -> str:
        """A sentence on what a reset of this kind removes."""
        return _TEXTS[self][1]


_TEXTS = {
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
        "traffic. Notifications of alerts that are on their way stay.",
    ),
    ResetKind.SAMPLE: (
        "Sample traffic",
        "Removes the attempts of sample traffic, what they added to the figures, and all alerts. "
        "Your own attempts and their figures stay.",
    ),
    ResetKind.TEST_SESSIONS: (
        "Test sessions",
        "Removes the manual test sessions of the QA page, with their checklists, marks and notes.",
    ),
}
#: What is reset where no kind is named. Test sessions hold what people wrote, which nothing can
#: make again: they are removed only by name. Their marks and notes outlive their attempts.
WITHOUT_NAME = frozenset(ResetKind) - {ResetKind.TEST_SESSIONS}

#: The families of queued webhook events. A reset of attempts keeps the events of alerts in them.
EVENTS = ("outbox", "outbox_events")
#: Families of keys (the word after `{sandbox}:v1:`) and the kind that removes them. None: no reset
#: removes them, because they hold permissions or coordinate processes.
FAMILIES: dict[str, ResetKind | None] = {
    **dict.fromkeys(
        ("failures", "guesses", "sends", "refusals", "spend", "tries", "requests"),
        ResetKind.BUDGETS,
    ),
    **dict.fromkeys(
        (
            "verification", "attempt", "history", "exchanges", "start", "phone", "follow",
            "counters", "journal", "recent", "number", "reference", "logs", "foreign", "expiries",
            *EVENTS, "dead", "dead_events", "told", "alert_history",
            "alert_check", "alert_snoozes", "alert_turn", "budget_refusals", "refused_numbers",
            ROLLUP_LAYOUT,
        ),
        ResetKind.ATTEMPTS,
    ),
    **dict.fromkeys(("test_session", "test_sessions", "tester"), ResetKind.TEST_SESSIONS),
    **dict.fromkeys(
        ("tokens", "sessions", "invites", "probe", "log_turn", "log_token", "log_requests",
         "fold_turn")
    ),
}  # fmt: skip


def read_kinds(texts: Iterable[str]) -> frozenset[ResetKind]:
    """Parse comma-separated names of kinds; without texts, those of WITHOUT_NAME. Raises
    ResetRefused for an unknown name, and for texts without a name: a script's variable may be
    empty."""
    texts = list(texts)
    names = {name.strip() for text in texts for name in text.split(",") if name.strip()}
    if texts and not names:
        raise ResetRefused(
            "The kinds to reset are named, but empty.",
            f"Use {', '.join(ResetKind)}, or leave the parameter out to reset all but "
            f"{ResetKind.TEST_SESSIONS}.",
        )
    if unknown := names - set(ResetKind):
        raise ResetRefused(
            f"{len(unknown)} of the kinds to reset {'is' if len(unknown) == 1 else 'are'} unknown.",
            f"Use {', '.join(ResetKind)}, or leave the parameter out to reset all but "
            f"{ResetKind.TEST_SESSIONS}.",
        )
    return frozenset(map(ResetKind, names)) or WITHOUT_NAME

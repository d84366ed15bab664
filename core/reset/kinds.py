"""What a reset removes, by kind, and which keys that is."""

from collections.abc import Iterable
from enum import StrEnum

from core.errors import ResetRefused


class ResetKind(StrEnum):
    """What can be reset by itself. `words` say what goes."""

    BUDGETS = "budgets"
    HANDSETS = "handsets"
    ATTEMPTS = "attempts"
    SAMPLE = "sample"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    ResetKind.BUDGETS: "Budgets: counted sends, spend and wrong codes, limits of requests and of "
    "tries to sign in",
    ResetKind.HANDSETS: "Handsets: messages and calls on every simulated phone, and auto-answer",
    ResetKind.ATTEMPTS: "Attempts and figures: verifications, attempts, alerts, events for the "
    "webhook and all figures, sample traffic included",
    ResetKind.SAMPLE: "Sample traffic: its attempts and figures. Attempts of your own stay while "
    "they are kept; their older figures go",
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
    **dict.fromkeys(("tokens", "log_turn", "log_token", "log_requests")),
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

"""Results of sends that are refused, with their sentences."""

from datetime import timedelta

from core.ledger.ledger import Ledger
from core.model.verification import SendOutcome, SendResult
from core.verification.send_replies import RefusedByBudget
from core.wording import verification as words


def refused(
    verification: str | None,
    outcome: SendOutcome,
    why: str = "",
    retry_after: timedelta | None = None,
) -> SendResult:
    """A refusal. `why` is the budget or the status that explains it."""
    cause, remedy = words.send_refusal(outcome, why, retry_after)
    return SendResult(outcome, verification, retry_after, cause, remedy)


def refused_by_budget(
    ledger: Ledger, verification: str | None, refusal: RefusedByBudget
) -> SendResult:
    """A refusal by a budget. It is counted, since it may be an attack; only NOT_ALLOWED is not. (A
    cooldown is not counted either: people are impatient.)"""
    if refusal.outcome is not SendOutcome.NOT_ALLOWED:
        ledger.count(f"refused_{refusal.budget}")
    return refused(verification, refusal.outcome, refusal.budget, refusal.retry_after)

"""Results of sends that are refused, with their sentences."""

from datetime import timedelta

from core.ledger.ledger import Ledger
from core.model.verification import SendOutcome, SendResult
from core.verification.send_replies import BudgetSpent, NotAllowed, NumberLocked, Refusal
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


def refused_by_budget(ledger: Ledger, verification: str | None, refusal: Refusal) -> SendResult:
    """A refusal by a budget, which is counted, since it may be an attack. (A cooldown is not
    counted: people are impatient.)"""
    match refusal:
        case BudgetSpent(budget, retry_after):
            ledger.count(f"refused_{budget}")
            return refused(verification, SendOutcome.OVER_BUDGET, budget, retry_after)
        case NumberLocked(budget, retry_after):
            ledger.count(f"refused_{budget}")
            return refused(verification, SendOutcome.LOCKED, budget, retry_after)
        case NotAllowed(budget):
            return refused(verification, SendOutcome.NOT_ALLOWED, budget)

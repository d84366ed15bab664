"""Results of sends that are refused, with their sentences."""

from datetime import timedelta

from core.model.series import country_named
from core.model.verification import SendOutcome, SendResult, Verification
from core.store.refusals import RefusalCounter
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
    counter: RefusalCounter, send: Verification, refusal: RefusedByBudget, *, is_resend: bool
) -> SendResult:
    """A refusal by a budget of a send of this verification, which is kept only if it is a resend.
    It is counted, since it may be an attack; only NOT_ALLOWED is not. (A cooldown is not counted
    either: people are impatient.)"""
    if refusal.outcome is not SendOutcome.NOT_ALLOWED:
        country = country_named(send.to.region)
        counter.count(refusal.budget, send.way.channel, country, send.number_index)
    verification = send.id if is_resend else None
    return refused(verification, refusal.outcome, refusal.budget, refusal.retry_after)

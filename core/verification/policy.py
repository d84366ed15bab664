"""How often and how soon: the budgets, the cooldowns and when a call is offered.

Decision: own sliding windows in our scripts, not the `limits` package: reserving five budgets and
writing the verification must be one atomic step, and a reservation must be returnable.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.delivery.attempt import Attempt, EventKind, Mode, State
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `limit` in any `window`. `name` is what a refusal is explained by."""

    name: str
    limit: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class CallOffer:
    """From when on a call may replace the message, and why."""

    at: datetime
    reason: str


class Policy:
    """The settings' budgets, as questions with answers."""

    def __init__(self, settings: Settings) -> None:
        hour, day = timedelta(hours=1), timedelta(days=1)
        self._settings = settings
        #: Wrong codes per number; they survive resends, new verifications and success.
        self.failures = (
            Budget("failed_checks_per_hour", settings.failed_checks_per_hour, hour),
            Budget("failed_checks_per_day", settings.failed_checks_per_day, day),
        )
        #: Sends that Plivo refused, per number; they return what they took of the others.
        self.refusals = Budget("refused_sends_per_hour", settings.refused_sends_per_hour, hour)
        self.sends_per_number = (
            Budget("sends_per_10_minutes", settings.sends_per_10_minutes, timedelta(minutes=10)),
            Budget("sends_per_day", settings.sends_per_day, day),
        )
        self.sends_per_prefix = Budget("sends_per_prefix", settings.sends_per_prefix_per_hour, hour)
        self.sends_per_address = Budget(
            "sends_per_address", settings.sends_per_address_per_hour, hour
        )
        self.sends_per_country = Budget(
            "sends_per_country", settings.sends_per_country_per_hour, hour
        )

    def cooldown(self, attempts: int) -> timedelta:
        """The wait after the n-th attempt (from 1) of a verification; the last step repeats."""
        steps = self._settings.resend_cooldowns
        return timedelta(seconds=steps[min(attempts, len(steps)) - 1])

    def call_offer(self, attempt: Attempt, next_send: datetime) -> CallOffer | None:
        """When a call may replace this message; None when it was a call already.

        At once when the message is known to be lost; after a short wait without a receipt; and with
        the next resend where the receipt says delivered, because receipts are sometimes wrong.
        """
        if attempt.mode is Mode.CALL:
            return None
        requested = attempt.moments[EventKind.REQUESTED]
        if attempt.state.is_lost:
            return CallOffer(requested, "The message did not arrive.")
        if attempt.state is State.DELIVERED:
            return CallOffer(next_send, "Nothing on the phone yet?")
        wait = timedelta(seconds=self._settings.call_after_seconds)
        return CallOffer(requested + wait, "No delivery report yet.")

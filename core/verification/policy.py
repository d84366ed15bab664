"""How often and how soon: the budgets, the cooldowns and when another way is offered.

Decision: own sliding windows in our scripts, not the `limits` package: reserving all budgets and
writing the verification must be one atomic step, and a reservation must be returnable.

Wrong codes. A check must have room in three budgets: wrong codes of the number from one client
address in an hour, wrong codes of the number in a day, and all codes compared for the number in a
day. The first check of each verification needs room in the last one only, so wrong codes of a
stranger do not keep the owner of the number out. The last one is the hard ceiling: no more than
FAILED_CHECKS_PER_DAY + SENDS_PER_DAY codes are compared for a number in any 24 hours. A send is
refused as locked where its code could not be checked now.

Client addresses. IPv6 counts by /64. Without an address (a loopback peer, so perhaps a proxy that
sends no X-Forwarded-For), wrong codes share one budget for each number. Sends then share one
budget when live; in the sandbox, where localhost is the usual client, they have no such budget.

Sandbox. Everything is counted as when live. With SANDBOX_BUDGETS=warn (the default) a budget that
has no room, for sends or for wrong codes, refuses nothing: what it would have refused is kept with
the attempt or the verification and shown as a warning. These stay real, because they belong to one
verification, end in minutes and are a part of what is shown: the checks of a verification, the
cooldown before a resend, the lifetime. ALWAYS_REFUSED is an ending whose sends are refused as by a
spent budget, in both settings, so that a refusal can be tried.

Test numbers, those of TEST_NUMBERS and those that the sandbox leases, exist in the sandbox only.
They meet no budget in either setting and use none up, so that automated tests are never stopped
and stop no other send. What belongs to one verification holds for them too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.model.attempt import Attempt, EventKind, State
from core.model.phone_number import PhoneNumber
from core.model.verification import FallbackOffer
from core.model.way import Way
from core.settings.settings import Settings
from core.verification.number.lease_range import is_in_lease_range

#: Last digits of sandbox numbers to which every send is refused, as by the 10-minute budget.
ALWAYS_REFUSED = "0600"


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `limit` in any `window`. `name` identifies it in refusals and counters."""

    name: str
    limit: int
    window: timedelta


class Policy:
    """The budgets, cooldowns and offers that the settings give."""

    def __init__(self, settings: Settings) -> None:
        hour, day = timedelta(hours=1), timedelta(days=1)
        self._settings = settings
        self._fixed_numbers = {entry.number for entry in settings.test_numbers}
        #: Whether a budget without room refuses; else it warns.
        self.enforces = settings.enforces_budgets
        #: Wrong codes of a number, from one client address and from all. They survive resends, new
        #: verifications and success.
        self.failures_per_address = Budget(
            "failed_checks_per_hour", settings.failed_checks_per_hour, hour
        )
        self.failures = Budget("failed_checks_per_day", settings.failed_checks_per_day, day)
        #: All codes that are compared for a number, right ones too.
        self.guesses = Budget(
            "guesses_per_day", settings.failed_checks_per_day + settings.sends_per_day, day
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
        #: Of all clients whose address is not known; None: such sends have no budget of this kind.
        self.sends_without_address = None
        if not settings.is_sandbox:
            self.sends_without_address = Budget(
                "sends_without_address", settings.sends_per_address_per_hour, hour
            )
        self.sends_per_country = Budget(
            "sends_per_country", settings.sends_per_country_per_hour, hour
        )

    def is_test_number(self, number: PhoneNumber) -> bool:
        """Whether sends and checks of this number meet no budget; never when live."""
        return self._settings.is_sandbox and (
            number.e164 in self._fixed_numbers or is_in_lease_range(number)
        )

    def always_refuses(self, number: PhoneNumber) -> Budget | None:
        """The budget that refuses every send to this number; None when live."""
        if self._settings.is_sandbox and number.digits.endswith(ALWAYS_REFUSED):
            return self.sends_per_number[0]
        return None

    def cooldown(self, attempts: int) -> timedelta:
        """The wait after the n-th attempt (from 1) of a verification; the last step repeats."""
        steps = self._settings.resend_cooldowns
        return timedelta(seconds=steps[min(attempts, len(steps)) - 1])

    def next_send(self, attempts: Sequence[Attempt], cooldown_end: datetime) -> datetime:
        """From when on the same way may be used again. A cooldown gives an attempt time to arrive,
        so it ends when the newest attempt that Plivo accepted is known to be lost."""
        last = _last_accepted(attempts)
        if last is None or not last.state.is_lost:
            return cooldown_end
        return min(cooldown_end, last.moments[EventKind.REQUESTED])

    def fallback(
        self, way: Way, attempts: Sequence[Attempt], next_send: datetime
    ) -> FallbackOffer | None:
        """The offer in place of `way`, the current way of a verification with these attempts.

        At once when the code is known to be lost. A call also after a short wait without a receipt,
        and with the next resend where the receipt says delivered, because receipts are sometimes
        wrong; a message only after a lost call.
        """
        last = _last_accepted(attempts)
        if last is None:
            reason = f"The {'call' if way.is_call else 'message'} was not sent."
            return FallbackOffer(way.other, attempts[-1].moments[EventKind.REQUESTED], reason)
        requested = last.moments[EventKind.REQUESTED]
        if last.state.is_lost:
            reason = "The code was not heard." if way.is_call else "The message did not arrive."
            return FallbackOffer(way.other, requested, reason)
        if way.is_call:
            return None
        if last.state is State.DELIVERED:
            return FallbackOffer(way.other, next_send, "Nothing on the phone yet?")
        wait = timedelta(seconds=self._settings.call_after_seconds)
        return FallbackOffer(way.other, requested + wait, "No delivery report yet.")


def _last_accepted(attempts: Sequence[Attempt]) -> Attempt | None:
    """The newest attempt that Plivo did not reject: rejected ones were never sent."""
    return next((a for a in reversed(attempts) if a.state is not State.REJECTED), None)

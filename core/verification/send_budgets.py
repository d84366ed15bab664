"""Which budgets a send meets, with their keys in Redis."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from core.model.clock import duration_ms, to_ms
from core.model.grant import Allowance
from core.settings.keyring import Keyring
from core.store.keys import Keys
from core.verification.policy import Budget, Policy


class BudgetUse(StrEnum):
    """What a send does to a budget. The values are those of `_budgets.lua`."""

    SPENT = "spent"
    GRANTED = "granted"  # the same, but waiting does not help after a refusal
    LOOKED = "looked"  # spent elsewhere, but it can refuse
    LOCKS = "locks"  # the same, and its refusal locks the number


@dataclass(frozen=True, slots=True)
class Reservation:
    """What a send of one attempt takes from the budgets. `now` is also its name in the lists."""

    now: datetime
    price_micros: int
    spend_limit_micros: int
    region: str
    prefix: str
    number_index: str
    #: The client's network; None where it is not known.
    address: str | None
    #: Whether a code of this verification was checked already.
    was_checked: bool = False
    allowance: Allowance | None = None
    #: Of a test number, which meets only the budget of an invite.
    is_unlimited: bool = False

    def entry(self, attempt: str) -> str:
        """How this attempt is written into the lists of the budgets."""
        return f"{to_ms(self.now)}:{attempt}"


@dataclass(frozen=True, slots=True)
class KeyedBudget:
    """A budget, its list in Redis, and what a send does to it."""

    key: str
    budget: Budget
    use: BudgetUse


class SendBudgets:
    """The budgets of sends, by the policy."""

    def __init__(self, keys: Keys, keyring: Keyring, policy: Policy) -> None:
        self._keys = keys
        self._keyring = keyring
        self._policy = policy
        self._of_addresses = {policy.sends_per_address, policy.sends_without_address}
        #: The digest of a client's network, in keys.
        self.client_index = lru_cache(maxsize=10_000)(keyring.network_index)

    def of(self, reservation: Reservation) -> list[KeyedBudget]:
        """Every budget that such a send meets."""
        index, policy, keys = reservation.number_index, self._policy, self._keys
        prefix = self._keyring.prefix_index(reservation.prefix)
        client = self.client_index(reservation.address)
        of_invite = self._of_invite(reservation.allowance)
        if reservation.is_unlimited:
            return of_invite
        locks, spent = BudgetUse.LOCKS, BudgetUse.SPENT
        budgets = [KeyedBudget(keys.guesses(index), policy.guesses, locks)]
        if reservation.was_checked:
            # Its first check was let through already: the next one needs room here too.
            per_address = policy.failures_per_address
            budgets += [
                KeyedBudget(keys.failures(index, client), per_address, locks),
                KeyedBudget(keys.failures(index), policy.failures, locks),
            ]
        budgets += [
            KeyedBudget(keys.refusals(index), policy.refusals, BudgetUse.LOOKED),
            *(
                KeyedBudget(keys.sends("number", index), budget, spent)
                for budget in policy.sends_per_number
            ),
            KeyedBudget(keys.sends("prefix", prefix), policy.sends_per_prefix, spent),
            KeyedBudget(keys.sends("country", reservation.region), policy.sends_per_country, spent),
            *of_invite,
        ]
        of_client = (
            policy.sends_per_address if reservation.address else policy.sends_without_address
        )
        if of_client is not None:
            budgets.append(KeyedBudget(keys.sends("address", client), of_client, spent))
        return budgets

    def _of_invite(self, allowance: Allowance | None) -> list[KeyedBudget]:
        if allowance is None:
            return []
        per_invite = Budget("sends_per_invite", allowance.limit, allowance.keep)
        key = self._keys.sends("invite", allowance.name)
        return [KeyedBudget(key, per_invite, BudgetUse.GRANTED)]

    def returned_keys(self, reservation: Reservation) -> list[str]:
        """The lists that a definitely unsent attempt leaves: all that it spent from, but the
        client address's."""
        keys = [
            keyed.key
            for keyed in self.of(reservation)
            if keyed.use in {BudgetUse.SPENT, BudgetUse.GRANTED}
            and keyed.budget not in self._of_addresses
        ]
        return list(dict.fromkeys(keys))


def with_budgets(
    keys: list[str], budgets: list[KeyedBudget]
) -> tuple[list[str], list[dict[str, Any]]]:
    """The keys with those of the budgets, and the budgets as `_budgets.lua` reads them."""
    all_keys = list(dict.fromkeys([*keys, *(keyed.key for keyed in budgets)]))
    return all_keys, [
        {
            "key": all_keys.index(keyed.key) + 1,
            "limit": keyed.budget.limit,
            "window_ms": duration_ms(keyed.budget.window),
            "name": keyed.budget.name,
            "use": keyed.use,
        }
        for keyed in budgets
    ]

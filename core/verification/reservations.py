"""Makes the reservation of a send: what it takes from the budgets."""

import logging

from core.ledger.ledger import Ledger
from core.model.clock import Clock
from core.model.grant import Grant
from core.model.verification import Verification
from core.settings.settings import Settings
from core.verification.client_address import network_of
from core.verification.policy import Policy
from core.verification.send_budgets import Reservation

log = logging.getLogger(__name__)

#: Micro-dollars that no day's sends cost; a script reads it exactly.
NO_LIMIT = 2**53
#: The ledger counter of sends whose client had no address, where they share a budget.
WITHOUT_ADDRESS = "sends_without_address"


class Reservations:
    """Makes reservations by the settings."""

    def __init__(self, settings: Settings, policy: Policy, ledger: Ledger, clock: Clock) -> None:
        self._settings = settings
        self._policy = policy
        self._ledger = ledger
        self._clock = clock
        self._unknown_client_logged = False

    def reserve(self, verification: Verification, address: str | None, grant: Grant) -> Reservation:
        """The reservation of one attempt; `address` is the client's. Raises StoreUnavailable."""
        network = network_of(address)
        is_unlimited = self._policy.is_test_number(verification.to)
        if network is None and self._policy.sends_without_address is not None:
            self._note_unknown_client()
        return Reservation(
            now=self._clock.now(),
            price_micros=0 if is_unlimited else int(self._settings.assumed_price * 1_000_000),
            spend_limit_micros=(
                NO_LIMIT if is_unlimited else int(self._settings.spend_per_day * 1_000_000)
            ),
            region=verification.to.region,
            prefix=verification.to.prefix,
            number_index=verification.number_index,
            address=network,
            was_checked=verification.checks_left < verification.checks_allowed,
            allowance=grant.allowance,
            is_unlimited=is_unlimited,
        )

    def _note_unknown_client(self) -> None:
        """Count it, and log it once per process, for the operator."""
        self._ledger.count(WITHOUT_ADDRESS)
        if not self._unknown_client_logged:
            self._unknown_client_logged = True
            log.warning(
                "a client has no address: all such clients share one budget. "
                "Set X-Forwarded-For in the proxy, and client_address in API requests"
            )

"""Queues an event for each verification that has expired: no other code runs at that moment."""

from datetime import timedelta

from core.model.clock import Clock, to_ms
from core.store.client import Client
from core.store.keys import Keys
from core.store.scripts import Scripts

#: By how much the clocks of two processes may differ: no event may report an expiry while another
#: process would still accept the code.
GRACE = timedelta(seconds=2)
_BATCH = 200


class Expiries:
    """Queues `expired` once for each verification that ended without its code, also if several
    processes sweep."""

    def __init__(self, client: Client, scripts: Scripts, keys: Keys, clock: Clock) -> None:
        self._client = client
        self._scripts = scripts
        self._keys = keys
        self._clock = clock

    def sweep(self) -> int:
        """Queue all that are due; returns how many had expired. Raises StoreUnavailable: the rest
        is due next time."""
        expired = 0
        while due := self._due():
            keys = [self._keys.outbox, self._keys.outbox_events]
            now_ms = to_ms(self._clock.now())
            expired += sum(
                self._scripts.run_all(
                    "expire_verification",
                    [
                        (
                            [self._keys.expiries, self._keys.verification(verification), *keys],
                            {"now_ms": now_ms, "verification": verification},
                        )
                        for verification in due
                    ],
                )
            )
        return expired

    def _due(self) -> list[str]:
        before = to_ms(self._clock.now() - GRACE)
        due: list[str] = self._client.zrangebyscore(
            self._keys.expiries, "-inf", before, start=0, num=_BATCH
        )
        return due

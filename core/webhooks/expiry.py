"""Notices that a verification has expired: nothing else happens at that moment."""

from datetime import timedelta

from core.model.clock import Clock, to_ms
from core.store.client import Client
from core.store.keys import Keys
from core.store.scripts import Scripts

#: By how much the clocks of two processes may differ: one must not tell that a verification has
#: expired while another would still take its code.
GRACE = timedelta(seconds=2)
_BATCH = 200


class Expiries:
    """Queues `expired` for verifications that are over without their code, once each, however many
    processes ask."""

    def __init__(self, client: Client, scripts: Scripts, keys: Keys, clock: Clock) -> None:
        self._client = client
        self._scripts = scripts
        self._keys = keys
        self._clock = clock

    def sweep(self) -> int:
        """Queue all that is due; how many had expired. Raises StoreUnavailable: the rest is due
        next time."""
        expired = 0
        while due := self._due():
            keys = [self._keys.outbox, self._keys.outbox_events]
            now_ms = to_ms(self._clock.now())
            expired += sum(
                self._scripts.run_all(
                    "expire_verification",
                    [
                        (
                            [self._keys.expiries, self._keys.verification(one), *keys],
                            [now_ms, one],
                        )
                        for one in due
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

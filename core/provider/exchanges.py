"""HTTP exchanges with Plivo, both ways, masked: what the page shows behind the scenes."""

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from core.store.client import Client
from core.store.connection import store_errors
from core.store.keys import Keys
from core.store.scripts import Scripts

KEEP_EXCHANGES = 200


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request to Plivo, or one callback from it. All parts are masked before they come here.

    `direction` is "request" or "callback"; `at_ms` Unix milliseconds; `call` the SDK call that made
    a request, "" for a callback; `status` the HTTP status, None where no answer came; `span_ms` how
    long the answer took.
    """

    direction: str
    at_ms: int
    method: str
    url: str
    sent: dict[str, Any]
    status: int | None
    answer: Any
    span_ms: int
    call: str = ""


class Exchanges:
    """The exchanges of each verification, in a capped stream."""

    def __init__(self, client: Client, keys: Keys, keep: timedelta) -> None:
        self._client = client
        self._keys = keys
        self._keep_ms = keep // timedelta(milliseconds=1)
        self._scripts = Scripts(client)

    def record(self, verification: str, exchange: Exchange) -> None:
        """Keep one exchange and tell whoever watches. Raises StoreUnavailable."""
        self._scripts.run(
            "record_exchange",
            [self._keys.exchanges(verification)],
            [
                json.dumps(asdict(exchange)),
                KEEP_EXCHANGES,
                self._keep_ms,
                self._keys.changes,
                verification,
            ],
        )

    def of(self, verification: str) -> list[Exchange]:
        """The exchanges of a verification, oldest first."""
        with store_errors():
            entries = self._client.xrange(self._keys.exchanges(verification))
        return [Exchange(**json.loads(entry["exchange"])) for _, entry in entries]

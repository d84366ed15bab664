"""Stores the HTTP exchanges with Plivo of each verification, for the page's "behind the scenes"."""

import json
import math
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from core.model.clock import duration_ms
from core.model.exchange import Exchange
from core.store.client import Client
from core.store.keys import Keys
from core.store.left_out import LeftOut
from core.store.scripts import Scripts

KEEP_EXCHANGES = 200
_LARGEST = 2**53


_STORED = TypeAdapter(Exchange)


class Exchanges:
    """The exchanges of each verification, in a capped stream."""

    def __init__(self, client: Client, keys: Keys, keep: timedelta) -> None:
        self._client = client
        self._keys = keys
        self._keep_ms = duration_ms(keep)
        self._scripts = Scripts(client)
        self._left_out = LeftOut(client, keys)

    def record(self, verification: str, exchange: Exchange) -> None:
        """Store an exchange and publish the change. Raises StoreUnavailable."""
        storable = replace(exchange, sent=_plain(exchange.sent), answer=_plain(exchange.answer))
        self._scripts.run(
            "record_exchange",
            [self._keys.exchanges(verification)],
            {
                "exchange": json.dumps(asdict(storable)),
                "most": KEEP_EXCHANGES,
                "keep_ms": self._keep_ms,
                "changes": self._keys.changes,
                "verification": verification,
            },
        )

    def of(self, verification: str) -> list[Exchange]:
        """The exchanges of a verification, oldest first; without those that cannot be read."""
        entries = self._client.xrange(self._keys.exchanges(verification))
        exchanges = [self._read(verification, entry.get("exchange", "")) for _, entry in entries]
        return [exchange for exchange in exchanges if exchange is not None]

    def _read(self, verification: str, stored: str) -> Exchange | None:
        try:
            return _STORED.validate_json(stored)
        except ValidationError as error:
            self._left_out.record("exchange", verification, error)
            return None


def _plain(value: Any) -> Any:
    """A JSON value that every reader can parse: without lone surrogates, NaN, and integers that
    JavaScript would change."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case dict():
            return {_plain(name): _plain(part) for name, part in value.items()}
        case list():
            return [_plain(part) for part in value]
        case float() if not math.isfinite(value):
            return str(value)
        case int() if abs(value) > _LARGEST:
            return str(value)
        case _:
            return value

"""The Pub/Sub channel on which the scripts announce which verification changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.store.client import Client


class ChangeChannel:
    """The channel of one environment."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._name = name

    @contextmanager
    def subscription(self) -> Iterator[Any]:
        """A PubSub of redis-py whose messages carry the id of a verification. Raises
        StoreUnavailable, as does reading from it."""
        with self._client.pubsub(ignore_subscribe_messages=True) as pubsub:
            pubsub.subscribe(self._name)
            yield pubsub

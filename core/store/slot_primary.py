"""Finds the node of a Redis Cluster that holds the keys of an environment.

Decision: a Cluster is used through connections to one node, as a single server is, and not through
redis-py's Cluster client. All keys of an environment are in one slot, so that client would choose
the same node for every command; and it refuses EVALSHA, PUBLISH and WATCH in pipelines, and takes
an atomic pipeline apart unless asked otherwise. Here every pipeline, script, scan and subscription
works as on a single server. As behind Sentinels, each new connection asks where the primary is.

A node that no longer serves the slot answers MOVED and runs nothing. That answer, and no other, is
followed: the connection is opened again, to the node that the answer names, and sends again.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import (
    AuthenticationError,
    ClusterDownError,
    ConnectionError,
    MovedError,
    SlotNotCoveredError,
    TimeoutError,
)

#: How often a command follows MOVED: within half a second.
MOST_MOVES = 6
#: How long that answer counts for more than what other nodes say, which hear of a failover later.
_MOVED_SECONDS = 2.0

Address = tuple[str, int]


class SlotPrimary:
    """The primary of the slot of `key`. `open_connection` makes a connection to a node, which is
    closed after one question. May be used by many threads."""

    def __init__(
        self, nodes: Sequence[Address], key: str, open_connection: Callable[[str, int], Any]
    ) -> None:
        self._open_connection = open_connection
        self._slot = key_slot(key.encode(), REDIS_CLUSTER_HASH_SLOTS)
        self._seeds = tuple(nodes)
        #: The nodes of the last answer, the one that answered first.
        self._nodes: tuple[Address, ...] = ()
        #: Where the newest MOVED pointed, and when (monotonic).
        self._moved: tuple[Address | None, float] = None, 0.0

    def find(self) -> Address:
        """Where the primary is, by the first node that answers. Raises the errors of redis-py."""
        moved_to, moved_at = self._moved
        if moved_to is not None and time.monotonic() - moved_at < _MOVED_SECONDS:
            return moved_to
        failure: Exception | None = None
        for node in dict.fromkeys((*self._nodes, *self._seeds)):
            try:
                ranges = self._ask(node)
            except AuthenticationError:
                raise
            except (ConnectionError, TimeoutError, ClusterDownError) as error:
                failure = error
                continue
            return self._read(ranges, node)
        raise failure or ConnectionError("no node is known")

    def follow(self, moved: MovedError) -> None:
        """Connect to the node of this answer next. An answer without a host is ignored: then the
        nodes are asked."""
        if moved.host:
            self._moved = (moved.host, moved.port), time.monotonic()

    def _ask(self, node: Address) -> list[Any]:
        connection = self._open_connection(*node)
        try:
            connection.send_command("CLUSTER", "SLOTS")
            ranges: list[Any] = connection.read_response()
        finally:
            connection.disconnect()
        return ranges

    def _read(self, ranges: list[Any], node: Address) -> Address:
        nodes = {node: None}
        primary: Address | None = None
        for first, last, *servers in ranges:
            # A node that does not know its own name leaves it out, since the asker does.
            addresses = [(str(host or node[0]), int(port)) for host, port, *_ in servers]
            nodes.update(dict.fromkeys(addresses))
            if first <= self._slot <= last:
                primary = addresses[0]
        self._nodes = tuple(nodes)
        if primary is None:
            raise SlotNotCoveredError(f"Slot {self._slot} is not covered by the Cluster.")
        return primary

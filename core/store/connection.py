"""Connects to the Redis of `REDIS_URL`, or to the embedded one.

Decision: only connecting is retried, never a command. redis-py 8 by default sends
a command up to ten times more after a connection error or a time-out. The first may have run: a
check would then use two guesses, and a send two budgets. Cost: a command that is under way when
Redis restarts fails, and the caller decides. A connection that died while it was idle costs
nothing: the pool notices before it sends. MOVED and ASK of a Cluster are followed; those never ran.
"""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Lock
from typing import Any, cast

import redis
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.cluster import ClusterNode
from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelManagedConnection

from core.model.errors import SettingsRefused, StoreUnavailable
from core.settings.redis_address import RedisAddress, RedisKind, parse_address
from core.settings.settings import Settings
from core.store.client import Client, RawClient
from core.store.failures import NO_REDIS, store_errors
from core.store.redis_clients import ClusterClient, ServerClient
from core.store.server_binary import OLDEST

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 5.0
# More than the threads of one process; redis-py's own default of 100 could refuse some of them.
_MOST_CONNECTIONS = 1000

# At most 3 more tries within half a second: enough for the embedded server's restart. Time-outs
# are not tried again: the caller has waited long enough.
_CONNECTING = (
    ExponentialWithJitterBackoff(base=0.05, cap=0.2),
    3,
    (redis.ConnectionError,),
)


class _RetriesConnecting:
    """Mixed into a connection class: `connect` is tried again, commands are not."""

    def connect(self) -> None:
        connect: Callable[[], None] = super().connect  # type: ignore[misc]
        # A Retry of its own for each: it counts inside.
        Retry(*_CONNECTING).call_with_retry(connect, lambda error: None, _may_pass)


def _may_pass(error: Exception) -> bool:
    return not isinstance(error, redis.AuthenticationError)


class _Tcp(_RetriesConnecting, Connection):
    pass


class _Tls(_RetriesConnecting, SSLConnection):
    pass


class _UnixSocket(_RetriesConnecting, UnixDomainSocketConnection):
    pass


class _Primary(_RetriesConnecting, SentinelManagedConnection):
    pass


@dataclass(frozen=True, slots=True)
class RedisConnection:
    """An open connection pool, shared by all threads of the process.

    `client` answers with text, not bytes; `raw` with bytes, for the packed figures. Both raise
    StoreUnavailable. `where` is for people: what it is, which version, where; no password.
    `is_embedded`: the server is the product's own.
    """

    client: Client
    raw: RawClient
    where: str
    is_embedded: bool
    _opened: ExitStack

    def close(self) -> None:
        """Close the connections; an embedded server ends with its last user. May be repeated."""
        self._opened.close()


def connect(settings: Settings) -> RedisConnection:
    """Connect as the settings say, and check that this Redis is supported.

    Raises StoreUnavailable (no answer, too old, cannot be started) or SettingsRefused (REDIS_URL
    names another kind of Redis than the one that answers).
    """
    with ExitStack() as opened:
        if settings.redis_url is None:
            if sys.platform == "win32":
                raise StoreUnavailable(
                    "REDIS_URL is not set, and Redis does not run on Windows.",
                    "Set REDIS_URL, or start the application in WSL.",
                )
            # Imported here, because it needs `fcntl`, which Windows lacks.
            from core.store.embedded import EmbeddedRedis

            embedded = EmbeddedRedis(settings.data_dir)
            opened.callback(embedded.stop)
            address = parse_address(embedded.start())
            place = f"in {settings.data_dir.name}"
        else:
            address = parse_address(settings.redis_url)
            place = f"at {address.words}"
        with store_errors():
            client = cast(Client, _client(address, opened, text=True))
            server = client.info("server")
        what = _inspected(address, server)
        embedded_word = "" if settings.redis_url else "embedded "
        where = f"{embedded_word}{what} {place}"
        held = opened.pop_all()
        # Most processes never read packed figures, and a Cluster is asked for its nodes at once.
        raw = _OnFirstUse(lambda: _client(address, held, text=False))
        return RedisConnection(
            client, cast(RawClient, raw), where, settings.redis_url is None, held
        )


class _OnFirstUse:
    """A client that is created at its first use."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._lock = Lock()
        self._client: Any = None

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            if self._client is None:
                with store_errors():
                    self._client = self._make()
        return getattr(self._client, name)


def _client(address: RedisAddress, opened: ExitStack, *, text: bool) -> Any:
    """A client that closes with `opened`, and answers in text or in bytes."""
    options: dict[str, Any] = {
        "username": address.username,
        "password": address.password,
        "decode_responses": text,
        # Invalid UTF-8 in a record must not make the whole reply fail.
        "encoding_errors": "replace",
        # Packed figures come by the megabyte.
        "socket_read_size": 65_536 if text else 1 << 20,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "max_connections": _MOST_CONNECTIONS,
        # RESP2: every server speaks it, so a server that is too old is recognized by its version.
        "protocol": 2,
        # No CLIENT SETINFO and no notices of Redis Enterprise: two round trips per connection.
        "driver_info": None,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        **address.tls_files,
    }
    if address.kind is RedisKind.CLUSTER:
        return _cluster(address, options, opened)
    options |= {"db": address.db, "retry": Retry(NoBackoff(), 0)}
    if address.kind is RedisKind.SENTINEL:
        return _primary(address, options, opened)
    if address.kind is RedisKind.SOCKET:
        del options["socket_connect_timeout"]
        options |= {"connection_class": _UnixSocket, "path": address.path}
    else:
        (host, port) = address.hosts[0]
        kind = _Tls if address.tls else _Tcp
        options |= {"connection_class": kind, "host": host, "port": port}
    client = ServerClient.from_pool(redis.ConnectionPool(**options))
    opened.callback(client.close)
    return client


def _primary(address: RedisAddress, options: dict[str, Any], opened: ExitStack) -> Any:
    """A client of whichever server the Sentinels call the primary of the service."""
    asking = {
        "password": address.sentinel_password,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": CONNECT_SECONDS,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }
    sentinel = Sentinel(  # type: ignore[no-untyped-call]
        list(address.hosts), sentinel_kwargs=asking
    )
    opened.callback(sentinel.close)
    client = sentinel.master_for(  # type: ignore[no-untyped-call]
        address.service, redis_class=ServerClient, connection_class=_Primary, **options
    )
    opened.callback(client.close)
    return client


def _cluster(address: RedisAddress, options: dict[str, Any], opened: ExitStack) -> Any:
    """A client of a Cluster. Our keys are all in one slot, so nothing of ours needs two nodes."""
    *others, (host, port) = address.hosts
    shown_host = f"[{host}]" if ":" in host else host
    try:
        client = ClusterClient(
            startup_nodes=[ClusterNode(*node) for node in others],  # type: ignore[no-untyped-call]
            # As a URL, because only so a class for the connections is accepted.
            url=f"redis://{shown_host}:{port}",
            connection_class=_Tls if address.tls else _Tcp,
            retry=Retry(NoBackoff(), 0),
            **options,
        )
    except redis.exceptions.RedisClusterException as error:
        # redis-py raises this for any error reply to CLUSTER SLOTS; the reply itself is below it.
        reply = error.__cause__ and error.__cause__.__context__
        if "cluster support disabled" in str(reply):
            raise _wrong_kind("a Cluster", "a single server", "redis://host:port") from error
        raise
    opened.callback(client.close)
    return client


def _inspected(address: RedisAddress, server: dict[str, Any]) -> str:
    """Name and version, such as "Redis 6.2.14". Raises as `connect`."""
    # The name of the field in Valkey 9 differs.
    mode = server.get("redis_mode") or server.get("server_mode", "standalone")
    if mode == "sentinel":
        form = "redis+sentinel://host:port/service"
        raise _wrong_kind("a server", "a Sentinel", form)
    if mode == "cluster" and address.kind is not RedisKind.CLUSTER:
        raise _wrong_kind("a single server", "a node of a Cluster", "redis+cluster://host:port")
    if "redis_version" not in server:
        raise StoreUnavailable(*NO_REDIS)
    # Valkey reports the Redis version that it is compatible with, and its own beside it.
    compatible = str(server["redis_version"])
    name = "Valkey" if "valkey_version" in server else "Redis"
    version = str(server.get("valkey_version", compatible))
    if tuple(int(part) for part in compatible.split(".")[:2]) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise StoreUnavailable(
            f"{name} {version} at {address.words} is too old.",
            f"Set REDIS_URL to a Redis {oldest} or later, or to a Valkey.",
        )
    return f"{name} {version}"


def _wrong_kind(expected: str, actual: str, form: str) -> SettingsRefused:
    return SettingsRefused(
        f"REDIS_URL is for {expected}, but {actual} answers there.", f"Write it as {form}."
    )

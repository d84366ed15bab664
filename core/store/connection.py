"""Connects to the Redis of `REDIS_URL`, or to the embedded one.

Decision: only connecting is retried, never a command. redis-py 8 by default sends
a command up to ten times more after a connection error or a time-out. The first may have run: a
check would then use two guesses, and a send two budgets. Cost: a command that is under way when
Redis restarts fails, and the caller decides. A connection that died while it was idle costs
nothing: the pool notices before it sends. MOVED of a Cluster is followed, because nothing ran.
"""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, cast

import redis
from redis.backoff import ExponentialBackoff, ExponentialWithJitterBackoff, NoBackoff
from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import MovedError
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelManagedConnection

from core.model.errors import SettingsRefused, StoreUnavailable
from core.settings.redis_address import RedisAddress, RedisKind, parse_address
from core.settings.settings import Settings
from core.store.client import Client, RawClient
from core.store.failures import NO_REDIS
from core.store.keys import Keys
from core.store.own_connections import OwnConnections
from core.store.redis_clients import ServerClient
from core.store.server_binary import OLDEST
from core.store.slot_primary import MOST_MOVES, SlotPrimary

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
        # The pool calls this before every command.
        if self.is_connected:  # type: ignore[attr-defined]
            return
        connect: Callable[[], None] = super().connect  # type: ignore[misc]
        # A Retry of its own for each: it counts inside.
        Retry(*_CONNECTING).call_with_retry(connect, lambda error: None, _may_pass)


def _may_pass(error: Exception) -> bool:
    return not isinstance(error, redis.AuthenticationError)


class _Tcp(_RetriesConnecting, Connection):
    pass


class _ReadsTickets:
    """Mixed into a TLS connection class. With TLS 1.3 the server sends session tickets after the
    handshake. Where nothing else is read first, such as the answer to AUTH, redis-py's pool takes
    them for an answer that was left over, and refuses the connection as "not ready"."""

    def on_connect_check_health(self, check_health: bool = True) -> None:
        super().on_connect_check_health(check_health)  # type: ignore[misc]
        self.send_command("PING", check_health=False)  # type: ignore[attr-defined]
        self.read_response()  # type: ignore[attr-defined]


class _Tls(_RetriesConnecting, _ReadsTickets, SSLConnection):
    pass


class _UnixSocket(_RetriesConnecting, UnixDomainSocketConnection):
    pass


class _Primary(_RetriesConnecting, SentinelManagedConnection):
    pass


class _ToSlotPrimary:
    """Mixed into a connection class: connects to the node of a Cluster that has the slot."""

    def __init__(self, *, primary: SlotPrimary, **options: Any) -> None:
        super().__init__(**options)
        self._primary = primary

    # Also a command on a closed connection opens it by this method.
    def connect_check_health(self, *args: Any, **options: Any) -> None:
        if not self.is_connected:  # type: ignore[attr-defined]
            self.host, self.port = self._primary.find()
        super().connect_check_health(*args, **options)  # type: ignore[misc]

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return super().read_response(*args, **options)  # type: ignore[misc]
        except MovedError as error:
            self._primary.follow(error)
            raise


class _ClusterTcp(_RetriesConnecting, _ToSlotPrimary, Connection):
    pass


class _ClusterTls(_RetriesConnecting, _ToSlotPrimary, _ReadsTickets, SSLConnection):
    pass


@dataclass(frozen=True, slots=True)
class RedisConnection:
    """An open connection pool, shared by all threads of the process.

    `client` answers with text, not bytes; `raw` with bytes, for the packed figures; `own` with
    text, for single scripts. All raise StoreUnavailable. `where` is for people: what it is, which
    version, where; no password. `is_embedded`: the server is the product's own.
    """

    client: Client
    raw: RawClient
    own: OwnConnections
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
        key = Keys(settings.mode.value).probe
        client = _client(address, key, opened, text=True)
        try:
            server = client.info("server")
        except redis.ResponseError as error:
            if "cluster support disabled" not in str(error):
                raise
            form = "redis://host:port"
            raise _wrong_kind("a Cluster", "a single server", form) from error
        except StoreUnavailable as error:
            # The embedded server has just answered; another one is named by its address.
            cause = f"{error.cause.rstrip('.')} ({place})."
            raise type(error)(cause, error.remedy) from error.__cause__
        what = _inspected(address, server)
        embedded_word = "" if settings.redis_url else "embedded "
        where = f"{embedded_word}{what} {place}"
        raw = _client(address, key, opened, text=False)
        pool = client.connection_pool
        own = OwnConnections(lambda: pool.connection_class(**pool.connection_kwargs))
        opened.callback(own.close)
        return RedisConnection(
            cast(Client, client),
            cast(RawClient, raw),
            own,
            where,
            settings.redis_url is None,
            opened.pop_all(),
        )


def _client(address: RedisAddress, key: str, opened: ExitStack, *, text: bool) -> Any:
    """A client that closes with `opened`, and answers in text or in bytes. In a Cluster it speaks
    to the node that has `key`."""
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
    options |= {"db": address.db, "retry": Retry(NoBackoff(), 0)}
    if address.kind is RedisKind.SENTINEL:
        return _primary(address, options, opened)
    if address.kind is RedisKind.CLUSTER:
        options = _cluster(address, key, options)
    elif address.kind is RedisKind.SOCKET:
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


def _cluster(address: RedisAddress, key: str, options: dict[str, Any]) -> dict[str, Any]:
    """The options of a pool for the primary that has `key`."""
    asking = {name: value for name, value in options.items() if name != "max_connections"}
    asking |= {"decode_responses": True, "socket_timeout": CONNECT_SECONDS}

    def open_connection(host: str, port: int) -> Connection:
        kind = SSLConnection if address.tls else Connection
        connection: Connection = kind(host=host, port=port, **asking)
        connection.connect()  # type: ignore[no-untyped-call]
        return connection

    return options | {
        "connection_class": _ClusterTls if address.tls else _ClusterTcp,
        "primary": SlotPrimary(address.hosts, key, open_connection),
        "retry": Retry(
            ExponentialBackoff(base=0.005, cap=0.2), MOST_MOVES, supported_errors=(MovedError,)
        ),
    }


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

"""The one connection to Redis, whatever REDIS_URL names; and its errors by the product's name.

Decision: no command is ever sent twice by the client. redis-py would repeat after a lost connection
or a time-out, but a script that was sent may have run, and a check would be counted twice. A pooled
connection that the server closed is noticed when it is taken, before anything is sent on it.
"""

from types import TracebackType
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    ClusterError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    TryAgainError,
)
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError, Sentinel, SlaveNotFoundError

from core.errors import SettingsRefused, StoreUnavailable
from core.settings import Settings
from core.store.client import Client
from core.store.embedded import EmbeddedRedis

OLDEST = (6, 2)
CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 5.0
FORMS = (
    "redis://host:6379/0, rediss://…, unix:///path, redis+cluster://host:6379 or "
    "redis+sentinel://host:26379,host2:26379/service/0"
)

# What means that Redis is away, full or not ours to write; anything else is a bug and stays itself.
_AWAY = (
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    BusyLoadingError,
    ClusterDownError,
    ClusterError,
    MasterNotFoundError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    SlaveNotFoundError,
    TryAgainError,
)


class store_errors:
    """Turns Redis being away into StoreUnavailable; the cause stays attached. Costs under 1 µs."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None and issubclass(kind, _AWAY):
            assert error is not None  # noqa: S101  Python gives both or neither
            raise unavailable(error) from error


def unavailable(error: BaseException) -> StoreUnavailable:
    """The product's error for one of redis-py's; no address and no password in it."""
    if isinstance(error, OutOfMemoryError):
        return StoreUnavailable("Redis is out of memory.", "Give it more, or remove data.")
    if isinstance(error, ReadOnlyError):
        return StoreUnavailable("Redis is a read-only replica.", "Point REDIS_URL at the primary.")
    if isinstance(error, AuthenticationError | NoPermissionError):
        return StoreUnavailable("Redis refused the credentials.", "Check REDIS_URL.")
    if isinstance(error, BusyLoadingError):
        return StoreUnavailable("Redis is still loading its data.", "Try again in a moment.")
    if isinstance(error, redis.exceptions.TimeoutError):
        return StoreUnavailable("Redis did not answer in time.", "Try again in a moment.")
    return StoreUnavailable(
        "Redis cannot be reached.", "Check that it runs, then try again: nothing was lost."
    )


class RedisConnection:
    """A client, where it leads, and what to stop at the end. `client` decodes to `str`."""

    def __init__(self, client: Client, where: str, embedded: EmbeddedRedis | None) -> None:
        self.client = client
        self.where = where
        self._embedded = embedded

    def close(self) -> None:
        """Close the connections; stop the embedded server when nobody else uses it."""
        self.client.close()
        if self._embedded is not None:
            self._embedded.stop()


def connect(settings: Settings) -> RedisConnection:
    """Connect to REDIS_URL, or start the embedded server.

    Raises SettingsRefused for a URL of no known form, StoreUnavailable for a server that does not
    answer or is older than Redis 6.2.
    """
    if settings.redis_url:
        client, where, embedded = _client(settings.redis_url), _shown(settings.redis_url), None
    else:
        embedded = EmbeddedRedis(settings.data_path)
        client, where = _client(embedded.start()), "embedded"
    try:
        version = _version(client)
        if version < OLDEST:
            raise StoreUnavailable(
                f"Redis at {where} is version {version[0]}.{version[1]}.", "6.2 or later is needed."
            )
    except BaseException:
        client.close()
        if embedded is not None:
            embedded.stop()
        raise
    return RedisConnection(client, f"{where}, version {version[0]}.{version[1]}", embedded)


def _client(url: str) -> Client:
    options: dict[str, Any] = {
        "decode_responses": True,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }
    scheme, _, rest = url.partition("://")
    kind, _, form = scheme.partition("+")
    try:
        match kind, form:
            case "redis" | "rediss" | "unix", "":
                return cast(Client, redis.Redis.from_url(url, **options))
            case "redis" | "rediss", "cluster":
                options["cluster_error_retry_attempts"] = 0
                with store_errors():
                    # Every key of ours is in one slot, so what is used of it is what Redis has too.
                    cluster = RedisCluster.from_url(f"{kind}://{rest}", **options)
                return cast(Client, cluster)
            case "redis" | "rediss", "sentinel":
                return _from_sentinel(url, kind == "rediss", options)
    except (ValueError, IndexError) as error:
        raise SettingsRefused(
            f"REDIS_URL is not understood; allowed: {FORMS}.", _CORRECT
        ) from error
    raise SettingsRefused(f"REDIS_URL is not understood; allowed: {FORMS}.", _CORRECT)


_CORRECT = "Correct the variable and start again."


def _from_sentinel(url: str, tls: bool, options: dict[str, Any]) -> Client:
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2].split(",")
    service, _, db = parts.path.strip("/").partition("/")
    if not service:
        raise ValueError("the service's name is missing")
    sentinels = [(host, int(port or 26379)) for host, _, port in (h.partition(":") for h in hosts)]
    options |= {"db": int(db or 0), "ssl": tls}
    if parts.password:
        options |= {"username": parts.username or None, "password": unquote(parts.password)}
    sentinel = Sentinel(sentinels, socket_timeout=CONNECT_SECONDS)  # type: ignore[no-untyped-call]
    return cast(Client, sentinel.master_for(service, **options))  # type: ignore[no-untyped-call]


def _version(client: Client) -> tuple[int, int]:
    with store_errors():
        info = client.info("server")
    if "redis_version" not in info:  # a Cluster answers by node
        info = next(iter(info.values()))
    major, minor, *_ = str(info["redis_version"]).split(".")
    return int(major), int(minor)


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

"""The errors of redis-py that are nobody's mistake in our code, as StoreUnavailable.

    with store_errors():
        client.hgetall(key)

What is not in the table, above all the error of a script, passes through unchanged: it is a bug,
and must look like one.
"""

import re
from types import TracebackType

from redis import exceptions

from core.errors import StoreUnavailable

_AGAIN = "Try again in a moment."
_CLUSTER = ("The Redis Cluster cannot serve all keys at present.", "Check it: CLUSTER INFO.")

#: Cause and remedy where something answers, in another language or with nothing that Redis tells.
NO_REDIS = ("What answers there is no Redis.", "Check the host and the port in REDIS_URL.")

# In order: the first class that fits is taken, so a subclass stands before its base.
_FAILURES: tuple[tuple[type[Exception], str, str], ...] = (
    (
        exceptions.AuthenticationError,
        "Redis refused the user or the password.",
        "Correct them in REDIS_URL and restart.",
    ),
    (
        exceptions.NoPermissionError,
        "Redis does not allow this user what the product needs.",
        "Allow the user of REDIS_URL all commands on the keys {sandbox}:* and {live}:*.",
    ),
    (exceptions.BusyLoadingError, "Redis is still loading its data.", _AGAIN),
    (
        exceptions.MaxConnectionsError,
        "All connections to Redis are in use.",
        "Try again in a moment; if that lasts, look for what holds them.",
    ),
    (exceptions.InvalidResponse, *NO_REDIS),
    (exceptions.ClusterError, *_CLUSTER),
    (exceptions.SlotNotCoveredError, *_CLUSTER),
    (exceptions.TryAgainError, *_CLUSTER),
    (
        exceptions.ReadOnlyError,
        "This Redis is a replica and takes no writes.",
        "Set REDIS_URL to the primary, or to the Sentinels.",
    ),
    (
        exceptions.OutOfMemoryError,
        "Redis has no memory left to write.",
        "Raise its maxmemory, or free some.",
    ),
    (
        exceptions.TimeoutError,
        "Redis did not answer in time.",
        "Check that Redis is running and not overloaded, then try again.",
    ),
    (
        exceptions.ConnectionError,
        "Redis cannot be reached.",
        "Check that Redis is running and that REDIS_URL is right, then try again.",
    ),
)

# Replies for which redis-py has no class, at the start of a reply; or one that has, but came from
# within a script: Redis 6.2 then puts the inner error into the text of its own.
_REPLIES = {
    "MISCONF": (
        "Redis takes no writes because it cannot save them.",
        "Look for a full or failing disk on the machine of Redis.",
    ),
    "NOREPLICAS": (
        "Redis takes no writes because it has too few replicas.",
        "Bring its replicas back.",
    ),
    "BUSY": ("Redis is busy with a long script.", _AGAIN),
    "OOM": ("Redis has no memory left to write.", "Raise its maxmemory, or free some."),
    "READONLY": (
        "This Redis is a replica and takes no writes.",
        "Set REDIS_URL to the primary, or to the Sentinels.",
    ),
}
_REPLY = re.compile(rf"(?:^|Error running script.*: -)({'|'.join(_REPLIES)}) ", re.DOTALL)

# The client of a Cluster says with one class that no node answers and that its caller is wrong.
_CLUSTER_IS_DOWN = (
    "Redis Cluster cannot be connected",
    "All slots are not covered",
    "startup_nodes could not agree",
)


def store_failure(error: BaseException) -> StoreUnavailable | None:
    """The StoreUnavailable that `error` is; None for an error that should stay what it is."""
    for kind, cause, remedy in _FAILURES:
        if isinstance(error, kind):
            return StoreUnavailable(cause, remedy)
    if isinstance(error, exceptions.ResponseError) and (found := _REPLY.search(str(error))):
        return StoreUnavailable(*_REPLIES[found[1]])
    if type(error) is exceptions.RedisClusterException and str(error).startswith(_CLUSTER_IS_DOWN):
        # Where it was one node's failure, that says more.
        inner = store_failure(error.__cause__) if error.__cause__ else None
        return inner or StoreUnavailable(*_CLUSTER)
    return None


class _StoreErrors:
    """Has no state, so one object serves all threads and `with` costs a tenth of a microsecond."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None and (failure := store_failure(error)):
            raise failure from error


_STORE_ERRORS = _StoreErrors()


def store_errors() -> _StoreErrors:
    """A context that raises StoreUnavailable in place of Redis being away, full or not ready; the
    original is its `__cause__`. After a time-out a command may have run, or may not."""
    return _STORE_ERRORS

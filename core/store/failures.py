"""Maps errors of redis-py that are not bugs of the product to StoreUnavailable.

    with store_errors():
        client.hgetall(key)

Only core/store does so: the clients of `connection.py` raise StoreUnavailable by themselves. An
error that is not in the tables, above all the error of a script, passes through unchanged: it is a
bug. ResponseError and WatchError are exported for the callers that expect them.
"""

import re
from types import TracebackType

from redis import exceptions
from redis.exceptions import ResponseError, WatchError

from core.model.errors import StoreForbidden, StoreReadOnly, StoreUnavailable

__all__ = ["NO_REDIS", "ResponseError", "WatchError", "store_errors", "store_failure"]

_AGAIN = "Try again in a moment."
_CLUSTER = ("The Redis Cluster cannot serve all keys at present.", "Check it: CLUSTER INFO.")
_PASSWORD = (
    "Redis refused the user or the password.",
    "Correct them in REDIS_URL (core/store/README.md says how to write a #, / or %) and restart.",
)
_PERMISSION = (
    "Redis does not allow this user what the product needs.",
    "Give the user of REDIS_URL the rights that core/store/README.md lists.",
)
_CONNECTIONS = (
    "Redis has no connection left for this process.",
    "Raise its maxclients, or look for what holds its connections.",
)

#: Cause and remedy where the answer is not Redis protocol, or lacks what Redis reports.
NO_REDIS = ("What answers there is no Redis.", "Check the host and the port in REDIS_URL.")

#: What an error reply of the server means, by the first word of the reply.
_REPLIES = {
    "MISCONF": (
        "Redis takes no writes because it cannot save them.",
        "Look for a full or failing disk on the machine of Redis.",
    ),
    "NOREPLICAS": (
        "Redis takes no writes because it has too few replicas.",
        "Bring its replicas back, or lower its min-replicas-to-write.",
    ),
    "READONLY": (
        "This Redis is a replica and takes no writes.",
        "Set REDIS_URL to the primary, or to the Sentinels.",
    ),
    "OOM": ("Redis has no memory left to write.", "Raise its maxmemory, or free some."),
    "LOADING": ("Redis is still loading its data.", _AGAIN),
    "BUSY": ("Redis is busy with a long script.", _AGAIN),
    "MASTERDOWN": (
        "This Redis is a replica that has lost its primary.",
        "Bring the primary back, or set REDIS_URL to it.",
    ),
    "CLUSTERDOWN": _CLUSTER,
    "TRYAGAIN": _CLUSTER,
    "NOAUTH": _PASSWORD,
    "WRONGPASS": _PASSWORD,
    "NOPERM": _PERMISSION,
    "DENIED": (
        "Redis is in protected mode and accepts only its own machine.",
        "Set a password there and in REDIS_URL, and restart.",
    ),
    # Not first words: these follow "ERR".
    "max number of clients": _CONNECTIONS,
    "The user executing the script can't": _PERMISSION,  # Redis 6.2
    "ACL failure in script": _PERMISSION,  # Redis 7 and later, Valkey
    "EXEC without MULTI": _PERMISSION,  # MULTI itself was refused
}

_READ_ONLY = [_REPLIES[word] for word in ("MISCONF", "NOREPLICAS", "READONLY", "OOM")]

# Finds the server's reply in the text of an error. In a pipeline, redis-py puts the command before
# it (its arguments may hold anything, so the last such mark counts). A transaction that was refused
# as a whole, and Redis 6.2 for a script, put their own prefix before it.
_REPLY = re.compile(
    r"(?:Command # \d+ \(.*\) of pipeline caused error: )?(?:\(')?"
    r"(?:Transaction discarded because of: )?"
    r"(?:ERR )?"
    r"(?:Error running script [^\n]*?@user_script:[^-\n]*?(?:-|: (?=The user)))?"
    rf"({'|'.join(map(re.escape, _REPLIES))})\b",
    re.DOTALL,
)

# Errors of the client itself. In order: the first class that fits is taken.
_FAILURES: tuple[tuple[type[Exception], str, str], ...] = (
    (exceptions.AuthenticationError, *_PASSWORD),
    (
        exceptions.MaxConnectionsError,
        "All connections to Redis are in use.",
        "Try again in a moment; if that lasts, look for what holds them.",
    ),
    (exceptions.InvalidResponse, *NO_REDIS),
    (exceptions.ClusterError, *_CLUSTER),
    (exceptions.SlotNotCoveredError, *_CLUSTER),
    # Also MOVED, where it was not followed.
    (
        exceptions.AskError,
        "The Redis Cluster is moving the product's keys to another node.",
        "Try again in a moment; if that lasts, finish the move: CLUSTER SLOTS.",
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


def store_failure(error: BaseException) -> StoreUnavailable | None:
    """The StoreUnavailable for `error`; None for an error that passes through."""
    if isinstance(error, exceptions.RedisError) and (reply := _reply(error)):
        if reply is _PERMISSION:
            return StoreForbidden(*reply)
        return (StoreReadOnly if reply in _READ_ONLY else StoreUnavailable)(*reply)
    for failure_kind, cause, remedy in _FAILURES:
        if isinstance(error, failure_kind):
            return StoreUnavailable(cause, remedy)
    return None


def _reply(error: exceptions.RedisError) -> tuple[str, str] | None:
    """Cause and remedy for the server's reply, without what redis-py or a script put around it."""
    # redis-py cuts off a first word that it knows and keeps it here, also within a pipeline.
    if reply := _REPLIES.get(error.status_code or ""):
        return reply
    if match := _REPLY.match(str(error)):
        return _REPLIES[match[1]]
    return None


class _StoreErrors:
    """Stateless, so one object serves all threads and `with` costs a tenth of a microsecond."""

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
    """A context that raises StoreUnavailable when Redis is away, full or not ready; the original
    error is its `__cause__`. After a time-out a command may or may not have run."""
    return _STORE_ERRORS

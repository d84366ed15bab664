"""The errors of redis-py that are nobody's mistake in our code, as StoreUnavailable.

    with store_errors():
        client.hgetall(key)

What is not in the table, above all the error of a script, passes through unchanged: it is a bug,
and must look like one.
"""

import re
from types import TracebackType

from redis import exceptions

from core.model.errors import StoreUnavailable

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

#: Cause and remedy where something answers, in another language or with nothing that Redis tells.
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
    # Not first words: what servers say of these after "ERR".
    "max number of clients": _CONNECTIONS,
    "The user executing the script can't": _PERMISSION,  # Redis 6.2
    "ACL failure in script": _PERMISSION,  # Redis 7 and later, Valkey
    "EXEC without MULTI": _PERMISSION,  # MULTI itself was refused
}

# Where the server's words stand in the text of an error. In a pipeline, redis-py puts the command
# before them (its arguments may hold anything, so the last such mark counts); a transaction that
# was refused as a whole, and Redis 6.2 for a script, put words of their own before them.
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

# The client of a Cluster says with one class that no node answers and that its caller is wrong.
_CLUSTER_IS_DOWN = (
    "Redis Cluster cannot be connected",
    "All slots are not covered",
    "startup_nodes could not agree",
)


def store_failure(error: BaseException) -> StoreUnavailable | None:
    """The StoreUnavailable that `error` is; None for an error that should stay what it is."""
    if isinstance(error, exceptions.RedisError) and (reply := _reply(error)):
        return StoreUnavailable(*reply)
    for kind, cause, remedy in _FAILURES:
        if isinstance(error, kind):
            return StoreUnavailable(cause, remedy)
    if type(error) is exceptions.RedisClusterException and str(error).startswith(_CLUSTER_IS_DOWN):
        # Where it was one node's failure, that says more.
        inner = error.__cause__
        while inner is not None:
            if found := store_failure(inner):
                return found
            inner = inner.__cause__ or inner.__context__
        return StoreUnavailable(*_CLUSTER)
    return None


def _reply(error: exceptions.RedisError) -> tuple[str, str] | None:
    """Cause and remedy of the server's reply, whatever redis-py or a script put around it."""
    # redis-py cuts off a first word that it knows and keeps it here, also within a pipeline.
    if found := _REPLIES.get(error.status_code or ""):
        return found
    if match := _REPLY.match(str(error)):
        return _REPLIES[match[1]]
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

"""Checks that Redis takes writes and that its user has all rights that the product needs."""

import time
from threading import Lock

from core.model.errors import StoreUnavailable
from core.store.client import Client
from core.store.keys import Keys
from core.store.scripts import Scripts, commands_of, script_names, source

#: Commands sent outside of scripts; MULTI and WATCH with the commands that end them.
_SENT = """
    DECR DEL EXPIRE GET HDEL HGET HGETALL HINCRBY HKEYS HMGET HSET HSETNX INCR INFO LINDEX LLEN LPOP
    LPUSH LRANGE LTRIM PEXPIRE SADD SET SISMEMBER SMEMBERS UNLINK XADD XLEN XRANGE XREVRANGE ZADD
    ZCARD ZRANGE ZRANGEBYSCORE ZREM ZREMRANGEBYSCORE ZREVRANGE ZREVRANGEBYSCORE ZSCORE
    MULTI EXEC DISCARD WATCH UNWATCH
"""
_PUSH = {"PUBLISH", "SUBSCRIBE"}
_KEEP_MS = 10_000
_REMEMBERED_SECONDS = 1.0


def commands_needed() -> list[str]:
    """All commands that the product sends, or runs in scripts, but those that `probe.lua` names."""
    in_scripts = {name for script in script_names() for name in commands_of(source(script))}
    return sorted(in_scripts | set(_SENT.split()))


class Probe:
    """Checks by a real write. The result is cached for a second, so that frequent health checks
    cost almost nothing."""

    def __init__(self, client: Client, scripts: Scripts, keys: Keys) -> None:
        self._client = client
        self._scripts = scripts
        self._keys = keys
        self._lock = Lock()
        self._checked_at: float | None = None
        self._failure: StoreUnavailable | None = None
        self._has_push = True

    def check(self) -> None:
        """Raises StoreUnavailable where Redis cannot be written, or the user lacks a command."""
        with self._lock:
            now = time.monotonic()
            if self._checked_at is None or now - self._checked_at >= _REMEMBERED_SECONDS:
                self._failure = self._check()
                self._checked_at = time.monotonic()
            failure = self._failure
        if failure is not None:
            raise StoreUnavailable(failure.cause, failure.remedy)

    def warnings(self) -> list[StoreUnavailable]:
        """What an operator should correct, by cause and remedy; none of it stops the start."""
        warnings = []
        try:
            self.check()
            policy = str(self._client.info("memory").get("maxmemory_policy", "noeviction"))
        except StoreUnavailable as error:
            return [error]
        if not self._has_push:
            warnings.append(
                StoreUnavailable(
                    "The user of REDIS_URL may not use the Pub/Sub channel, so pages look for news"
                    " every two seconds instead.",
                    "Give it the rights that core/store/README.md lists.",
                )
            )
        if policy != "noeviction":
            warnings.append(
                StoreUnavailable(
                    f"Redis drops keys when its memory is full (maxmemory-policy {policy}): budgets"
                    " and locks would then vanish without a word.",
                    "Set its maxmemory-policy to noeviction.",
                )
            )
        return warnings

    def _check(self) -> StoreUnavailable | None:
        try:
            missing = set(
                self._scripts.run(
                    "probe",
                    [self._keys.probe],
                    {
                        "keep_ms": _KEEP_MS,
                        "changes": self._keys.changes,
                        "commands": commands_needed(),
                    },
                )
            )
        except StoreUnavailable as error:
            return error
        self._has_push = not missing & _PUSH
        if lacking := sorted(missing - _PUSH):
            return StoreUnavailable(
                f"Redis does not allow this user the commands {', '.join(lacking)}.",
                "Give the user of REDIS_URL the rights that core/store/README.md lists.",
            )
        return None

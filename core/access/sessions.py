"""The operator's sessions: kept on the server, so that one can be revoked, or all of them."""

import hashlib
import secrets
from datetime import timedelta

from core.model.clock import Clock, to_ms
from core.store.client import Client
from core.store.keys import Keys

#: How long a session lasts.
SESSION = timedelta(hours=12)


class Sessions:
    """Sessions by id. Only the digest of an id is stored, so what is at rest opens nothing; `realm`
    is part of it, so a session ends with its realm. Every method raises StoreUnavailable."""

    def __init__(self, client: Client, keys: Keys, clock: Clock, realm: str) -> None:
        self._client = client
        self._keys = keys
        self._clock = clock
        self._realm = realm

    def open(self) -> str:
        """A new session's id."""
        made = secrets.token_urlsafe(32)
        now = self._clock.now()
        kept = self._client.hgetall(self._keys.sessions)
        ended = [digest for digest, ends_ms in kept.items() if int(ends_ms) <= to_ms(now)]
        with self._client.pipeline() as pipe:
            if ended:
                pipe.hdel(self._keys.sessions, *ended)
            pipe.hset(self._keys.sessions, self._digest(made), to_ms(now + SESSION))
            pipe.expire(self._keys.sessions, SESSION)
            pipe.execute()
        return made

    def is_open(self, session: str) -> bool:
        """Whether the session exists, has not ended and was not revoked: one HMGET."""
        (ends_ms,) = self._client.hmget(self._keys.sessions, self._digest(session))
        return ends_ms is not None and to_ms(self._clock.now()) < int(ends_ms)

    def revoke(self, session: str) -> None:
        """End one session."""
        with self._client.pipeline() as pipe:
            pipe.hdel(self._keys.sessions, self._digest(session))
            pipe.execute()

    def revoke_all(self) -> None:
        """End every session."""
        self._client.delete(self._keys.sessions)

    def _digest(self, session: str) -> str:
        return hashlib.sha256(f"{self._realm}\0{session}".encode()).hexdigest()

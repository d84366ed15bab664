"""Stores the operator's sessions on the server, so that one or all can be revoked."""

import hashlib
import secrets
from datetime import timedelta

from core.model.clock import Clock, to_ms
from core.store.client import Client
from core.store.keys import Keys

#: How long a session lasts.
SESSION_LIFETIME = timedelta(hours=12)


class Sessions:
    """Sessions by id. Only digests of ids are stored, so stored data opens no session. `realm` is
    part of the digest: a new realm ends all sessions. Every method raises StoreUnavailable."""

    def __init__(self, client: Client, keys: Keys, clock: Clock, realm: str) -> None:
        self._client = client
        self._keys = keys
        self._clock = clock
        self._realm = realm

    def open(self) -> str:
        """Start a session and return its id."""
        session = secrets.token_urlsafe(32)
        now = self._clock.now()
        sessions = self._client.hgetall(self._keys.sessions)
        ended = [digest for digest, ends_ms in sessions.items() if int(ends_ms) <= to_ms(now)]
        with self._client.pipeline() as pipe:
            if ended:
                pipe.hdel(self._keys.sessions, *ended)
            pipe.hset(self._keys.sessions, self._digest(session), to_ms(now + SESSION_LIFETIME))
            pipe.expire(self._keys.sessions, SESSION_LIFETIME)
            pipe.execute()
        return session

    def is_open(self, session: str) -> bool:
        """Whether the session exists, has not ended and was not revoked. One HMGET."""
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

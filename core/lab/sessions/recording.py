"""Which session a browser records into.

A browser has a random token in a cookie; Redis has the token's keyed digest and the session. So
every tab of the browser, also after a restart of the app, records into the same session.
"""

import secrets
from dataclasses import dataclass

from core.lab.sessions.records import read_session
from core.lab.sessions.store import RETENTION
from core.settings.keyring import Keyring
from core.store.client import Client
from core.store.keys import Keys

COOKIE = "tester"
#: As long as the session itself.
LIFETIME = RETENTION


@dataclass(frozen=True, slots=True)
class Recording:
    """The open session that a browser records into."""

    session: str
    name: str


class Recordings:
    """Starts, stops and finds recordings. Every method raises StoreUnavailable."""

    def __init__(self, client: Client, keys: Keys, keyring: Keyring) -> None:
        self._client = client
        self._keys = keys
        self._keyring = keyring

    def start(self, session_id: str, token: str | None) -> str:
        """Record into this session from now on; return the browser's token, a new one if it has
        none yet."""
        token = token or secrets.token_urlsafe(24)
        self._client.set(self._key(token), session_id, nx=False, px=LIFETIME)
        return token

    def stop(self, token: str) -> None:
        self._client.delete(self._key(token))

    def is_known(self, token: str) -> bool:
        """Whether this token was made here, and records."""
        return self._client.get(self._key(token)) is not None

    def find(self, token: str) -> Recording | None:
        """The session of a browser; None if it records into none, or that is ended or deleted."""
        session_id = self._client.get(self._key(token))
        if session_id is None:
            return None
        names = ("about", "ended_ms")
        values = self._client.hmget(self._keys.test_session(session_id), *names)
        fields = {name: value for name, value in zip(names, values, strict=True) if value}
        session = read_session(session_id, fields)
        return Recording(session.id, session.name) if session and session.is_open else None

    def _key(self, token: str) -> str:
        return self._keys.tester(self._keyring.tester_index(token))

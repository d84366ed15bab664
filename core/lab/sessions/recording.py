"""Which session a browser records into.

A browser has a random token in a cookie; Redis has the token's keyed digest and the session. So
every tab of the browser, also after a restart of the app, records into the same session.
"""

import secrets
from dataclasses import dataclass
from enum import StrEnum

from core.lab.sessions.records import read_session
from core.lab.sessions.store import MAX_FIELDS, RETENTION
from core.settings.keyring import Keyring
from core.store.client import Client
from core.store.keys import Keys

COOKIE = "tester"
#: As long as the session itself.
LIFETIME = RETENTION


class RecordingState(StrEnum):
    """Whether a session collects what is sent. An ended one does again once it is reopened."""

    ACTIVE = "active"
    FULL = "full"
    ENDED = "ended"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Recording:
    """The session that a browser records into. The name of a deleted one is not known."""

    session: str
    name: str
    state: RecordingState = RecordingState.ACTIVE

    @property
    def is_over(self) -> bool:
        return self.state in {RecordingState.ENDED, RecordingState.DELETED}


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
        """The session that a browser was made to record into; None if there is none."""
        session_id = self._client.get(self._key(token))
        if session_id is None:
            return None
        names, key = ("about", "ended_ms"), self._keys.test_session(session_id)
        with self._client.pipeline(transaction=False) as pipe:
            pipe.hmget(key, *names)
            pipe.hlen(key)
            values, size = pipe.execute()
        fields = {name: value for name, value in zip(names, values, strict=True) if value}
        session = read_session(session_id, fields)
        if session is None:
            return Recording(session_id, "", RecordingState.DELETED)
        state = RecordingState.FULL if size >= MAX_FIELDS else RecordingState.ACTIVE
        return Recording(
            session.id, session.name, state if session.is_open else RecordingState.ENDED
        )

    def _key(self, token: str) -> str:
        return self._keys.tester(self._keyring.tester_index(token))

"""Bearer tokens of the HTTP routes (RFC 6750): named, with scopes, stored as digests.

A token has 256 random bits, so a plain SHA-256 is enough at rest: it cannot be guessed. A new
SECRET_KEY does not end a token.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from threading import Lock

from core.model.clock import Clock, read_ms, to_ms
from core.model.errors import TokenRefused
from core.model.grant import Grant
from core.settings.keyring import Keyring
from core.store.client import Client
from core.store.keys import Keys
from core.store.left_out import LeftOut

LIFETIME = timedelta(days=365)
#: How long a process caches the tokens: a revoked token stops working everywhere within this time.
CACHE_LIFETIME = timedelta(seconds=2)
#: How long the cache also answers for unknown tokens.
UNKNOWN_TOKEN_CACHE_LIFETIME = timedelta(milliseconds=200)
SANDBOX_NAME = "sandbox"
_PREFIX = "pv_"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class Scope(StrEnum):
    """What the bearer of a token may do."""

    VERIFY = "verify"
    READ = "read"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret. Moments are aware, in UTC."""

    name: str
    scopes: frozenset[Scope]
    made_at: datetime
    expires_at: datetime

    def has_scope(self, scope: Scope) -> bool:
        """Whether it has `scope`; admin includes all scopes."""
        return bool(self.scopes & {scope, Scope.ADMIN})

    @property
    def grant(self) -> Grant:
        """What its bearer may do with verifications, after a check of the scope: everything."""
        return Grant(f"token {self.name}", touches_all=True)


def sandbox_token(keyring: Keyring) -> str:
    """The token that may do everything in the sandbox: derived, so that it need not be stored."""
    return f"{_PREFIX}sandbox_{keyring.signing_key('sandbox token').hex()}"


class Tokens:
    """Creates, lists, revokes and recognises tokens. Every method raises StoreUnavailable.

    With `in_sandbox`, `sandbox_token` is recognised too, with all scopes.
    """

    def __init__(
        self, client: Client, keys: Keys, keyring: Keyring, clock: Clock, *, in_sandbox: bool
    ) -> None:
        self._client = client
        self._keys = keys
        self._clock = clock
        #: Shown on the API page; None when live.
        self.sandbox_token = sandbox_token(keyring) if in_sandbox else None
        self._left_out = LeftOut(client, keys, clock)
        self._lock = Lock()
        self._read_at: datetime | None = None
        self._by_digest: dict[str, Token] = {}

    def make(self, name: str, scopes: frozenset[Scope], lifetime: timedelta = LIFETIME) -> str:
        """Create a token and return its secret, which is not stored. Raises TokenRefused for a name
        that is invalid or in use, no scope, and a wrong lifetime."""
        if not _NAME.fullmatch(name) or name == SANDBOX_NAME:
            raise TokenRefused(
                f'"{name[:40]}" cannot be the name of a token.',
                "Choose up to 40 small letters, digits and hyphens.",
            )
        if not scopes:
            raise TokenRefused("A token needs a scope.", "Give it verify, read or admin.")
        if not timedelta() < lifetime <= LIFETIME:
            raise TokenRefused("A token is valid for 1 to 365 days.", "Choose fewer days.")
        token = _PREFIX + secrets.token_urlsafe(32)
        now = self._clock.now()
        record = [
            _digest(token),
            ",".join(sorted(scopes)),
            str(to_ms(now)),
            str(to_ms(now + lifetime)),
        ]
        with self._client.pipeline() as pipe:
            pipe.hsetnx(self._keys.tokens, name, " ".join(record))
            # Every key has a TTL. This one is longer than the life of any token in it.
            pipe.expire(self._keys.tokens, LIFETIME + timedelta(days=1))
            is_new, _ = pipe.execute()
        with self._lock:
            self._read_at = None
        if not is_new:
            raise TokenRefused(
                f'There is a token named "{name}" already.', "Revoke it, or choose another name."
            )
        return token

    def revoke(self, name: str) -> bool:
        """End a token; False if there is no token with that name."""
        with self._client.pipeline() as pipe:
            pipe.hdel(self._keys.tokens, name)
            (ended,) = pipe.execute()
        with self._lock:
            self._read_at = None
        return bool(ended)

    def all(self) -> list[Token]:
        """The valid tokens, sorted by name."""
        now = self._clock.now()
        valid = (token for token in self._read().values() if now < token.expires_at)
        return sorted(valid, key=lambda token: token.name)

    def recognise(self, secret: str) -> Token | None:
        """The valid token with this secret; None for any other text."""
        now = self._clock.now()
        if self.sandbox_token and hmac.compare_digest(secret.encode(), self.sandbox_token.encode()):
            return Token(SANDBOX_NAME, frozenset(Scope), now, now + LIFETIME)
        digest = _digest(secret)
        with self._lock:
            age = None if self._read_at is None else now - self._read_at
            is_fresh = age is not None and timedelta() <= age < CACHE_LIFETIME
            token = self._by_digest.get(digest) if is_fresh else None
        # An unknown token may be new, so it is looked up. Guesses at tokens are not all looked up.
        if token is None and not (
            is_fresh and age is not None and age < UNKNOWN_TOKEN_CACHE_LIFETIME
        ):
            tokens = self._read()
            with self._lock:
                self._by_digest, self._read_at = tokens, now
            token = tokens.get(digest)
        return token if token and now < token.expires_at else None

    def _read(self) -> dict[str, Token]:
        records = self._client.hgetall(self._keys.tokens)
        tokens = {}
        for name, record in records.items():
            try:
                digest, token = _token(name, record)
            except ValueError as error:
                # An unreadable record gives no access and does not affect the other tokens.
                self._left_out.record("token", name, error)
            else:
                tokens[digest] = token
        return tokens


def _token(name: str, record: str) -> tuple[str, Token]:
    """The digest and the token of a stored record. Raises ValueError if it cannot be read."""
    digest, scopes, made_ms, expires_ms = record.split(" ")
    granted = frozenset(Scope(scope) for scope in scopes.split(","))
    return digest, Token(name, granted, read_ms(made_ms), read_ms(expires_ms))


def bearer(header: str | None) -> str:
    """The token in an `Authorization` header; "" if there is none."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

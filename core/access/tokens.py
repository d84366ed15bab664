"""Bearer tokens of the HTTP routes (RFC 6750): named, with scopes, known here by their digest only.

A token has 256 random bits, so a plain SHA-256 of it is enough at rest (there is nothing to guess),
and a new SECRET_KEY does not end it.
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
#: How long a process believes what it has read: a token that is revoked ends within it everywhere.
REMEMBERED = timedelta(seconds=2)
#: How soon it looks again for a token that it does not know.
LOOKED_UP = timedelta(milliseconds=200)
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
    """What is known of a token. Moments are aware, in UTC."""

    name: str
    scopes: frozenset[Scope]
    made_at: datetime
    expires_at: datetime

    def may(self, scope: Scope) -> bool:
        """Whether it holds `scope`; admin holds all of them."""
        return bool(self.scopes & {scope, Scope.ADMIN})

    @property
    def grant(self) -> Grant:
        """What its bearer, whose scope was checked, may do with verifications: all."""
        return Grant(f"token {self.name}", touches_all=True)


class Tokens:
    """Makes, lists, revokes and recognises tokens. Every method raises StoreUnavailable.

    With `in_sandbox`, one more is recognised, `sandbox_token`, which may do everything.
    """

    def __init__(
        self, client: Client, keys: Keys, keyring: Keyring, clock: Clock, *, in_sandbox: bool
    ) -> None:
        self._client = client
        self._keys = keys
        self._clock = clock
        #: Shown on a page, and derived so that it need not be kept; None when live.
        self.sandbox_token: str | None = None
        if in_sandbox:
            self.sandbox_token = f"{_PREFIX}sandbox_{keyring.signing_key('sandbox token').hex()}"
        self._left_out = LeftOut(client, keys, clock)
        self._lock = Lock()
        self._read_at: datetime | None = None
        self._by_digest: dict[str, Token] = {}

    def make(self, name: str, scopes: frozenset[Scope], lifetime: timedelta = LIFETIME) -> str:
        """A new token, told this once. Raises TokenRefused for a name that is taken or unfit, and
        for a token that could do nothing."""
        if not _NAME.fullmatch(name) or name == SANDBOX_NAME:
            raise TokenRefused(
                f'"{name[:40]}" cannot be the name of a token.',
                "Choose up to 40 small letters, digits and hyphens.",
            )
        if not scopes:
            raise TokenRefused("A token needs a scope.", "Give it verify, read or admin.")
        if not timedelta() < lifetime <= LIFETIME:
            raise TokenRefused("A token lives 1 to 365 days.", "Choose fewer days.")
        token = _PREFIX + secrets.token_urlsafe(32)
        now = self._clock.now()
        told = [
            _digest(token),
            ",".join(sorted(scopes)),
            str(to_ms(now)),
            str(to_ms(now + lifetime)),
        ]
        with self._client.pipeline() as pipe:
            pipe.hsetnx(self._keys.tokens, name, " ".join(told))
            # Every key has a TTL: this one outlives each token in it.
            pipe.expire(self._keys.tokens, LIFETIME + timedelta(days=1))
            made, _ = pipe.execute()
        with self._lock:
            self._read_at = None
        if not made:
            raise TokenRefused(
                f'There is a token named "{name}" already.', "Revoke it, or choose another name."
            )
        return token

    def revoke(self, name: str) -> bool:
        """End a token; False when there is none of that name."""
        with self._client.pipeline() as pipe:
            pipe.hdel(self._keys.tokens, name)
            (ended,) = pipe.execute()
        with self._lock:
            self._read_at = None
        return bool(ended)

    def all(self) -> list[Token]:
        """Those that are valid, by name."""
        now = self._clock.now()
        found = (token for token in self._read().values() if now < token.expires_at)
        return sorted(found, key=lambda token: token.name)

    def recognise(self, given: str) -> Token | None:
        """The valid token that was presented; None for any other text."""
        now = self._clock.now()
        if self.sandbox_token and hmac.compare_digest(given.encode(), self.sandbox_token.encode()):
            return Token(SANDBOX_NAME, frozenset(Scope), now, now + LIFETIME)
        digest = _digest(given)
        with self._lock:
            age = None if self._read_at is None else now - self._read_at
            is_fresh = age is not None and timedelta() <= age < REMEMBERED
            token = self._by_digest.get(digest) if is_fresh else None
        # One that is not known may have been made just now; but whoever tries out tokens does not
        # have them all looked up.
        if token is None and not (is_fresh and age is not None and age < LOOKED_UP):
            found = self._read()
            with self._lock:
                self._by_digest, self._read_at = found, now
            token = found.get(digest)
        return token if token and now < token.expires_at else None

    def _read(self) -> dict[str, Token]:
        kept = self._client.hgetall(self._keys.tokens)
        found = {}
        for name, told in kept.items():
            try:
                digest, token = _token(name, told)
            except ValueError as error:
                # A token that cannot be read opens nothing; the others do.
                self._left_out.record("token", name, error)
            else:
                found[digest] = token
        return found


def _token(name: str, stored: str) -> tuple[str, Token]:
    """Its digest, and the token. Raises ValueError for what cannot be read."""
    digest, scopes, made_ms, expires_ms = stored.split(" ")
    may = frozenset(Scope(scope) for scope in scopes.split(","))
    return digest, Token(name, may, read_ms(made_ms), read_ms(expires_ms))


def bearer(header: str | None) -> str:
    """The token in an `Authorization` header; "" without one."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

"""The operator's password: its hash, the tries that are allowed, and the signed cookie.

The cookie says until when it is good, and is signed with a key that the hash is part of: a new
password ends every session. Tries are counted before the password is compared, by client and
altogether, so that many at once share one count.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from itsdangerous import BadSignature, TimestampSigner

from core.clock import Clock
from core.keyring import Keyring
from core.store.client import Client
from core.store.connection import store_errors
from core.store.keys import Keys

COOKIE = "operator"
#: How long a session lasts.
SESSION = timedelta(hours=12)
#: Tries in WINDOW by one client, and by all.
TRIES, TRIES_OF_ALL = 5, 100
WINDOW = timedelta(minutes=10)
#: Nobody's password is longer; argon2 takes its time with what is.
LONGEST = 1024


class Gate(StrEnum):
    """Whether somebody may come in."""

    OPEN = "open"  # the sandbox: there is nothing to guard
    UNSET = "unset"  # live, and no password is set: nobody comes in
    CLOSED = "closed"
    SIGNED_IN = "signed_in"


class SignInOutcome(StrEnum):
    SIGNED_IN = "signed_in"
    WRONG = "wrong"
    WAIT = "wait"  # too many tries: this one was not even compared


@dataclass(frozen=True, slots=True)
class SignIn:
    """How a try ended. `cookie` is the session's, "" unless it succeeded."""

    outcome: SignInOutcome
    cookie: str = ""


class Access:
    """Guards the operator's pages. `password_hash` is None where none is set."""

    def __init__(
        self,
        password_hash: str | None,
        *,
        is_open: bool,
        client: Client,
        keys: Keys,
        keyring: Keyring,
        clock: Clock,
    ) -> None:
        self._hash = password_hash
        self._is_open = is_open
        self._client = client
        self._keys = keys
        self._keyring = keyring
        self._hasher = PasswordHasher()
        self._signer = _Signer(keyring.signing_key(f"operator {password_hash}"), clock)

    def gate(self, cookie: str | None) -> Gate:
        """Whether the bearer of this cookie may come in."""
        if self._is_open:
            return Gate.OPEN
        if self._hash is None:
            return Gate.UNSET
        if cookie is None:
            return Gate.CLOSED
        try:
            self._signer.unsign(cookie, max_age=int(SESSION.total_seconds()))
        except BadSignature:
            return Gate.CLOSED
        return Gate.SIGNED_IN

    def sign_in(self, password: str, address: str) -> SignIn:
        """Try a password. Slow on purpose: not for an event loop. Raises StoreUnavailable: then
        nothing was compared."""
        if self._hash is None or not self._may_try(address):
            return SignIn(SignInOutcome.WAIT if self._hash else SignInOutcome.WRONG)
        try:
            self._hasher.verify(self._hash, password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return SignIn(SignInOutcome.WRONG)
        return SignIn(SignInOutcome.SIGNED_IN, self._signer.sign(COOKIE).decode())

    def _may_try(self, address: str) -> bool:
        names = [self._keyring.index("tries", address), "all"]
        with store_errors(), self._client.pipeline() as pipe:
            for name in names:
                key = self._keys.tries(name)
                # Made with its end, so that a window never lasts for ever.
                pipe.set(key, 0, nx=True, ex=WINDOW)
                pipe.incr(key)
            answers = pipe.execute()
        return int(answers[1]) <= TRIES and int(answers[3]) <= TRIES_OF_ALL


class _Signer(TimestampSigner):
    """Signs with our clock's time."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        super().__init__(key)
        self._clock = clock

    def get_timestamp(self) -> int:
        return int(self._clock.now().timestamp())


def hash_of(password: str) -> str:
    """The argon2id hash of a password, as ADMIN_PASSWORD_HASH wants it."""
    return PasswordHasher().hash(password)

"""The operator's password: its hash, the tries that are allowed, and the cookies.

The `operator` cookie names a session, which the server can end. The `device` cookie marks a browser
that has signed in before: its tries are counted apart, so that nobody else can use them up. A try
is counted before the password is compared, and given back when it was right.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from itsdangerous import BadSignature, TimestampSigner

from core.access.sessions import Sessions
from core.model.clock import Clock
from core.settings.keyring import Keyring
from core.store.client import Client
from core.store.keys import Keys

COOKIE, DEVICE_COOKIE = "operator", "device"
#: How long a browser counts as one that has signed in before.
DEVICE = timedelta(days=180)
#: Tries in WINDOW by one client or one device, and by all clients.
TRIES, TRIES_OF_ALL = 5, 100
WINDOW = timedelta(minutes=10)
#: argon2 takes its time with a long password, so no longer one is compared.
LONGEST = 1024


class AccessState(StrEnum):
    """Whether somebody may use the operator's pages."""

    OPEN = "open"  # the sandbox: there is nothing to guard
    UNSET = "unset"  # live, and no password is set: nobody can sign in
    CLOSED = "closed"
    SIGNED_IN = "signed_in"


class SignInOutcome(StrEnum):
    SIGNED_IN = "signed_in"
    WRONG = "wrong"
    WAIT = "wait"  # too many tries: this one was not compared


@dataclass(frozen=True, slots=True)
class SignIn:
    """How a try ended. Both cookies are "" unless it succeeded."""

    outcome: SignInOutcome
    cookie: str = ""
    device: str = ""


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
        # The hash is part of the realm: a new password ends every session.
        realm = keyring.signing_key(f"operator {password_hash}").hex()
        self.sessions = Sessions(client, keys, clock, realm)
        # It is not part of this key: whoever changes the password is still who they were.
        self._devices = _Signer(keyring.signing_key("device"), clock)

    def gate(self, cookie: str | None) -> AccessState:
        """Whether the bearer of this cookie may use them. Raises StoreUnavailable."""
        if self._is_open:
            return AccessState.OPEN
        if self._hash is None:
            return AccessState.UNSET
        if not cookie or not self.sessions.is_open(cookie):
            return AccessState.CLOSED
        return AccessState.SIGNED_IN

    def sign_in(self, password: str, address: str, device: str | None = None) -> SignIn:
        """Try a password; `device` is the browser's device cookie. Slow on purpose: not for an
        event loop. Raises StoreUnavailable: then nothing was compared."""
        if self._hash is None:
            return SignIn(SignInOutcome.WRONG)
        known = self._known_device(device)
        names = [self._keyring.index("device", known)] if known else []
        if not names:
            names = [self._keyring.index("tries", address), "all"]
        if not self._may_try(names):
            return SignIn(SignInOutcome.WAIT)
        try:
            self._hasher.verify(self._hash, password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return SignIn(SignInOutcome.WRONG)
        self._give_back(names)
        known = known or secrets.token_urlsafe(16)
        return SignIn(
            SignInOutcome.SIGNED_IN, self.sessions.open(), self._devices.sign(known).decode()
        )

    def sign_out(self, cookie: str | None, *, everywhere: bool = False) -> None:
        """End the session of this cookie, or, if it is open, all of them."""
        if not cookie:
            return
        if everywhere and self.gate(cookie) is AccessState.SIGNED_IN:
            self.sessions.revoke_all()
        else:
            self.sessions.revoke(cookie)

    def _known_device(self, cookie: str | None) -> str:
        try:
            signed = self._devices.unsign(cookie or "", max_age=int(DEVICE.total_seconds()))
        except BadSignature:
            return ""
        return signed.decode()

    def _may_try(self, names: list[str]) -> bool:
        """Count a try under each name, and stop at the first that has no room: a client that is
        over its own limit takes nothing from the others."""
        limits = {"all": TRIES_OF_ALL}
        for name in names:
            key = self._keys.tries(name)
            with self._client.pipeline() as pipe:
                # Made with its end, so that every window ends.
                pipe.set(key, 0, nx=True, ex=WINDOW)
                pipe.incr(key)
                _, tries = pipe.execute()
            if int(tries) > limits.get(name, TRIES):
                return False
        return True

    def _give_back(self, names: list[str]) -> None:
        with self._client.pipeline() as pipe:
            for name in names:
                # Its window may have ended meanwhile: then this makes one that ends, too.
                pipe.set(self._keys.tries(name), 0, nx=True, ex=WINDOW)
                pipe.decr(self._keys.tries(name))
            pipe.execute()


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

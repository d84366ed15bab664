"""Checks the operator's password, limits the tries, and issues the cookies.

The `operator` cookie names a session, which the server can end. The `device` cookie marks a browser
that has signed in before: its tries are counted separately, so other clients cannot use them up. A
try is counted before the password is compared, and returned if the password is right.
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
#: How long the device cookie is valid.
DEVICE_LIFETIME = timedelta(days=180)
#: Tries in WINDOW by one client or one device, and by all clients.
MAX_TRIES, MAX_TRIES_OF_ALL = 5, 100
WINDOW = timedelta(minutes=10)
#: The time of argon2 grows with the password, so a longer password is cut.
MAX_PASSWORD_LENGTH = 1024


class AccessState(StrEnum):
    """Whether a browser may use the operator's pages."""

    OPEN = "open"  # the sandbox: no password is needed
    UNSET = "unset"  # live, and no password is set: sign-in is not possible
    CLOSED = "closed"
    SIGNED_IN = "signed_in"

    @property
    def admits(self) -> bool:
        """Whether the operator's pages are open to this browser."""
        return self in {AccessState.OPEN, AccessState.SIGNED_IN}


class SignInOutcome(StrEnum):
    SIGNED_IN = "signed_in"
    WRONG = "wrong"
    WAIT = "wait"  # too many tries: the password was not compared


@dataclass(frozen=True, slots=True)
class SignIn:
    """The result of a try. Both cookies are "" unless it succeeded."""

    outcome: SignInOutcome
    cookie: str = ""
    device: str = ""


class Access:
    """Guards the operator's pages. `password_hash` is None if no password is set."""

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
        # Not part of this key: a device stays known after a change of the password.
        self._devices = _Signer(keyring.signing_key("device"), clock)

    def gate(self, cookie: str | None) -> AccessState:
        """Whether a browser with this cookie may use the pages. Raises StoreUnavailable."""
        if self._is_open:
            return AccessState.OPEN
        if self._hash is None:
            return AccessState.UNSET
        if not cookie or not self.sessions.is_open(cookie):
            return AccessState.CLOSED
        return AccessState.SIGNED_IN

    def sign_in(self, password: str, address: str, device: str | None = None) -> SignIn:
        """Try a password; `device` is the browser's device cookie. Slow on purpose: do not call it
        on an event loop. Raises StoreUnavailable before any comparison."""
        if self._hash is None:
            return SignIn(SignInOutcome.WRONG)
        device_id = self._device_id(device)
        names = [self._keyring.device_index(device_id)] if device_id else []
        if not names:
            names = [self._keyring.login_index(address), "all"]
        if not self._count_try(names):
            return SignIn(SignInOutcome.WAIT)
        try:
            self._hasher.verify(self._hash, password[:MAX_PASSWORD_LENGTH])
        except (VerificationError, InvalidHashError):
            return SignIn(SignInOutcome.WRONG)
        self._give_back(names)
        device_id = device_id or secrets.token_urlsafe(16)
        return SignIn(
            SignInOutcome.SIGNED_IN, self.sessions.open(), self._devices.sign(device_id).decode()
        )

    def sign_out(self, cookie: str | None, *, everywhere: bool = False) -> None:
        """End the session of this cookie, or, if it is open, all of them."""
        if not cookie:
            return
        if everywhere and self.gate(cookie) is AccessState.SIGNED_IN:
            self.sessions.revoke_all()
        else:
            self.sessions.revoke(cookie)

    def _device_id(self, cookie: str | None) -> str:
        try:
            signed = self._devices.unsign(
                cookie or "", max_age=int(DEVICE_LIFETIME.total_seconds())
            )
        except BadSignature:
            return ""
        return signed.decode()

    def _count_try(self, names: list[str]) -> bool:
        """Count a try under each name; False at the first name that is over its limit. So a client
        over its own limit does not use the limit of all clients."""
        limits = {"all": MAX_TRIES_OF_ALL}
        for name in names:
            key = self._keys.tries(name)
            with self._client.pipeline() as pipe:
                # Created with its TTL, so that every window ends.
                pipe.set(key, 0, nx=True, ex=WINDOW)
                pipe.incr(key)
                _, tries = pipe.execute()
            if int(tries) > limits.get(name, MAX_TRIES):
                return False
        return True

    def _give_back(self, names: list[str]) -> None:
        with self._client.pipeline() as pipe:
            for name in names:
                # If its window has ended meanwhile, this creates a new one with a TTL.
                pipe.set(self._keys.tries(name), 0, nx=True, ex=WINDOW)
                pipe.decr(self._keys.tries(name))
            pipe.execute()


class _Signer(TimestampSigner):
    """Signs with the time of the product's clock."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        super().__init__(key)
        self._clock = clock

    def get_timestamp(self) -> int:
        return int(self._clock.now().timestamp())


def hash_password(password: str) -> str:
    """The argon2id hash of a password, in the form of ADMIN_PASSWORD_HASH."""
    return PasswordHasher().hash(password)

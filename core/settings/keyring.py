"""Derives keys, digests and tokens from SECRET_KEY.

Decision: HMAC-SHA-256 with the purpose in the message, so a value of one purpose is useless for
another. Cost: a new SECRET_KEY ends open verifications, loses the budgets of numbers and refuses
callbacks that are still to come.
"""

import base64
import hashlib
import hmac
import secrets

from itsdangerous import BadSignature, Signer

from core.model.phone_number import PhoneNumber
from core.model.way import Way


class Keyring:
    """Derives keys, indexes and tokens. Holds the secret and hides it from its repr."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        # 256-bit signature. The separator is in neither alphabet, so a token has one way to split.
        self._signer = Signer(secret, sep=".", salt="callback", digest_method=hashlib.sha256)

    def __repr__(self) -> str:
        return "Keyring(•)"

    def _derive(self, purpose: str, message: str) -> bytes:
        return hmac.digest(self._secret, f"{purpose}\0{message}".encode(), "sha256")

    def code_seed(self, verification: str) -> str:
        """The base32 TOTP key of one verification: 256 bits (RFC 6238 recommends 160)."""
        return base64.b32encode(self._derive("code", verification)).decode().rstrip("=")

    def code_digest(self, verification: str, digits: str) -> str:
        """A keyed digest of `digits`, bound to the verification, in hex.

        Digests may be compared with `==`: the place of a difference does not depend on the digits.
        """
        return self._derive("check", f"{verification}\0{digits}").hex()

    def number_index(self, e164: str) -> str:
        """The digest of a number, for Redis keys and for finding its attempts."""
        return self._index("number", e164)

    def prefix_index(self, prefix: str) -> str:
        """The digest of a number without its last digits: `PhoneNumber.prefix`."""
        return self._index("prefix", prefix)

    def network_index(self, network: str | None) -> str:
        """The digest of a client's network. All clients without an address share one value."""
        return self._index("address", network) if network else "unknown"

    def request_index(self, number: PhoneNumber, way: Way) -> str:
        """The digest of what a start asks for: two starts with one idempotency key must agree."""
        return self._index("request", "\0".join((number.e164, way.channel, way.mode)))

    def idempotency_index(self, key: str) -> str:
        """The digest of a client's idempotency key."""
        return self._index("start", key)

    def login_index(self, address: str) -> str:
        """The digest of an address that passwords are tried from."""
        return self._index("tries", address)

    def device_index(self, device: str) -> str:
        """The digest of a browser that has signed in before."""
        return self._index("device", device)

    def phone_index(self, handle: str) -> str:
        """The digest of a `phone_handle`."""
        return self._index("phone", handle)

    def tester_index(self, token: str) -> str:
        """The digest of the token of a browser that records into a test session."""
        return self._index("tester", token)

    def _index(self, kind: str, value: str) -> str:
        # 24 hex digits (96 bits). Keyed, because all numbers could be tried against a plain hash.
        return self._derive(f"index {kind}", value).hex()[:24]

    def phone_handle(self, verification: str) -> str:
        """The unguessable, URL-safe name of a verification's simulated handset: 192 bits."""
        return base64.urlsafe_b64encode(self._derive("phone", verification)[:24]).decode()

    def signing_key(self, purpose: str) -> bytes:
        """A key of 256 bits for signatures of one purpose."""
        return self._derive("sign", purpose)

    def callback_token(self, attempt: str) -> str:
        """The unguessable, URL-safe token in the callback URLs of an attempt."""
        return self._signer.sign(attempt).decode()

    def attempt_id(self, token: str) -> str | None:
        """The attempt of a callback token; None if the token is not ours."""
        try:
            return self._signer.unsign(token).decode()
        except BadSignature:
            return None


def new_id() -> str:
    """A new verification id: 24 characters, 120 random bits. It opens the verification."""
    return base64.b32encode(secrets.token_bytes(15)).decode().lower()

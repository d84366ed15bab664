"""Every secret-keyed derivation, so that one key guards all of them and each has a purpose of its
own.

Decision: HMAC-SHA-256 under `SECRET_KEY` with the purpose in the message, so that a value made for
one purpose is worthless for another. Cost: rotating the key ends open verifications, forgets the
budgets of numbers and turns away callbacks that are still under way.
"""

import base64
import hashlib
import hmac
import secrets

from itsdangerous import BadSignature, Signer


class Keyring:
    """Derives keys, indexes and tokens. Holds the secret; its repr does not show it."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        # 256-bit signature; the separator is in neither alphabet, so a token splits one way only.
        self._signer = Signer(secret, sep=".", salt="callback", digest_method=hashlib.sha256)

    def __repr__(self) -> str:
        return "Keyring(•)"

    def _derive(self, purpose: str, message: str) -> bytes:
        return hmac.digest(self._secret, f"{purpose}\0{message}".encode(), "sha256")

    def code_seed(self, verification: str) -> str:
        """The base32 TOTP key of one verification: 256 bits, where RFC 6238 wants 160."""
        return base64.b32encode(self._derive("code", verification)).decode().rstrip("=")

    def code_digest(self, verification: str, digits: str) -> str:
        """A keyed digest of `digits`, bound to the verification, in hex.

        Two digests may be compared with `==` anywhere: how they differ says nothing of the digits.
        """
        return self._derive("check", f"{verification}\0{digits}").hex()

    def index(self, kind: str, value: str) -> str:
        """A name for `value` (a number, an address) that a key may carry in its place.

        24 hex digits (96 bits). Keyed, because ten digits could be tried out against a bare hash.
        """
        return self._derive(f"index {kind}", value).hex()[:24]

    def signing_key(self, purpose: str) -> bytes:
        """A key of 256 bits for signatures of one purpose."""
        return self._derive("sign", purpose)

    def callback_token(self, attempt: str) -> str:
        """The unguessable, URL-safe part of an attempt's callback URLs."""
        return self._signer.sign(attempt).decode()

    def attempt_id(self, token: str) -> str | None:
        """The attempt that a callback token was made for; None when it is not one of ours."""
        try:
            return self._signer.unsign(token).decode()
        except BadSignature:
            return None


def new_id() -> str:
    """A verification's id: 24 characters, 120 random bits. To know it is to be let in."""
    return base64.b32encode(secrets.token_bytes(15)).decode().lower()

"""The code: derived from the verification, so that Redis holds none and a resend repeats it.

Decision: RFC 6238 (by `pyotp`) with a key derived from `SECRET_KEY` and the verification's id. T0
is the verification's start and the step its lifetime, so one value covers the whole life and dies
with it. The SMS that arrives late still works. Rejected: a random code, stored encrypted: one more
secret at rest, and nothing gained. Cost: rotating the key, or changing the number of digits, ends
open verifications.
"""

import hashlib
import unicodedata

import pyotp

from core.keyring import Keyring

#: What is longer is no code, however it is written: making it plain could take seconds.
_LONGEST_ENTERED = 64
_SEPARATORS = str.maketrans("", "", " \t\n\r-\u2010\u2011\u2012\u2013\u00a0\u202f.")


class Code:
    """The digits of one verification. Neither `repr` nor `str` shows them; `reveal` does."""

    __slots__ = ("_digits",)

    def __init__(self, digits: str) -> None:
        self._digits = digits

    def __repr__(self) -> str:
        return "Code(•)"

    def reveal(self) -> str:
        """The digits, for the provider's request and the spoken answer, and for nothing else."""
        return self._digits


def code_of(keyring: Keyring, verification: str, digits: int) -> Code:
    """The code of a verification, `digits` (4-10) long, leading zeros kept."""
    # pyotp makes 6 digits at least. RFC 4226 takes the value modulo a power of ten, so the last
    # digits of a longer code are the shorter code.
    made = max(digits, 6)
    totp = pyotp.TOTP(keyring.code_seed(verification), digits=made, digest=hashlib.sha256)
    # Whether it is still alive is decided by the store's clock, in the script that counts the
    # check.
    return Code(totp.generate_otp(0)[-digits:])


def read_entered(typed: str, digits: int) -> str | None:
    """What a person entered, as ASCII digits; None when it cannot be a code of that length.

    Full-width and other compatibility digits become ASCII (NFKC); spaces, dashes and dots go.
    """
    if len(typed) > _LONGEST_ENTERED:
        return None
    text = unicodedata.normalize("NFKC", typed).translate(_SEPARATORS)
    return text if len(text) == digits and text.isascii() and text.isdigit() else None

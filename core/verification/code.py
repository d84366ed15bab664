"""The code: derived from the verification, so that Redis holds none and a resend repeats it.

Decision: RFC 6238 (by `pyotp`) with a key derived from `SECRET_KEY` and the verification's id. T0
is the verification's start and the step its lifetime, so one value is valid until the verification
expires, also when the message arrives late. Rejected: a random code, stored encrypted: one more
secret at rest, and nothing gained. Cost: rotating the key, or changing the number of digits, ends
open verifications.
"""

import hashlib
import re
import unicodedata

import pyotp

from core.model.code import Code
from core.settings.keyring import Keyring

#: A longer text is not a code: no more than this is read.
LONGEST_ENTERED = 64
#: Dashes outside the category Pd: the rest of Unicode's property Dash, the hyphen bullet, the
#: modifier letter minus, and the prolonged sound mark, which Japanese keyboards type for a dash.
_OTHER_DASHES = "\u2053\u207b\u208b\u2212\u2043\u02d7\u30fc\uff70"
#: Invisible characters outside the category Cf (Unicode's property Default_Ignorable_Code_Point):
#: joiners, fillers and variation selectors; and the empty Braille pattern.
_OTHER_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\ufff0-\ufff8\U000e0000-\U000e0fff]"
)


def code_of(keyring: Keyring, verification: str, digits: int) -> Code:
    """The code of a verification, `digits` (4-10) long, leading zeros kept."""
    # pyotp makes 6 digits at least. RFC 4226 takes the value modulo a power of ten, so the last
    # digits of a longer code are the shorter code.
    length = max(digits, 6)
    totp = pyotp.TOTP(keyring.code_seed(verification), digits=length, digest=hashlib.sha256)
    # The script that counts the check decides, by the store's clock, whether it is still valid.
    return Code(totp.generate_otp(0)[-digits:])


def read_entered(typed: str, digits: int) -> str | None:
    """What a person entered, as ASCII digits; None when it cannot be a code of that length.

    Decimal digits of any script become ASCII; spaces, dashes, dots and invisible marks go. The
    same rule for every border: the page, the REST API and the routes of the seed.
    """
    if len(typed) > LONGEST_ENTERED:
        return None
    # Almost every code is entered as plain digits, and each call for a character costs.
    plain = typed.isascii() and typed.isdigit()
    text = typed if plain else "".join(_plain(char) for char in typed)
    return text if len(text) == digits and text.isascii() and text.isdigit() else None


def _plain(char: str) -> str:
    """An ASCII digit for a decimal digit, nothing for what only separates or is not seen."""
    match unicodedata.category(char):
        case "Nd":
            return str(unicodedata.decimal(char))
        case "Cf" | "Pd":
            return ""
        case _:
            dropped = char in _OTHER_DASHES or char == "." or char.isspace()
            return "" if dropped or _OTHER_INVISIBLE.match(char) else char

"""Splits typed text into its digits, in their order, and the signs that change their meaning.

No digit is dropped, added or replaced. Text that cannot be split without that is refused: letters
among the digits, extensions, service codes (`*31#`), two numbers in one field.
"""

import re
import unicodedata
from dataclasses import dataclass

from core.verification.number.refusals import NumberRefusal, UnfitNumber

#: Longer text is refused before it is parsed.
LONGEST_TYPED = 250

_SINGLE_NUMBER = "Enter the digits of one number."
# Besides white space and dashes. U+30FC is what Japanese keyboards write for a dash.
_SEPARATORS = frozenset("().[]/~_'·•\u2019\u2212\u2053\u223c\u30fc")
# An extension after the number, as `ext. 12`, `x12`, `#12` or `;ext=12` (RFC 3966).
_EXTENSION = re.compile(
    r"(?<=[\d)\]])[\s,;(]*(?:(?:ext(?:ension|n)?|x)\b|(?:ext(?:ension|n)?|x)(?=\d)|#)"
    r"[\s.:=]*\d{1,20}\)?\s*$",
    re.IGNORECASE,
)
# Fewer digits before # are a service code, such as *31#.
_SHORTEST = 5
_BRACKETED_ZERO = re.compile(r"[(\[]\s*0\s*[)\]]")


@dataclass(frozen=True, slots=True, repr=False)
class NumberParts:
    """`digits` are ASCII. `has_plus`: a plus sign is before the first one. `bracketed_zero` and
    `slash` are positions in `digits`: of a zero that was typed as `(0)`, and of the first digit
    after a slash; None where there is none."""

    digits: str
    has_plus: bool
    bracketed_zero: int | None = None
    slash: int | None = None


def split_typed(text: str) -> NumberParts:
    """The parts of a typed number. Raises UnfitNumber."""
    if len(text) > LONGEST_TYPED:
        raise UnfitNumber(
            NumberRefusal.TOO_LONG, "No phone number is as long as that.", _SINGLE_NUMBER
        )
    plain = _without_parameters(_plain(text).strip())
    if not plain:
        raise UnfitNumber(NumberRefusal.EMPTY, "There is no number yet.", "Enter a phone number.")
    extension = _EXTENSION.search(plain)
    if extension and _count(plain[: extension.start()]) >= _SHORTEST:
        raise UnfitNumber(
            NumberRefusal.NOT_REACHABLE_KIND,
            "That number ends in an extension, which neither a message nor the call can dial.",
            "Enter a number that rings at your own phone.",
        )
    first = re.search("[0-9]", plain)
    if first is None:
        raise _unreadable("A phone number has digits, and there are none.")
    has_plus = _plus_of(plain[: first.start()])
    body = _without_last_marks(plain[first.start() :])
    _check_marks(body)
    zero = _BRACKETED_ZERO.search(body)
    head, slash, tail = body.partition("/")
    if (slash and not _count(tail) >= 3) or "/" in tail:
        raise _unreadable("A slash separates two numbers there.")
    return NumberParts(
        digits="".join(filter(str.isdigit, body)),
        has_plus=has_plus,
        bracketed_zero=_count(body[: zero.start()]) if zero else None,
        slash=_count(head) if slash else None,
    )


def _plain(text: str) -> str:
    """Decimal digits of any script as ASCII, full-width signs as plain ones (NFKC), and without
    invisible marks, such as those in a number copied from a list of contacts."""
    return "".join(map(_plain_char, text))


def _plain_char(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category == "Cf" or "\ufe00" <= char <= "\ufe0f":  # variation selectors
        return ""
    plain = unicodedata.normalize("NFKC", char)
    # NFKC would turn signs such as ², ① or Ⅳ into digits or letters.
    if category.startswith("N") or any(map(str.isdigit, plain)):
        raise _unreadable("That has a sign that only looks like a digit.")
    return plain


def _without_parameters(plain: str) -> str:
    """Without the parameters of a `tel:` address (RFC 3966), except for an extension. A number
    without a plus gets the digits of its `phone-context`."""
    if not plain.lower().startswith("tel:"):
        return plain
    number, *parameters = plain.split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.lower() == "ext":
            number = f"{number};ext={value}"
        elif name.lower() == "phone-context" and value.startswith("+") and "+" not in number:
            number = f"tel:{value}{number[len('tel:') :]}"
    return number


def _plus_of(label: str) -> bool:
    """Whether a plus sign is directly before the digits. Other text before them is a label such as
    "Mobile: ", unless it touches the digits (an O for a zero) or is a service code."""
    lead = len(label)
    while lead and (label[lead - 1] == "+" or _separates(label[lead - 1])):
        lead -= 1
    if any(sign in label[:lead] for sign in "+*#") or label[-1:].isalpha():
        raise _unreadable("The text before the number cannot be separated from its digits.")
    return "+" in label[lead:]


def _without_last_marks(body: str) -> str:
    """Without punctuation and pictures after the last digit."""
    end = len(body)
    while unicodedata.category(body[end - 1])[0] in "PSZ" and body[end - 1] not in "+*#":
        end -= 1
    return body[:end]


def _check_marks(body: str) -> None:
    """Raises UnfitNumber for what may not be between or after digits."""
    others = [char for char in body if not ("0" <= char <= "9" or _separates(char))]
    if any(map(str.isalpha, others)):
        raise UnfitNumber(
            NumberRefusal.NOT_A_NUMBER,
            "There are letters after the first digit.",
            "Enter digits in place of the letters, and leave out names.",
        )
    if "+" in others:
        raise _unreadable("There is a plus sign after the first digit.")
    if others:
        raise _unreadable("That is not one phone number.")


def _separates(char: str) -> bool:
    return char in _SEPARATORS or char == "\t" or unicodedata.category(char) in {"Zs", "Pd"}


def _count(text: str) -> int:
    return sum(map(str.isdigit, text))


def _unreadable(cause: str) -> UnfitNumber:
    return UnfitNumber(NumberRefusal.NOT_A_NUMBER, cause, _SINGLE_NUMBER)

"""Finds the characters that make a message cost more parts, and a cheaper way to write them."""

import unicodedata
from dataclasses import dataclass

from core.plivo.message_text import Encoding, TextSize, measure

# Typographic characters, and letters that Unicode does not decompose.
_PLAIN = {
    **dict.fromkeys("`\u00b4\u2018\u2019\u201a\u201b\u2032\u2039\u203a", "'"),
    **dict.fromkeys("\u00ab\u00bb\u201c\u201d\u201e\u201f\u2033", '"'),
    **dict.fromkeys("\u00b7\u2010\u2011\u2012\u2013\u2014\u2015\u2022\u2212", "-"),
    "\t": " ",
    "→": "->",
    "\u00d7": "x",
    "÷": "/",
    "\u2044": "/",
    "©": "(c)",
    "®": "(R)",
    "đ": "d",
    "Đ": "D",
    "ð": "d",
    "Ð": "D",
    "ł": "l",
    "Ł": "L",
    "\u0131": "i",
    "ħ": "h",
    "Ħ": "H",
    "œ": "oe",
    "Œ": "OE",
    "þ": "th",
    "Þ": "Th",
    "ŋ": "n",
    "Ŋ": "N",
    "ẞ": "SS",
}
# Characters of two septets that have a likeness of one.
_SHORTER = {
    "[": "(", "]": ")", "{": "(", "}": ")", "|": "/", "\\": "/", "~": "-", "^": "'", "\f": "\n",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Saving:
    """What makes a text cost more `parts` than it needs: each character once, in the order of the
    text, with what to write for it; "" where it can only be left out."""

    replacements: tuple[tuple[str, str], ...]
    parts: int


@dataclass(frozen=True, slots=True)
class MessagePreview:
    """A message as it will be sent: its text with dots for the code, its size, and how it could
    have fewer parts, if it could."""

    text: str
    size: TextSize
    saving: Saving | None


def saving(text: str) -> Saving | None:
    """The cheaper way to write the text; None if it would have as many parts. Letters of a script
    that GSM-7 lacks stay: nothing replaces them."""
    size = measure(text)
    best = None
    # The fewest changes first: without what forces UCS-2, then also without pairs of septets.
    for has_pairs in (True, False):
        replacements = _replacements(text, size, has_pairs=has_pairs)
        if replacements is None:
            return None
        changed = text.translate({ord(char): plain for char, plain in replacements})
        parts = measure(changed).parts
        if parts < (best.parts if best else size.parts):
            best = Saving(replacements, parts)
    return best


def _replacements(
    text: str, size: TextSize, *, has_pairs: bool
) -> tuple[tuple[str, str], ...] | None:
    """What to write for each character that GSM-7 lacks and, unless it still `has_pairs`, for each
    of two septets; None where there is nothing to write."""
    replacements = []
    for char in dict.fromkeys(text):
        if char in size.culprits:
            plain = _plain(char)
            if plain is None:
                return None
            replacements.append((char, plain))
        elif not has_pairs and char in _SHORTER:
            replacements.append((char, _SHORTER[char]))
    return tuple(replacements)


def _plain(char: str) -> str | None:
    """A likeness in GSM-7: "" for a sign without one, None for a letter without one."""
    if char in _PLAIN:
        return _PLAIN[char]
    category = unicodedata.category(char)
    if category == "Zs":
        return " "
    letters = [
        _PLAIN.get(part, part)
        for part in unicodedata.normalize("NFKD", char)
        if unicodedata.category(part) != "Mn"
    ]
    plain = "".join(letters)
    if plain and measure(plain).encoding is Encoding.GSM7:
        return plain
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    # Symbols, marks, and invisible characters; emoji are symbols joined by such.
    return "" if category[0] in "SMCZ" else None

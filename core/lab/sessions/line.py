"""Reads a text that people type or paste into one line."""

import unicodedata

#: Invisible characters of pasted text: the soft hyphen, spaces of no width, marks of direction, and
#: the byte-order mark.
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200e\u200f\u2060\ufeff"))
#: Parts of emoji and of Persian and Indian words.
_JOINERS = "\u200c\u200d"
#: Controls, halves of surrogate pairs, and what reverses the direction of the text beside it.
_REFUSED = {"Cc", "Cs", "Cf"}


class UnshownCharacter(ValueError):
    """A character that cannot be shown; its text is the code point, such as U+202E."""


def single_line(text: str) -> str:
    """The text in one line: white space becomes one space, and none is left around the text;
    invisible characters are removed. Raises UnshownCharacter for others that cannot be shown."""
    line = " ".join(text.translate(_INVISIBLE).split())
    for character in line:
        if unicodedata.category(character) in _REFUSED and character not in _JOINERS:
            raise UnshownCharacter(f"U+{ord(character):04X}")
    return line

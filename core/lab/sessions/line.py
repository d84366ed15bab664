"""Reads a text that people type or paste into one line."""

import unicodedata

#: Without a shape of their own: the soft hyphen, spaces of no width, marks of direction, and the
#: byte-order mark. They come with pasted text.
_SHAPELESS = dict.fromkeys(map(ord, "\u00ad\u200b\u200e\u200f\u2060\ufeff"))
#: Parts of emoji and of Persian and Indian words.
_JOINERS = "\u200c\u200d"
#: Controls, halves of surrogate pairs, and what reverses the direction of the text beside it.
_REFUSED = {"Cc", "Cs", "Cf"}


class UnshownCharacter(ValueError):
    """A character that cannot be shown; its text is the code point, such as U+202E."""


def single_line(text: str) -> str:
    """The text in one line: any white space is one space, none is around it, and what has no shape
    is left out. Raises UnshownCharacter for others that cannot be shown."""
    line = " ".join(text.translate(_SHAPELESS).split())
    for each in line:
        if unicodedata.category(each) in _REFUSED and each not in _JOINERS:
            raise UnshownCharacter(f"U+{ord(each):04X}")
    return line

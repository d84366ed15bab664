"""Counts the billing units of a text.

Sources: 3GPP TS 23.038 for the alphabet and its escapes; TS 23.040 for the parts: an escape and its
character, and a surrogate pair, stay in one part. Plivo's limits: 160 characters of that alphabet
in one part, else 153 in each, 1600 in all; otherwise 70, 67 and 737 UTF-16 units.
"""

from core.sandbox.errors import Refusal

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")  # each is sent as an escape and a character


def text_units(text: str) -> int:
    """Units of `text`, at least 1. Raises Refusal 400 if it is longer than Plivo allows."""
    if set(text) <= _BASIC | _EXTENDED:
        return _parts([1 + (c in _EXTENDED) for c in text], 160, 153, 1600)
    return _parts([1 + (ord(c) > 0xFFFF) for c in text], 70, 67, 737)


def _parts(widths: list[int], single: int, part: int, maximum: int) -> int:
    length = sum(widths)
    if length > maximum:
        raise Refusal(400, f"text is longer than the {maximum} characters allowed in a message")
    if length <= single:
        return 1
    parts, room = 1, part
    for width in widths:
        if width > room:
            parts, room = parts + 1, part
        room -= width
    return parts

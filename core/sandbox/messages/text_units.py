"""How many billing units a text takes.

Sources: 3GPP TS 23.038 for the alphabet and its escapes; TS 23.040 for parts: neither an escape and
its character nor a surrogate pair is split between two of them; Plivo's limits of 160/153
characters of that alphabet, or 70/67 UTF-16 units, and 1600 or 737 in all.
"""

from core.sandbox.errors import Refusal

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")  # each takes an escape character too


def text_units(text: str) -> int:
    """Units of `text`, 1 or more; Refusal 400 if Plivo would not take a text that long."""
    if set(text) <= _BASIC | _EXTENDED:
        return _parts([1 + (c in _EXTENDED) for c in text], 160, 153, 1600)
    return _parts([1 + (ord(c) > 0xFFFF) for c in text], 70, 67, 737)


def _parts(widths: list[int], single: int, part: int, most: int) -> int:
    length = sum(widths)
    if length > most:
        raise Refusal(400, f"text is longer than the {most} characters that one message may have")
    if length <= single:
        return 1
    parts, room = 1, part
    for width in widths:
        if width > room:
            parts, room = parts + 1, part
        room -= width
    return parts

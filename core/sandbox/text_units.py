"""How many billing units a text takes.

Source: 3GPP TS 23.038 for the alphabet; Plivo's limits of 160/153 characters of it, or 70/67
UCS-2 units, and 1600 or 737 in all.
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
        length = len(text) + sum(character in _EXTENDED for character in text)
        return _parts(length, 160, 153, 1600)
    return _parts(len(text.encode("utf-16-be")) // 2, 70, 67, 737)


def _parts(length: int, single: int, part: int, most: int) -> int:
    if length > most:
        raise Refusal(400, f"text is longer than the {most} characters that one message may have")
    return 1 if length <= single else -(-length // part)

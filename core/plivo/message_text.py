"""The text of the message: fills the template, and measures encoding and parts.

Decision: own measuring code. Of the packages that know the GSM alphabet, `gsm0338` is a codec that
does not count parts, and `smsutil`, which splits, had its last release in 2020.
Sources: 3GPP TS 23.038 (alphabet, escapes) and 23.040 (parts); WICG, "Origin-bound one-time codes
delivered via SMS"; Plivo's Message API for the longest text.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from core.model.errors import SettingsRefused

_PLACEHOLDER = re.compile(r"__([A-Za-z]+)__")
_NAMES = frozenset({"code", "brand", "minutes"})
_HOST = re.compile(
    r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.IGNORECASE
)

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Each is sent as an escape and a second septet.
_EXTENDED = frozenset("^{}\\[~]|€\f")


class Encoding(StrEnum):
    """The encoding of a message."""

    GSM7 = "GSM-7"
    UCS2 = "UCS-2"

    @property
    def alone(self) -> int:
        """Units in a message of one part."""
        return 160 if self is Encoding.GSM7 else 70

    @property
    def joined(self) -> int:
        """Units in each of several parts: the header that joins them takes the rest."""
        return 153 if self is Encoding.GSM7 else 67

    @property
    def longest(self) -> int:
        """Units that Plivo accepts."""
        return 1600 if self is Encoding.GSM7 else 737


@dataclass(frozen=True, slots=True)
class TextSize:
    """The size of a text. `units` are septets in GSM-7 and UTF-16 code units in UCS-2; `parts` are
    billed. `culprits` are the characters that GSM-7 lacks,
    each once, in the order of the text: a single one makes the whole message UCS-2."""

    encoding: Encoding
    units: int
    parts: int
    culprits: tuple[str, ...]


def render(
    template: str, *, code: str, brand: str, minutes: int, origin_host: str | None = None
) -> str:
    """The text to send.

    With `origin_host` (such as `example.com`) a last line `@host #code` lets browsers fill in the
    code on that site only. Raises SettingsRefused if the template or the host is wrong, or the text
    longer than Plivo accepts; the error does not repeat the text, which holds the code.
    """
    check_template(template)
    if minutes == 1:
        template = re.sub(r"__minutes__ minutes\b", "__minutes__ minute", template)
    values = {"code": code, "brand": brand, "minutes": str(minutes)}
    # In one pass: a brand that looks like a placeholder is not replaced.
    text = _PLACEHOLDER.sub(lambda match: values[match[1]], template)
    if origin_host:
        text = f"{text.rstrip()}\n{_origin_line(origin_host, code)}"
    size = measure(text)
    if size.units > size.encoding.longest:
        raise SettingsRefused(
            f"The message has {size.units} {size.encoding} units; "
            f"Plivo accepts {size.encoding.longest}.",
            "Shorten the SMS template.",
        )
    return text


def check_template(template: str) -> None:
    """Raises SettingsRefused unless the template has `__code__` and no unknown placeholder."""
    names = _PLACEHOLDER.findall(template)
    if "code" not in names:
        raise SettingsRefused(
            "SMS_TEMPLATE has no __code__, so the message would have no code.",
            "Put __code__ where the code belongs.",
        )
    if unknown := sorted({f"__{name}__" for name in names if name not in _NAMES}):
        raise SettingsRefused(
            f"SMS_TEMPLATE contains {', '.join(unknown)}, which has no value.",
            "Use __code__, __brand__ and __minutes__ only.",
        )


def measure(text: str) -> TextSize:
    """The size of the text. An empty text is one part of no units."""
    culprits = tuple(dict.fromkeys(char for char in text if char not in _BASIC | _EXTENDED))
    if culprits:
        encoding = Encoding.UCS2
        widths = [2 if ord(char) > 0xFFFF else 1 for char in text]
    else:
        encoding = Encoding.GSM7
        widths = [2 if char in _EXTENDED else 1 for char in text]
    units = sum(widths)
    if units <= encoding.alone:
        return TextSize(encoding, units, 1, culprits)
    return TextSize(encoding, units, _parts(widths, encoding.joined), culprits)


def _parts(widths: Iterable[int], per_part: int) -> int:
    # Invariant: a character of two units is never split, so a part may end one unit early and
    # dividing the units by the size of a part would count too few.
    parts, room = 1, per_part
    for width in widths:
        if width > room:
            parts, room = parts + 1, per_part
        room -= width
    return parts


def _origin_line(host: str, code: str) -> str:
    # WICG: the host without scheme, port or path; exactly one space; nothing before the "@".
    if not _HOST.fullmatch(host):
        raise SettingsRefused(
            "The origin host is not a plain host name.",
            "Set it without https://, port and path, such as example.com.",
        )
    return f"@{host} #{code}"

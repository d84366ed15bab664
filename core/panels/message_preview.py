"""The message before it is sent, in words: its parts, its price, and what makes it cost more."""

from core.model.way import Way
from core.plivo.cheaper_text import MessagePreview, Saving
from core.plivo.message_text import Encoding, TextSize
from core.plivo.pricing import Price
from core.wording.formats import counted, price_range

#: So many characters are named; of more, the number.
_NAMED = 3


def message_words(preview: MessagePreview) -> str:
    """ "1 part in GSM-7"; with what makes it more, and what to write for it."""
    size = preview.size
    words = f"{counted(size.parts, 'part')} in {size.encoding}"
    if preview.saving is not None:
        return f"{words}; {_saving_words(preview.saving)}"
    if size.encoding is Encoding.UCS2:
        return f"{words}, because of {_named(size)}"
    return words


def price_words(
    way: Way, preview: MessagePreview, country: str, price: Price | None, *, simulated: bool
) -> str:
    """ "Canada: $0.0154" for the message, for a call a price a minute; "" while the country is
    not known, and for a PHLO, which decides itself what it sends."""
    if not country or way in {Way.PHLO_SMS, Way.PHLO_CALL}:
        return ""
    if price is None:
        return f"{country}: price not known"
    invented = ", simulated" if simulated else ""
    if way.is_call:
        return f"{country}: {price_range(price.minute_from, price.minute_to)} a minute{invented}"
    parts = preview.size.parts
    return (
        f"{country}: {price_range(parts * price.message_from, parts * price.message_to)}{invented}"
    )


def _saving_words(saving: Saving) -> str:
    """ "1 with ' for é and without 🔑"."""
    written = [f"{plain} for {char}" for char, plain in saving.replacements if plain.strip()]
    spaces = [char for char, plain in saving.replacements if plain and not plain.strip()]
    removed = [char for char, plain in saving.replacements if not plain]
    parts = []
    if written:
        parts.append(f"with {_list(written)}")
    if spaces:
        parts.append("with plain spaces")
    if removed:
        parts.append(f"without {_list([_visible(char) for char in removed])}")
    return f"{saving.parts} {' and '.join(parts)}"


def _named(size: TextSize) -> str:
    return _list([_visible(char) for char in size.culprits])


def _list(names: list[str]) -> str:
    if len(names) <= _NAMED:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"


def _visible(char: str) -> str:
    return char if char.isprintable() else f"U+{ord(char):04X}"

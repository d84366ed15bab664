"""The message before it is sent: parts, what makes it cost more, and the price."""

from decimal import Decimal

import pytest

from core.model.way import Way
from core.panels.message_preview import message_words, price_words
from core.plivo.cheaper_text import MessagePreview, saving
from core.plivo.message_text import measure
from core.plivo.pricing import Price

LONG = "a" * 90
QUOTE, NARROW_SPACE = "\u2019", "\u202f"
PRICE = Price(Decimal("0.0077"), Decimal("0.0123"), Decimal("0.01"), Decimal("0.01"))


def preview_of(text: str) -> MessagePreview:
    return MessagePreview(text, measure(text), saving(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello", "1 part in GSM-7"),
        ("a" * 161, "2 parts in GSM-7"),
        (f"Hello{QUOTE}", f"1 part in UCS-2, because of {QUOTE}"),
        (f"{LONG}жбзд", "2 parts in UCS-2, because of ж, б, з and 1 more"),
        (f"{LONG}{QUOTE}\N{KEY}", f"2 parts in UCS-2; 1 with ' for {QUOTE} and without \N{KEY}"),
        (f"{LONG}{NARROW_SPACE}", "2 parts in UCS-2; 1 with plain spaces"),
        (f"{LONG}\u200b", "2 parts in UCS-2; 1 without U+200B"),
        (f"{'a' * 159}[", "2 parts in GSM-7; 1 with ( for ["),
    ],
)
def test_parts_encoding_and_the_characters_that_cost_more_are_named(text, words):
    assert message_words(preview_of(text)) == words


@pytest.mark.parametrize(
    ("way", "country", "price", "simulated", "words"),
    [
        (Way.SMS, "Canada", PRICE, False, "Canada: $0.0154 to $0.0246"),
        (Way.SMS, "Canada", PRICE, True, "Canada: $0.0154 to $0.0246, simulated"),
        (Way.VOICE, "Canada", PRICE, False, "Canada: $0.01 a minute"),
        (Way.SMS, "Canada", None, True, "Canada: price not known"),
        (Way.SMS, "", PRICE, False, ""),
        (Way.PHLO_SMS, "Canada", PRICE, False, ""),
    ],
)
def test_the_price_is_that_of_all_parts_to_the_country(way, country, price, simulated, words):
    two_parts = preview_of("a" * 161)
    assert price_words(way, two_parts, country, price, simulated=simulated) == words

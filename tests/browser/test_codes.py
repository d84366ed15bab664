"""Which digits of a text are the code, in a real Chromium: pages/components/codes.js."""

import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from core.verification.code import read_entered
from tests.characters import DECIMALS
from tests.properties import examples

SCRIPT = Path(__file__).parents[2] / "pages" / "components" / "codes.js"

#: A text, the length of the codes, and what may be the code in it.
TEXTS = [
    ("471029", 6, ["471029"]),
    (" 471029\n", 6, ["471029"]),
    ("Your Acme 2FA code: 107676", 6, ["107676"]),
    ("471029 is your Club 1860 code. Call 0800 123456. It cost $123456.", 6, ["471029"]),
    ("Your code is 471-029, valid until 12:30 on 15.01.2026", 6, ["471029"]),
    ("Order 123456\n\n@acme.com #471029", 6, ["471029"]),
    ("Club 1860: your code is 471029", 6, ["471029"]),
    ("471029 is your Club 1860 code", 6, ["471029"]),
    ("Club 1860: your code is 4710", 4, ["1860", "4710"]),
    ("Club 186000: your code is 471029", 6, ["186000", "471029"]),
    ("iPhone15: 471029", 6, ["471029"]),
    ("Windows 11 471029", 6, ["471029"]),
    ("Acme360471 sends 471029", 6, ["471029"]),
    ("user_123456: 471029", 6, ["471029"]),
    # With separators, and twice.
    ("471-029", 6, ["471029"]),
    ("Your code is 471-029.", 6, ["471029"]),
    ("Your code is 471 029, valid for 5 minutes", 6, ["471029"]),
    ("Code: 47 10 29", 6, ["471029"]),
    ("Code: 4-7-1-0-2-9", 6, ["471029"]),
    ("Code: 4710\u20132938", 8, ["47102938"]),
    ("Code: 471 0293", 7, ["4710293"]),
    ("471029 471029", 6, ["471029"]),
    ("471-029, I repeat: 471029", 6, ["471029"]),
    ("471029 or 471030", 6, ["471029", "471030"]),
    ("Your code is: 4, 7, 1, 0, 2, 9. Your code is: 4, 7, 1, 0, 2, 9.", 6, ["471029"]),
    ("4, 7, 1, 0, 2, 9. 4, 7, 1, 0, 2, 9.", 6, ["471029"]),
    ("G-471029 is your Google verification code.", 6, ["471029"]),
    ("**471029**", 6, ["471029"]),
    ("Your code is 471029 (5 min)", 6, ["471029"]),
    ("Your code is 471029.Do not share it", 6, ["471029"]),
    ("471029 5 minutes", 6, ["471029"]),
    ("471029 - do not share", 6, ["471029"]),
    # Bound to an origin.
    ("@acme.com #471029", 6, ["471029"]),
    ("Your Acme code is 471029\n\n@acme.com #471029", 6, ["471029"]),
    ("Order 123456: see your code below\n@acme.com #471029 @shop.example", 6, ["471029"]),
    ("Order 123456\r\n@xn--80ak6aa92e.com #471-029\r\n", 6, ["471029"]),
    # Other digits, other writing.
    ("رمزك هو ٤٧١٠٢٩", 6, ["471029"]),
    ("आपका कोड ४७१ ०२९ है", 6, ["471029"]),
    ("您的验证码是471029，5分钟内有效", 6, ["471029"]),
    ("認証コードは４７１０２９です。", 6, ["471029"]),
    ("인증번호는 471029입니다", 6, ["471029"]),
    ("รหัส471029ของคุณ", 6, ["471029"]),
    ("\u2066471\u200b029\u2069", 6, ["471029"]),
    # Amounts, times, dates, addresses, phone numbers.
    ("Pay 1,234.56 with code 471029", 6, ["471029"]),
    ("Pay $123456 or 123456 € or EUR 123456: 471029", 6, ["471029"]),
    ("Pay 1 234,56 €: 471029", 6, ["471029"]),
    ("It grew by 123456 %: 471029", 6, ["471029"]),
    ("At 12:30:45 on 15.01.2026 (2026-01-15, 15/01/2026): 4710", 4, ["4710"]),
    ("2026-01-15 471029", 6, []),
    ("Since 2026: 4710", 4, ["2026", "4710"]),
    ("Open https://acme.com/123456 or acme.com/v/234567: 471029", 6, ["471029"]),
    ("Mail 123456@acme.com: 471029", 6, ["471029"]),
    ("Call +49 (0)170 123456 or 0800 123456: 471029", 6, ["471029"]),
    ("Call (415) 555-0123 or 415-555-0123: 4710", 4, ["4710"]),
    ("Version 2.471029, build 1.2.471030: 654321", 6, ["654321"]),
    ("Card ••1234 or *1234: 4710", 4, ["4710"]),
    # None of that length.
    ("47102", 6, []),
    ("4710293", 6, []),
    ("47102", 4, []),
    ("471 029 4", 6, []),
    ("12 34 56 78", 6, []),
    ("Your code is on its way", 6, []),
    ("+471029", 6, []),
    ("", 6, []),
]


@pytest.fixture(scope="module")
def script(browser: Browser) -> Any:
    page = browser.new_page()
    page.add_script_tag(content=SCRIPT.read_text("utf-8"))
    yield page
    page.close()


def codes(page: Page, text: str, length: int, brand: str = "") -> list[str]:
    found = page.evaluate(
        "([text, length, brand]) => codesIn(text, length, brand)", [text, length, brand]
    )
    for one in found:
        # In UTF-16 units. What is marked in the text is the code as it is written there.
        marked = text.encode("utf-16-le")[2 * one["start"] : 2 * one["end"]].decode("utf-16-le")
        shown = "".join(str(unicodedata.decimal(c)) for c in marked if c in DECIMALS)
        assert shown.startswith(one["code"])
    return [one["code"] for one in found]


@pytest.mark.parametrize(("text", "length", "expected"), TEXTS)
def test_the_code_of_a_text_is_what_can_be_it(
    script: Page, text: str, length: int, expected: list[str]
) -> None:
    assert codes(script, text, length) == expected


@pytest.mark.parametrize(
    ("text", "brand", "expected"),
    [
        ("Club 1860: your code is 4710", "Club 1860", ["4710"]),
        ("4711: your code is 0815", "4711", ["0815"]),
        ("4711: your code is 4711", "4711", ["4711"]),
        ("CLUB\u00a01860 4710 5 min", "Club 1860", ["4710"]),
        ("Acme (1860)*: 4710", "Acme (1860)*", ["4710"]),
        ("Club 18601860 4710", "Club 1860", []),
    ],
)
def test_digits_of_the_sender_s_name_are_not_the_code(
    script: Page, text: str, brand: str, expected: list[str]
) -> None:
    assert codes(script, text, 4, brand) == expected


def test_in_a_call_a_key_that_was_pressed_is_no_digit_of_the_code(script: Page) -> None:
    transcript = [
        {"kind": "spoken", "text": "This is Acme. To hear your code, press 1"},
        {"kind": "key", "text": "1"},
        {"kind": "ignored-key", "text": "5"},
        {"kind": "spoken", "text": "4, 7, 1, 0, 2, 9."},
        {"kind": "spoken", "text": "4, 7, 1, 0, 2, 9."},
    ]
    heard = script.evaluate("(transcript) => codesHeard(transcript, 6)", transcript)
    assert [one["code"] for one in heard] == ["471029"]


def test_every_decimal_digit_has_the_value_that_core_gives_it(script: Page) -> None:
    values = script.evaluate("(chars) => chars.map(digitValue)", DECIMALS)
    assert values == [str(unicodedata.decimal(char)) for char in DECIMALS]


@settings(max_examples=examples(20), deadline=None)
@given(st.lists(st.text(max_size=12), min_size=50, max_size=50))
def test_the_field_reads_what_core_reads(script: Page, texts: list[str]) -> None:
    lengths = range(4, 11)
    read = script.evaluate("(texts) => texts.map(enteredDigits)", texts)
    for text, digits in zip(texts, read, strict=True):
        if any(unicodedata.category(char) == "Cn" for char in text):
            continue  # a browser may know a newer Unicode
        for length in lengths:
            expected = digits if digits is not None and len(digits) == length else None
            assert read_entered(text, length) == expected, text


@settings(max_examples=examples(30), deadline=None)
@given(st.integers(4, 10), st.data())
def test_a_code_is_found_however_it_is_written(script: Page, length: int, data: Any) -> None:
    code = data.draw(st.text("0123456789", min_size=length, max_size=length))
    zero = data.draw(st.sampled_from([c for c in DECIMALS if unicodedata.decimal(c) == 0]))
    size = data.draw(st.sampled_from([n for n in range(1, length + 1) if length % n == 0]))
    separator = data.draw(st.sampled_from(["-", " ", "\u2011", "\u2013", "\u00a0", "\u2009"]))
    written = "".join(chr(ord(zero) + int(digit)) for digit in code)
    grouped = separator.join(written[at : at + size] for at in range(0, length, size))
    template = data.draw(
        st.sampled_from(["{}", "Your code: {}.", "{} is it", "2FA {}, 5 min", "码是{}。", "{}\n{}"])
    )
    assert codes(script, template.format(grouped, grouped), length) == [code]

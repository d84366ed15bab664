"""Which digits of a message or of a call are the code."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sandbox.codes_in_text import LONGEST, SHORTEST, code_in_call, code_in_text
from tests.properties import examples


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Your code is 4711", "4711"),
        ("471029 is your Acme code. It is valid for 10 minutes.", "471029"),
        ("G-471029 is your code", "471029"),
        ("1234567890", "1234567890"),
        # In groups, read out, and repeated.
        ("Your code is 471-029.", "471029"),
        ("Code: 47 10 29", "471029"),
        ("471029 5 minutes", "471029"),
        ("Studio 54 471029", "471029"),
        ("Your code is: 4, 7, 1, 0, 2, 9. Your code is: 4, 7, 1, 0, 2, 9.", "471029"),
        ("4, 7, 1, 1. 4, 7, 1, 1.", "4711"),
        ("1, 1, 1, 1, 1, 1, 1, 1.", "11111111"),
        ("4 7 1 0 2 9 4 7 1 0 2 9", "471029"),
        # The longest; of equal ones the first that is no year.
        ("Order 4711: your code is 471029", "471029"),
        ("Acme 2026: your code is 4711", "4711"),
        ("2026", "2026"),
        # Other digits, other writing.
        ("رمزك هو ٤٧١٠٢٩", "471029"),
        ("您的验证码是471029，5分钟内有效", "471029"),
        ("\u2066471\u200b029\u2069", "471029"),
        ("Order 12345678\n\n@acme.com #471029", "471029"),
        # No code.
        ("Call 415-555-0123 or 555-0123", None),
        ("Call +49 30 901820 or (415) 555-0123", None),
        ("Open https://acme.com/471029 or mail 471029@acme.com", None),
        ("Pay 1,234.56 or $471029 or 471029 EUR", None),
        ("On 2026-01-15 at 12:30:45", None),
        ("Version 1.471029, user_471029", None),
        ("123", None),
        ("12345678901", None),
        ("", None),
    ],
)
def test_the_code_of_a_text_is_its_longest_number_that_stands_alone(
    text: str, code: str | None
) -> None:
    assert code_in_text(text) == code


def test_in_a_call_a_key_that_was_pressed_is_no_digit_of_the_code() -> None:
    lines = [("spoken", "To hear your code, press 1."), ("key", "1"), ("spoken", "4, 7, 1, 1.")]
    assert code_in_call(lines) == "4711"
    assert code_in_call([*lines, ("ignored-key", "5"), ("spoken", "4, 7, 1, 1.")]) == "4711"
    assert code_in_call([("spoken", digit) for digit in "471029"]) == "471029"


@given(st.text(st.characters() | st.sampled_from("0123456789 ,.-:+*@#\n")))
@settings(max_examples=examples(200))
def test_a_code_is_ascii_digits_of_any_text(text: str) -> None:
    code = code_in_text(text)
    assert code is None or (code.isascii() and code.isdigit() and SHORTEST <= len(code) <= LONGEST)


@given(st.from_regex("[0-9]{4,10}", fullmatch=True))
@settings(max_examples=examples(50))
def test_every_code_is_the_same_when_it_is_read_out(code: str) -> None:
    assert code_in_text(f"Your code is: {', '.join(code)}. Goodbye.") == code
    assert code_in_text(f"Your code is {code}.") == code

"""What makes a message cost more, and the cheaper way to write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.plivo.cheaper_text import saving
from core.plivo.message_text import measure

LONG = "a" * 90
QUOTE, NARROW_SPACE, DOTLESS = "\u2019", "\u202f", "\u0131"


@pytest.mark.parametrize(
    ("char", "plain"),
    [
        (QUOTE, "'"), ("“", '"'), ("\u2013", "-"), ("…", "..."), (NARROW_SPACE, " "), ("\t", " "),
        ("ê", "e"), ("ç", "c"), ("ł", "l"), ("Ő", "O"), ("œ", "oe"), (DOTLESS, "i"), ("ﬁ", "fi"),
        ("™", "TM"), ("\N{KEY}", ""), ("\u200d", ""), ("\ufe0f", ""), ("٣", "3"), ("\uff21", "A"),
    ],
)  # fmt: skip
def test_a_character_that_forces_ucs2_has_a_plain_likeness_or_is_left_out(char, plain):
    cheaper = saving(LONG + char)
    assert cheaper is not None
    assert (cheaper.replacements, cheaper.parts) == (((char, plain),), 1)


@pytest.mark.parametrize("char", ["ж", "中", "ي", "ก", "α"])
def test_a_letter_of_another_script_is_never_replaced(char):
    assert saving(LONG + char + QUOTE) is None


@pytest.mark.parametrize(
    "text", ["", "a" * 160, f"{'a' * 60}{QUOTE}", "[" * 80, "a" * 400, "€" * 90]
)
def test_there_is_no_saving_where_the_parts_stay(text):
    assert saving(text) is None


def test_a_bracket_takes_two_septets_and_may_need_a_second_part():
    cheaper = saving("a" * 158 + "[]")
    assert cheaper is not None
    assert (cheaper.replacements, cheaper.parts) == ((("[", "("), ("]", ")")), 1)


def test_brackets_are_kept_where_the_rest_is_saving_enough():
    cheaper = saving(f"{LONG}[{QUOTE}]")
    assert cheaper is not None
    assert cheaper.replacements == ((QUOTE, "'"),)


@given(st.text(max_size=400))
def test_what_is_advised_has_the_parts_that_are_promised_and_fewer(text):
    cheaper = saving(text)
    if cheaper is None:
        return
    changed = text.translate({ord(char): plain for char, plain in cheaper.replacements})
    assert measure(changed).parts == cheaper.parts < measure(text).parts

"""The text of a message, and what it weighs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.errors import SettingsRefused
from core.plivo.message_text import Encoding, check_template, measure, render
from core.settings.settings import Settings

DEFAULT_TEMPLATE: str = Settings.model_fields["sms_template"].default

CODE = "047112"
# 3GPP TS 23.038, by position: 0x00 to 0x7F without the escape, and the extension table.
BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = "\f^{}\\[~]|€"
EMOJI = "\N{KEY}"


def text_of(
    template: str = DEFAULT_TEMPLATE, brand: str = "Acme", origin_host: str | None = None
) -> str:
    return render(template, code=CODE, brand=brand, minutes=5, origin_host=origin_host)


def split(text: str, width, per_part: int) -> list[str]:
    """The text cut into parts as a phone network has to: whole characters, as many as fit."""
    parts = [""]
    for char in text:
        if sum(map(width, parts[-1] + char)) > per_part:
            parts.append("")
        parts[-1] += char
    return parts


def test_the_default_text_begins_with_the_code_and_is_one_part():
    assert text_of() == "047112 is your Acme verification code. It expires in 5 minutes."
    assert measure(text_of()).parts == 1


def test_a_lifetime_of_one_minute_is_in_the_singular():
    text = render(DEFAULT_TEMPLATE, code=CODE, brand="Acme", minutes=1)
    assert text.endswith("It expires in 1 minute.")


def test_a_placeholder_may_stand_twice():
    assert text_of("__code__, I repeat: __code__") == f"{CODE}, I repeat: {CODE}"


def test_a_brand_that_looks_like_a_placeholder_is_not_filled_in():
    assert text_of("__brand__: __code__", brand="__code__") == f"__code__: {CODE}"


def test_the_last_line_binds_the_code_to_the_site():
    text = text_of(origin_host="login.example.com")
    assert text.splitlines()[-1] == "@login.example.com #047112"
    assert text.splitlines()[0] == text_of()


def test_the_last_line_is_the_last_even_if_the_template_ends_in_blank_lines():
    text = text_of("__code__\n\n ", origin_host="example.com")
    assert text == "047112\n@example.com #047112"


@pytest.mark.parametrize(
    "host",
    ["https://example.com", "example.com:8501", "example.com/login", "a b", "@x", ".com", "x\n"],
)
def test_a_host_with_more_than_a_name_is_refused(host):
    with pytest.raises(SettingsRefused, match="host name"):
        text_of(origin_host=host)


@pytest.mark.parametrize("template", ["", "Hello", "code", "__Code__", "__brand__", "_code_"])
def test_a_template_without_the_code_is_refused(template):
    with pytest.raises(SettingsRefused, match="no __code__"):
        check_template(template)
    with pytest.raises(SettingsRefused, match="no __code__"):
        text_of(template)


def test_an_unknown_placeholder_is_refused_by_name():
    with pytest.raises(SettingsRefused, match="__name__") as refused:
        text_of("__code__ for __name__")
    assert "__minutes__" in refused.value.remedy


@pytest.mark.parametrize(("filler", "longest"), [("a", 1600), ("€", 800), ("ж", 737)])
def test_a_text_is_refused_from_the_first_unit_that_plivo_does_not_take(filler, longest):
    template = "__code__"
    room = longest - measure(text_of(template)).units // measure(filler).units
    assert measure(text_of(template + filler * room)).units == longest * measure(filler).units
    with pytest.raises(SettingsRefused, match="Plivo accepts") as refused:
        text_of(template + filler * (room + 1))
    assert CODE not in str(refused.value)


@pytest.mark.parametrize("char", BASIC)
def test_the_gsm_alphabet_costs_one_septet_a_character(char):
    size = measure(char)
    assert (size.encoding, size.units, size.culprits) == (Encoding.GSM7, 1, ())


@pytest.mark.parametrize("char", EXTENDED)
def test_an_extension_character_costs_two_septets(char):
    assert (measure(char).encoding, measure(char).units) == (Encoding.GSM7, 2)


def test_the_alphabet_of_this_test_is_whole():
    assert len(set(BASIC)) == 127
    assert len(set(EXTENDED)) == 10


@pytest.mark.parametrize(
    ("text", "units", "parts"),
    [
        ("", 0, 1),
        ("a" * 160, 160, 1),
        ("a" * 161, 161, 2),
        ("a" * 306, 306, 2),
        ("a" * 307, 307, 3),
        ("€" * 80, 160, 1),
        ("ж" * 70, 70, 1),
        ("ж" * 71, 71, 2),
        ("ж" * 134, 134, 2),
        ("ж" * 135, 135, 3),
        (EMOJI * 35, 70, 1),
    ],
)
def test_parts_are_160_or_153_septets_and_70_or_67_code_units(text, units, parts):
    assert (measure(text).units, measure(text).parts) == (units, parts)


def test_an_escape_pair_is_never_split_over_two_parts():
    # 306 septets would fit in two parts of 153, were the pair at the border cut in half.
    text = "a" * 152 + "€" + "a" * 152
    assert (measure(text).units, measure(text).parts) == (306, 3)


def test_a_surrogate_pair_is_never_split_over_two_parts():
    text = "ж" * 66 + EMOJI + "ж" * 66
    assert (measure(text).units, measure(text).parts) == (134, 3)


def test_one_curly_quote_makes_the_message_ucs2_and_is_named_once():
    curly = "\N{RIGHT SINGLE QUOTATION MARK}"
    size = measure(f"It{curly}s your code, isn{curly}t it {EMOJI}")
    assert (size.encoding, size.culprits) == (Encoding.UCS2, (curly, EMOJI))


@given(st.text(alphabet=BASIC + EXTENDED, max_size=700) | st.text(max_size=700))
def test_parts_are_what_cutting_between_characters_gives(text):
    size = measure(text)
    per_part = size.encoding.alone if size.parts == 1 else size.encoding.joined
    if size.encoding is Encoding.GSM7:
        assert size.units == len(text) + sum(text.count(char) for char in EXTENDED)
        parts = split(text, lambda char: 2 if char in EXTENDED else 1, per_part)
    else:
        assert size.units == len(text.encode("utf-16-be")) // 2
        parts = split(text, lambda char: len(char.encode("utf-16-be")) // 2, per_part)
    assert size.parts == len(parts)


@given(st.text(max_size=200))
def test_the_culprits_are_all_that_forces_ucs2(text):
    culprits = measure(text).culprits
    rest = "".join(char for char in text if char not in culprits)
    assert measure(rest).encoding is Encoding.GSM7
    assert all(measure(char).encoding is Encoding.UCS2 for char in culprits)

"""Digits with several interpretations: only typed numbers are offered, and few are ambiguous."""

import itertools
import unicodedata
from collections.abc import Callable

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from core.model.phone_number import ParsedNumber
from core.verification.number.parse import AmbiguousNumber, parse_number
from core.verification.number.refusals import NumberRefusal, UnfitNumber
from tests.characters import DECIMALS
from tests.properties import examples

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
MOBILES = {
    region: example
    for region in REGIONS
    if (example := phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE))
}
# The zeros of all scripts with decimal digits: nine more digits follow each.
ZEROS = [ord(char) for char in DECIMALS if unicodedata.decimal(char) == 0]
SEPARATORS = ["", " ", "-", ".", "\u00a0", "\u2011", "\u200e", "/", "\u30fc", ") ("]


def as_international(parsed: phonenumbers.PhoneNumber) -> str:
    return str(phonenumbers.format_number(parsed, PhoneNumberFormat.E164))[1:]


def trunk_zero(parsed: phonenumbers.PhoneNumber) -> str:
    national = phonenumbers.national_significant_number(parsed)
    return f"{parsed.country_code}(0){national}"


STYLES: dict[str, Callable[[phonenumbers.PhoneNumber], str]] = {
    "national": lambda parsed: phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL),
    "E.164": lambda parsed: f"+{as_international(parsed)}",
    "no plus": as_international,
    "00": lambda parsed: f"00{as_international(parsed)}",
    "011": lambda parsed: f"011{as_international(parsed)}",
    "trunk zero": lambda parsed: f"+{trunk_zero(parsed)}",
    "trunk zero, no plus": trunk_zero,
    "trunk zero after 00": lambda parsed: f"00{trunk_zero(parsed)}",
    "two pluses": lambda parsed: f"++{as_international(parsed)}",
    "plus and 00": lambda parsed: f"+00{as_international(parsed)}",
    "tel": lambda parsed: phonenumbers.format_number(parsed, PhoneNumberFormat.RFC3966),
}


def parse(
    typed: str, region: str | None, *, for_sms: bool = True
) -> ParsedNumber | AmbiguousNumber | UnfitNumber:
    try:
        return parse_number(typed, default_region=region, for_sms=for_sms)
    except UnfitNumber as refused:
        return refused


def numbers_of(result: ParsedNumber | UnfitNumber) -> list[ParsedNumber]:
    """The number, or the candidates to choose from."""
    if isinstance(result, ParsedNumber):
        return [result]
    return list(result.candidates) if isinstance(result, AmbiguousNumber) else []


@st.composite
def typed_mobiles(draw: st.DrawFn) -> tuple[str, str, str]:
    """Text, region and E.164 of a valid mobile number, typed in one of many forms."""
    region = draw(st.sampled_from(sorted(MOBILES)))
    national = phonenumbers.national_significant_number(MOBILES[region])
    tail = draw(st.text("0123456789", min_size=1, max_size=5))
    code = MOBILES[region].country_code
    varied = phonenumbers.parse(f"+{code}{national[: -len(tail)]}{tail}")
    if (
        not phonenumbers.is_valid_number_for_region(varied, region)
        or phonenumbers.number_type(varied) != phonenumbers.number_type(MOBILES[region])
        or phonenumbers.national_significant_number(varied) != national[: -len(tail)] + tail
    ):
        varied = MOBILES[region]
    text = STYLES[draw(st.sampled_from(sorted(STYLES)))](varied)
    if not text.startswith("tel:"):
        separator = draw(st.sampled_from(SEPARATORS))
        text = text.replace(" ", separator if separator != "/" else " ")
        zero = draw(st.sampled_from(ZEROS))
        text = "".join(chr(zero + int(char)) if "0" <= char <= "9" else char for char in text)
        text = draw(st.sampled_from(["", " ", "\u202a", "Tel.: ", "\U0001f4f1 "])) + text
    return text, region, f"+{as_international(varied)}"


@settings(deadline=None, max_examples=examples(500))
@given(typed_mobiles(), st.booleans())
def test_a_typed_mobile_is_parsed_as_itself_or_is_among_the_candidates(
    mobile: tuple[str, str, str], for_sms: bool
) -> None:
    typed, region, e164 = mobile
    result = parse(typed, region, for_sms=for_sms)
    if not isinstance(result, UnfitNumber) or isinstance(result, AmbiguousNumber):
        assert e164 in [number.e164 for number in numbers_of(result)]


@settings(deadline=None, max_examples=examples(500))
@given(
    st.text("0123456789", min_size=3, max_size=17),
    st.sampled_from(["", "+", "00", "011", "+49 (0)", "1", "0"]),
    st.sampled_from(REGIONS),
    st.booleans(),
)
def test_no_interpretation_has_a_digit_that_was_not_typed(
    digits: str, before: str, region: str, for_sms: bool
) -> None:
    typed = before + digits
    for number in numbers_of(parse(typed, region, for_sms=for_sms)):
        parsed = phonenumbers.parse(number.e164)
        national = phonenumbers.national_significant_number(parsed)
        # The one other form: Argentina dials 011 15 2345 6789 for +54 9 11 2345 6789.
        dialled = phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)
        local = phonenumbers.normalize_digits_only(dialled).removeprefix("0")
        assert phonenumbers.normalize_digits_only(typed).endswith((national, local))


def test_at_most_one_in_a_hundred_example_mobiles_is_ambiguous() -> None:
    results = [
        (region, style, parse(STYLES[style](example), region))
        for (region, example), style in itertools.product(MOBILES.items(), STYLES)
    ]
    ambiguous = [
        (region, style) for region, style, result in results if isinstance(result, AmbiguousNumber)
    ]
    assert len(ambiguous) * 100 <= len(results), ambiguous
    for style in STYLES:
        assert sum(case[1] == style for case in ambiguous) * 100 <= len(MOBILES), (style, ambiguous)
    for region, style, result in results:
        if isinstance(result, ParsedNumber):
            assert result.digits == as_international(MOBILES[region]), style


@pytest.mark.parametrize("for_sms", [True, False])
@pytest.mark.parametrize(
    ("typed", "region", "e164"),
    [
        ("491701234567", "DE", "+491701234567"),  # +49 491 701234567 is a fixed line
        ("4901701234567", "DE", "+491701234567"),
        ("+49 (0)170 1234567", "US", "+491701234567"),
        ("0049 (0) 170 1234567", "US", "+491701234567"),
        ("(+49)170 1234567", "US", "+491701234567"),
        ("011 44 7400 123456", "DE", "+447400123456"),
        ("00 1 415 555 0123", "US", "+14155550123"),
        ("+1 1 415 555 0123", "DE", "+14155550123"),
        ("+39 347 1234567", "IT", "+393471234567"),
        ("+34 (0) 612 345 678", "ES", "+34612345678"),
        ("13123456789", "CN", "+8613123456789"),  # the Chicago number may be a mobile
        ("447400123456", "US", "+447400123456"),
    ],
)
def test_the_only_mobile_among_the_interpretations_is_chosen(
    typed: str, region: str, e164: str, for_sms: bool
) -> None:
    result = parse(typed, region, for_sms=for_sms)
    assert isinstance(result, ParsedNumber), result
    assert result.e164 == e164


@pytest.mark.parametrize(
    ("typed", "e164"),
    [
        ("+39 0321 123456", "+390321123456"),  # +39 321 123456 is a mobile
        ("+39 (0)6 1234 5678", "+390612345678"),
        ("+49491701234567", "+49491701234567"),
    ],
)
def test_a_number_with_a_plus_is_left_as_it_is(typed: str, e164: str) -> None:
    assert parse_number(typed, default_region="DE", for_sms=False).e164 == e164


@pytest.mark.parametrize(
    ("typed", "region", "for_sms", "candidates"),
    [
        ("6595551234", "US", True, ["+16595551234", "+6595551234"]),
        ("50056043", "KW", True, ["+96550056043", "+50056043"]),
        ("50056043", "KW", False, ["+96550056043", "+50056043"]),
    ],
)
def test_two_numbers_that_may_be_mobiles_are_ambiguous_and_each_candidate_is_accepted_unchanged(
    typed: str, region: str, for_sms: bool, candidates: list[str]
) -> None:
    result = parse(typed, region, for_sms=for_sms)
    assert isinstance(result, AmbiguousNumber)
    assert result.reason is NumberRefusal.AMBIGUOUS
    assert [number.e164 for number in result.candidates] == candidates
    assert typed not in f"{result} {result.remedy}"
    for number in result.candidates:
        for text in (number.e164, number.international):
            assert parse_number(text, default_region=region, for_sms=for_sms) == number


def test_a_mistyped_national_number_is_not_parsed_as_a_foreign_fixed_line() -> None:
    # 011 is the area code of Sapporo, and +43 1 2345 a fixed line in Vienna.
    refused = parse("0114312345", "JP", for_sms=False)
    assert isinstance(refused, UnfitNumber)
    assert refused.reason is NumberRefusal.INVALID


@pytest.mark.parametrize("region", [None, "ZZ"])
@pytest.mark.parametrize("typed", ["4355551234", "491701234567", "01701234567", "0114312345"])
def test_without_a_region_digits_alone_have_no_country(typed: str, region: str | None) -> None:
    refused = parse(typed, region, for_sms=False)
    assert isinstance(refused, UnfitNumber)
    assert refused.reason is NumberRefusal.NO_COUNTRY


@pytest.mark.parametrize(
    "typed",
    [
        "+43 664 123456 Max",
        "+40721eeasd0",
        "+43664I23456",
        "1-800-FLOWERS",
        "0170 1234567 oder 0171 1234567",
        "O170 1234567",
        "Tel0170 1234567",
        "+49 170 1234567 x",
        "+49 17O 1234567",
        "+49 170 12345б7",
        "0170\u2160 1234567",
        "170² 1234567",
        "①701234567",
        "+49+1701234567",
        "0170 1234567, 0171 1234567",
        "0170 1234567 / 0171 1234567",
        "030 901820/21",
        "*31#01701234567",
        "#31#01701234567",
        "+49 170 1234567,,1#",
        "+49 170 1234567p1",
        "+49 170 📞 1234567",
        "0170\n1234567",
        "😀",
    ],
)
def test_text_with_more_than_the_digits_of_one_number_is_refused(typed: str) -> None:
    refused = parse(typed, "DE")
    assert isinstance(refused, UnfitNumber), refused
    assert refused.reason is NumberRefusal.NOT_A_NUMBER


@pytest.mark.parametrize(
    "mark", ["x12", " x 12", "ext. 12", " ext 12", " Ext.12", "#12", ", ext 12", ";ext=12"]
)
def test_an_extension_is_refused_with_its_own_cause(mark: str) -> None:
    for number in ("+49 170 1234567", "tel:+49-170-1234567"):
        refused = parse(number + mark, "DE")
        assert isinstance(refused, UnfitNumber)
        assert refused.reason is NumberRefusal.NOT_REACHABLE_KIND
        assert "extension" in refused.cause


@pytest.mark.parametrize(
    "typed",
    [
        "tel:0170-1234567;phone-context=+49",
        "tel:+49-170-1234567;phone-context=example.com",
        "TEL:+491701234567",
        "Mobil: 0170 1234567",
        "Tel.: (0170) 123 45 67.",
        "📱 0170 1234567 📱",
        "\u200f\u202b+49\u2066 170\u2069 1234567\u202c",
        "+49\ufe0f 170 1234567",
        "='+491701234567'",
    ],
)
def test_labels_and_invisible_marks_change_no_digit(typed: str) -> None:
    assert parse_number(typed, default_region="DE").e164 == "+491701234567"

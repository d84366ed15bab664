"""Typed numbers: which are accepted, why others are refused, and how they are masked."""

import phonenumbers
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from core.model.phone_number import NumberKind, ParsedNumber
from core.model.regions import region_of_browser
from core.verification.number.parse import parse_number
from core.verification.number.refusals import NumberRefusal, UnfitNumber
from tests.properties import examples

GERMAN = "+491701234567"
SENDER = "+14155550100"

# libphonenumber's own example of a mobile number, for each country that has one.
EXAMPLES = {
    region: example_number
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    if (
        example_number := phonenumbers.example_number_for_type(
            region, phonenumbers.PhoneNumberType.MOBILE
        )
    )
}
FULL_WIDTH = {ord(char): ord(char) + 0xFEE0 for char in "+0123456789"}
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def parse(typed: str, region: str | None, **rules) -> ParsedNumber | UnfitNumber:
    try:
        return parse_number(typed, default_region=region, **rules)
    except UnfitNumber as refused:
        return refused


def reason(typed: str, region: str | None = None, **rules) -> NumberRefusal:
    with pytest.raises(UnfitNumber) as refused:
        parse_number(typed, default_region=region, **rules)
    return refused.value.reason


def mobile_of(region: str) -> ParsedNumber:
    e164 = phonenumbers.format_number(EXAMPLES[region], phonenumbers.PhoneNumberFormat.E164)
    return parse_number(e164, default_region=None)


@pytest.mark.parametrize(
    "typed",
    [
        "+491701234567",
        " +49 170 1234567 ",
        "+49 (0)170 / 123 45 67",
        "0049 170 1234567",
        "0170-1234567",
        "(0170) 123.45.67",
        "tel:+49-170-1234567",
        "+49 170 1234567".translate(FULL_WIDTH),
        "٠١٧٠١٢٣٤٥٦٧",
        "\u202a+49 170 1234567\u202c",
        "+49\u00a0170\u20111234567",
    ],
)
def test_every_way_to_write_a_number_gives_the_same_number(typed):
    assert parse_number(typed, default_region="DE").e164 == GERMAN


@pytest.mark.parametrize("region", [None, "US", "DE", "JP"])
def test_00_is_a_plus_sign_wherever_it_is_typed(region):
    assert parse_number("0049 170 1234567", default_region=region).e164 == GERMAN


def test_a_number_has_its_country_its_kind_its_carrier_and_its_formats():
    number = parse_number(GERMAN, default_region=None)
    assert (number.region, number.country, number.kind) == ("DE", "Germany", NumberKind.MOBILE)
    assert number.international == "+49 170 1234567"
    assert number.carrier == "T-Mobile"
    assert (number.digits, number.e164) == ("491701234567", "+491701234567")


def test_a_fictitious_number_is_accepted_where_the_plan_calls_it_valid():
    number = parse_number("+1 415 555 0450", default_region=None)
    assert (number.region, number.kind, number.carrier) == ("US", NumberKind.FIXED_OR_MOBILE, "")


def test_a_plus_1_number_of_the_caribbean_is_not_of_the_united_states():
    assert parse_number("+1 809 555 0123", default_region="US").region == "DO"
    allowed = frozenset({"US"})
    assert reason("(809) 555-0123", "US", allowed=allowed) is NumberRefusal.COUNTRY_NOT_ALLOWED


@pytest.mark.parametrize(
    "typed", ["0049 170 1234567", GERMAN.translate(FULL_WIDTH), "011491701234567"]
)
def test_the_allowed_countries_are_compared_with_the_number_and_not_the_typed_text(typed):
    allowed = frozenset({"US"})
    assert reason(typed, "US", allowed=allowed) is NumberRefusal.COUNTRY_NOT_ALLOWED


def test_an_empty_set_of_allowed_countries_allows_none():
    assert reason(GERMAN, allowed=frozenset()) is NumberRefusal.COUNTRY_NOT_ALLOWED
    assert parse_number(GERMAN, default_region=None, allowed=None).region == "DE"


@pytest.mark.parametrize(
    ("typed", "region", "why"),
    [
        ("", None, NumberRefusal.EMPTY),
        (" \u200b\t", "DE", NumberRefusal.EMPTY),
        ("hello", "DE", NumberRefusal.NOT_A_NUMBER),
        (f"{GERMAN} or +491711234567", None, NumberRefusal.NOT_A_NUMBER),
        ("0170 1234567", None, NumberRefusal.NO_COUNTRY),
        ("0170 1234567", "XX", NumberRefusal.NO_COUNTRY),
        ("+999 1234567", "DE", NumberRefusal.NO_COUNTRY),
        ("1", "DE", NumberRefusal.TOO_SHORT),
        ("555 0450", "US", NumberRefusal.TOO_SHORT),
        ("+33 6 12 34 56 7", None, NumberRefusal.TOO_SHORT),
        ("+33 6 12 34 56 789", None, NumberRefusal.TOO_LONG),
        ("1" * 300, "US", NumberRefusal.TOO_LONG),
        ("\u0316\u0301" * 200, None, NumberRefusal.TOO_LONG),
        ("+1 555 555 0100", None, NumberRefusal.INVALID),
        ("+49 30 901820", None, NumberRefusal.NOT_A_MOBILE),
        ("+1 900 555 1234", None, NumberRefusal.PREMIUM_RATE),
        ("+1 800 555 0123", None, NumberRefusal.NOT_REACHABLE_KIND),
        ("+44 70 1234 5678", None, NumberRefusal.NOT_REACHABLE_KIND),
        ("+881 6 123 45678", None, NumberRefusal.NOT_REACHABLE_KIND),
        (f"{GERMAN} ext. 5", None, NumberRefusal.NOT_REACHABLE_KIND),
    ],
)
def test_a_number_is_refused_for_what_is_wrong_with_it(typed, region, why):
    assert reason(typed, region) is why


@pytest.mark.parametrize("code", sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS))
@pytest.mark.parametrize("rest", ["51", "0123456", "5100 1234567", "9 1234 5678 9", "1" * 14])
def test_a_calling_code_of_no_country_is_the_reason_whatever_follows(code, rest):
    """Not that digits are missing, or should be left out: no such number can be verified."""
    for typed in (f"+{code} {rest}", f"00{code}{rest}"):
        assert reason(typed, for_sms=False) is NumberRefusal.NOT_REACHABLE_KIND
        with pytest.raises(UnfitNumber, match=rf"begin with \+{code} belong to satellite"):
            parse_number(typed, default_region=None)


@pytest.mark.parametrize("own", [SENDER, SENDER[1:], "+1 (415) 555-0100"])
def test_the_sender_cannot_be_verified(own):
    assert reason("415 555 0100", "US", sender=own) is NumberRefusal.SAME_AS_SENDER


def test_a_sender_with_a_name_excludes_no_number():
    assert parse_number(GERMAN, default_region=None, sender="ACME").e164 == GERMAN


def test_a_fixed_line_accepts_a_call_but_no_message_and_the_remedy_says_so():
    assert parse_number("+49 30 901820", default_region=None, for_sms=False).region == "DE"
    with pytest.raises(UnfitNumber, match="a message needs a mobile") as refused:
        parse_number("+49 30 901820", default_region=None)
    assert "call" in refused.value.remedy


def test_a_premium_number_is_refused_for_calls_too():
    assert reason("+1 900 555 1234", for_sms=False) is NumberRefusal.PREMIUM_RATE


def test_a_missing_digit_is_named_with_both_lengths():
    with pytest.raises(UnfitNumber) as refused:
        parse_number("06 12 34 56 7", default_region="FR")
    assert refused.value.cause == (
        "That has 8 digits after +33 (France); a mobile number has 9 there."
    )
    assert refused.value.remedy == "Check whether a digit is missing."


def test_the_cause_for_an_invalid_plus_1_number_names_none_of_its_25_countries():
    for typed, cause in (("+1 555 555 0100", "after +1 begins"), ("+44 7700 900123", "Kingdom")):
        with pytest.raises(UnfitNumber, match=cause.replace("+", r"\+")):
            parse_number(typed, default_region=None)


def test_a_mobile_number_with_a_digit_missing_is_not_called_a_fixed_line():
    with pytest.raises(UnfitNumber, match="mobile number has 10 or 11 there") as refused:
        parse_number("0151 234567", default_region="DE")
    assert refused.value.reason is NumberRefusal.TOO_SHORT


@pytest.mark.parametrize(
    ("typed", "masked"),
    [
        ("+1 415 555 0450", "+1 415 ••• ••50"),
        ("+49 170 1234567", "+49 170 •••••67"),
        ("+33 6 12 34 56 78", "+33 6 •• •• •• 78"),
        ("+65 9123 4567", "+65 •••• ••67"),  # the first group would leave two digits to guess
        ("+247 4 1234", "+247 •••34"),
    ],
)
def test_a_mask_keeps_the_country_the_first_group_and_the_last_two_digits(typed, masked):
    assert parse_number(typed, default_region=None).masked == masked


def test_the_text_of_a_number_is_masked():
    number = parse_number("+1 415 555 0450", default_region=None)
    assert str(number) == f"{number}" == "+1 415 ••• ••50"
    assert repr([number]) == "[PhoneNumber(+1 415 ••• ••50)]"


@given(st.sampled_from(sorted(EXAMPLES)))
def test_no_mask_shows_more_than_the_first_group_and_the_last_two_digits(region):
    number = mobile_of(region)
    groups = number.masked.split()
    national = "".join(groups[1:])
    assert len(groups[0] + national) == len(number.e164)
    assert national.endswith(number.e164[-2:])
    assert "•" not in groups[0]
    visible_digits = sum(char.isdigit() for char in national)
    assert visible_digits == 2 or (
        visible_digits <= len(groups[1]) + 2 and national.count("•") >= 4
    )
    assert national.count("•") * 2 >= visible_digits


@given(
    region=st.sampled_from(sorted(EXAMPLES)),
    style=st.sampled_from(
        [
            phonenumbers.PhoneNumberFormat.E164,
            phonenumbers.PhoneNumberFormat.INTERNATIONAL,
            phonenumbers.PhoneNumberFormat.NATIONAL,
            phonenumbers.PhoneNumberFormat.RFC3966,
        ]
    ),
    script=st.sampled_from([{}, FULL_WIDTH, ARABIC]),
    space=st.sampled_from([" ", "  ", "\u00a0", ".", "-", "\u2011", ""]),
    around=st.sampled_from(["", " ", "\u202a", "\u200e"]),
)
def test_any_formatting_of_a_number_gives_the_same_number(region, style, script, space, around):
    typed = phonenumbers.format_number(EXAMPLES[region], style)
    typed = around + typed.replace(" ", space) + around
    if not typed.strip("\u202a\u200e ").startswith("tel:"):
        typed = typed.translate(script)
    assert parse_number(typed, default_region=region).e164 == mobile_of(region).e164


@given(st.sampled_from(sorted(EXAMPLES)))
def test_the_international_format_reads_back_as_the_same_number(region):
    number = mobile_of(region)
    assert parse_number(number.international, default_region=None) == number


@settings(max_examples=examples(300))
@given(
    typed=st.text()
    | st.text(alphabet="+0123456789 ()-./*#;,:teltxphon-context=\uff0b\uff10\u0661"),
    region=st.sampled_from([None, "DE", "US", "IT", "AR", "xx", ""]),
    for_sms=st.booleans(),
)
@example(typed="tel:;phone-context=+49", region=None, for_sms=True)
@example(typed="+1\x00", region="US", for_sms=True)
def test_any_text_is_a_number_or_is_refused_with_a_reason(typed, region, for_sms):
    result = parse(typed, region, for_sms=for_sms)
    if isinstance(result, UnfitNumber):
        assert result.cause.endswith(".")
        assert result.remedy.endswith(".")
    else:
        assert phonenumbers.is_valid_number(phonenumbers.parse(result.e164))


@given(st.text(alphabet="0123456789", min_size=6, max_size=18))
def test_a_refusal_never_repeats_the_number(digits):
    result = parse(f"+{digits}", None)
    assume(isinstance(result, UnfitNumber))
    assert digits not in str(result)
    assert digits[3:] not in str(result)


@pytest.mark.parametrize(
    ("timezone", "locale", "region"),
    [
        ("Europe/Berlin", "en-US", "DE"),
        ("Asia/Calcutta", "en", "IN"),  # an old name that browsers still report
        ("Europe/Kiev", None, "UA"),
        ("UTC", "en-GB", "GB"),
        (None, "zh-Hant-TW", "TW"),
        (None, "en-u-ca-gregory", None),
        (None, "es-419", None),
        (None, "sr-Cyrl", None),  # a script, not Cyprus
        (None, "de", None),
        ("Mars/Olympus", "*", None),
        ("", "", None),
        (None, None, None),
    ],
)
def test_the_region_of_a_browser_is_that_of_its_time_zone_or_else_of_its_language(
    timezone, locale, region
):
    assert region_of_browser(timezone, locale) == region

"""Refusals and example numbers follow from the numbering plan."""

import itertools
import re

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType

from core.model.phone_number import ParsedNumber
from core.verification.number.numbering_plan import example_for, how_to_write
from core.verification.number.parse import parse_number
from core.verification.number.refusals import NumberRefusal, UnfitNumber

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
MOBILES = {
    region
    for region in REGIONS
    if phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
}
# Each is refused for another reason, whatever is allowed.
REFUSED = (
    "12",
    "+1 555 555 0100",
    "+49 30 901820",
    "+54 11 2345 6789",
    "+55 11 8765 4321",
    "+52 1 55 1234 5678",
    "+881 6 123 45678",
    "999999999999999999",
)


def parse(
    typed: str, region: str | None, *, allowed: frozenset[str] | None = None
) -> ParsedNumber | UnfitNumber:
    try:
        return parse_number(typed, default_region=region, allowed=allowed)
    except UnfitNumber as refused:
        return refused


@pytest.mark.parametrize(
    ("typed", "region", "reason", "remedy"),
    [
        ("+54 11 2345 6789", None, NumberRefusal.NOT_A_MOBILE, "write a 9 after +54"),
        ("011 2345 6789", "AR", NumberRefusal.NOT_A_MOBILE, "write a 9 after +54"),
        ("+52 1 55 1234 5678", None, NumberRefusal.TOO_LONG, "leave out the 1 after +52"),
        ("044 55 1234 5678", "MX", NumberRefusal.TOO_LONG, "leave out the 044 after +52"),
        ("(11) 8765-4321", "BR", NumberRefusal.INVALID, "write a 9 after the first 2 digits"),
        ("0692 12 34 56", "FR", NumberRefusal.INVALID, "number of Monaco or Réunion"),
        ("0692 12 34 56", "FR", NumberRefusal.INVALID, "+262"),
    ],
)
def test_the_remedy_names_the_change_of_the_number(
    typed: str, region: str | None, reason: NumberRefusal, remedy: str
) -> None:
    refused = parse(typed, region)
    assert isinstance(refused, UnfitNumber)
    assert refused.reason is reason
    assert remedy in refused.remedy
    assert "takes no text" not in refused.cause


@pytest.mark.parametrize("region", REGIONS)
def test_every_example_shown_is_accepted_with_that_country_alone(region: str) -> None:
    allowed = frozenset({region})
    # Tristan da Cunha has no mobile numbers.
    for_sms = region in MOBILES
    for browser in (None, region, "DE"):
        typed = example_for(browser, allowed)
        number = parse_number(typed, default_region=None, allowed=allowed, for_sms=for_sms)
        assert number.international == typed


@pytest.mark.parametrize("region", REGIONS)
def test_examples_in_refusals_are_accepted_under_the_same_setting(region: str) -> None:
    allowed = frozenset({region})
    examples: set[str] = set()
    for typed, browser in itertools.product(REFUSED, (region, "FR", None)):
        refused = parse(typed, browser, allowed=allowed)
        assert isinstance(refused, UnfitNumber)
        examples.update(re.findall(r"\+\d[\d\s().-]{4,}\d", refused.remedy))
    assert examples
    for example in examples:
        parse_number(example, default_region=None, allowed=allowed, for_sms=region in MOBILES)


@pytest.mark.parametrize("kind", [PhoneNumberType.MOBILE, PhoneNumberType.VOIP])
def test_a_leading_digit_too_many_is_found_in_a_mobile_number_of_any_length(kind: int) -> None:
    """Numbers that are invalid with the digit before them."""
    missed = []
    for region in REGIONS:
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        national = phonenumbers.national_significant_number(example)
        for digit in "0123456789":
            try:
                parsed = phonenumbers.parse(f"+{example.country_code}{digit}{national}")
            except phonenumbers.NumberParseException:
                continue
            if phonenumbers.national_significant_number(parsed) != digit + national:
                continue
            if not phonenumbers.is_valid_number(parsed) and how_to_write(parsed) is None:
                missed.append((region, digit))
    assert missed == []


@pytest.mark.parametrize(
    ("typed", "region", "where"),
    [
        ("+1 555 555 0100", None, "US"),
        ("(999) 555-0199", "US", "US"),
        ("+44 7700 900123", None, "GB"),
        ("07700 900123", "GB", "GB"),
        ("07700 900123", "UK", "GB"),
        ("447700900123", "DE", "GB"),
        ("06 39 98 12 34", "FR", "FR"),
        ("020 911 1234", "IE", "IE"),
        ("+61 491 570 006", None, "AU"),
        ("+49 176 04069001", None, "DE"),
        ("+46 70 174 06 05", None, "SE"),
    ],
)
def test_numbers_reserved_for_fiction_are_accepted_on_request(
    typed: str, region: str | None, where: str
) -> None:
    number = parse_number(typed, default_region=region, accept_fictional=True)
    assert number.region == where
    assert parse_number(number.e164, default_region=None, accept_fictional=True) == number


@pytest.mark.parametrize("typed", ["+1 555 555 0100", "+44 7700 900123", "+33 6 39 98 12 34"])
def test_numbers_reserved_for_fiction_are_refused_otherwise(typed: str) -> None:
    assert isinstance(parse(typed, None), UnfitNumber)

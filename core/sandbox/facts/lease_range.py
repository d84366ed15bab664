"""The numbers of each country that leases are drawn from: its lease range.

A number of the lease range begins as the example of the country's mobile numbers in the numbering
plan (libphonenumber), then has up to three digits that differ from those of the example, then any
four digits, the ending. So each number is a mobile number of the country, an ending has hundreds of
numbers in a large plan, and a program that knows the rule recognizes them without a request.
`core/verification/number/lease_range.py` has the same rule; a test compares both.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

#: Named where a country has no number for a lease: countries with large plans.
LARGE_PLANS = ("US", "GB", "DE", "FR", "IN", "ES", "IT", "BR", "AU", "MX")
ENDING_DIGITS = 4
#: Most digits between the beginning and the ending, and how many always stay before them.
_FREE_DIGITS, _LEADING_DIGITS = 3, 2

_SMS_TYPES = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


def numbers_for_tests(country: str, ending: str) -> Iterator[str]:
    """The numbers of the country's lease range with this ending, as digits; ascending."""
    example = _example(country)
    if example is None:
        return
    free = min(_FREE_DIGITS, len(example) - _LEADING_DIGITS - ENDING_DIGITS)
    start, middle = (
        example[: -ENDING_DIGITS - free],
        example[-ENDING_DIGITS - free : -ENDING_DIGITS],
    )
    code = phonenumbers.country_code_for_region(country)
    for value in range(10**free if free > 0 else 0):
        digits = f"{value:0{free}}"
        if digits != middle and _is_mobile(country, number := f"{code}{start}{digits}{ending}"):
            yield number


@cache
def _example(country: str) -> str | None:
    """The national digits of the country's example; None where the plan has no mobile numbers."""
    example = phonenumbers.example_number_for_type(country, PhoneNumberType.MOBILE)
    return str(phonenumbers.national_significant_number(example)) if example else None


@lru_cache(maxsize=50_000)
def _is_mobile(country: str, digits: str) -> bool:
    """Whether it is a valid number of this country that receives messages."""
    parsed = phonenumbers.parse(f"+{digits}")
    return (
        # A trunk prefix in the middle would be dropped: that is another number.
        phonenumbers.format_number(parsed, PhoneNumberFormat.E164) == f"+{digits}"
        and phonenumbers.is_valid_number(parsed)
        and phonenumbers.region_code_for_number(parsed) == country
        and phonenumbers.number_type(parsed) in _SMS_TYPES
    )


def is_ending(text: object) -> bool:
    """Whether a value is the last four digits of a number."""
    return isinstance(text, str) and re.fullmatch(f"[0-9]{{{ENDING_DIGITS}}}", text) is not None

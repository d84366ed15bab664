"""Recognizes the numbers that the sandbox leases to tests: the lease range of each country.

The rule is that of `core/sandbox/facts/lease_range.py`, which is reached by HTTP only: a number
begins as the example of its country's mobile numbers, then has up to three digits that differ from
those of the example, then any four digits. A rule, and not a request to the sandbox, because it
costs a send nothing, holds when a lease has just expired, and is the same for a sandbox that runs
alone.
"""

from functools import cache

import phonenumbers

from core.model.phone_number import PhoneNumber

_ENDING_DIGITS, _FREE_DIGITS, _LEADING_DIGITS = 4, 3, 2


def is_in_lease_range(number: PhoneNumber) -> bool:
    """Whether the sandbox may lease this number."""
    example, national_digits = _example(number.region)
    free = min(_FREE_DIGITS, national_digits - _LEADING_DIGITS - _ENDING_DIGITS)
    if free <= 0 or len(number.e164) != len(example):
        return False
    middle = slice(-_ENDING_DIGITS - free, -_ENDING_DIGITS)
    same_beginning = number.e164[: middle.start] == example[: middle.start]
    return same_beginning and number.e164[middle] != example[middle]


@cache
def _example(region: str) -> tuple[str, int]:
    """The example of the country's mobile numbers in E.164, and how many digits follow its country
    code; "" and 0 where the plan has none."""
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    if example is None:
        return "", 0
    return (
        str(phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)),
        len(phonenumbers.national_significant_number(example)),
    )

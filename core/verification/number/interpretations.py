"""Lists every valid number that typed digits may mean.

Digits after a plus are an international number. Other digits may be a national number, an
international number without its plus, or begin with a prefix that is dialled for the plus: 00 and
011 in every region, and the region's own prefix. After the country code a trunk zero may follow, as
in `+49 (0)170`. The typed digits end with the national digits of each interpretation.
"""

from collections.abc import Callable, Iterator

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from core.model.phone_number import NumberKind
from core.verification.number.numbering_plan import e164
from core.verification.number.refusals import NumberRefusal, UnfitNumber
from core.verification.number.typed import NumberParts

Parsed = phonenumbers.PhoneNumber


def valid_interpretations(
    typed: NumberParts, region: str | None, is_valid: Callable[[Parsed], bool]
) -> list[Parsed]:
    """The valid interpretations without repeats, a national number first."""
    distinct = {e164(parsed): parsed for parsed in _all(typed, region, is_valid)}
    return [parsed for parsed in distinct.values() if _is_as_typed(parsed, typed.digits)]


def _is_as_typed(parsed: Parsed, digits: str) -> bool:
    """Whether all national digits were typed, or what people in the country dial for them. For some
    short numbers the parser adds digits, such as an area code."""
    if digits.endswith(phonenumbers.national_significant_number(parsed)):
        return True
    # Argentina: 011 15 2345 6789 is +54 9 11 2345 6789.
    dialled = phonenumbers.normalize_digits_only(
        phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)
    )
    region = phonenumbers.region_code_for_number(parsed)
    prefix = phonenumbers.ndd_prefix_for_region(region, True) if region else None
    return digits.endswith(dialled.removeprefix(prefix or ""))


def closest_interpretation(typed: NumberParts, region: str | None) -> Parsed | NumberParseException:
    """The invalid number that the digits stand for, or the error if they cannot be parsed."""
    try:
        if not typed.has_plus and typed.digits.startswith("00"):
            return phonenumbers.parse(f"+{typed.digits[2:]}", None)
        return phonenumbers.parse("+" * typed.has_plus + typed.digits, region)
    except NumberParseException as error:
        return error


def _all(
    typed: NumberParts, region: str | None, is_valid: Callable[[Parsed], bool]
) -> Iterator[Parsed]:
    digits, zero = typed.digits, typed.bracketed_zero
    _refuse_two_numbers(typed, region, is_valid)
    if typed.has_plus:
        if not digits.startswith("0"):
            yield from _international(digits, zero, is_valid)
        yield from _after_prefix(digits, zero, is_valid)
        return
    if region is not None:
        national = _parse(digits, region)
        if national is not None and is_valid(national):
            yield national
        foreign = list(_after_prefix(digits, zero, is_valid))
        if not digits.startswith("0"):
            foreign += _international(digits, zero, is_valid)
        for parsed in foreign:
            if national is None or not _is_mistyped(national, parsed, region, is_valid):
                yield parsed
        return
    # Without a region the digits may also be a national number. Two cases cannot be: no national
    # number begins with 00, and none is as long as a mobile number after 011.
    for parsed in _after_prefix(digits, zero, is_valid):
        if (
            digits.startswith("00")
            or NumberKind(phonenumbers.number_type(parsed)) is NumberKind.MOBILE
        ):
            yield parsed


def _is_mistyped(
    national: Parsed, foreign: Parsed, region: str, is_valid: Callable[[Parsed], bool]
) -> bool:
    """Whether the digits are more likely a national number with a wrong digit than a foreign fixed
    line without its plus: they have a possible national length but are not a valid number."""
    return (
        foreign.country_code != phonenumbers.country_code_for_region(region)
        and NumberKind(phonenumbers.number_type(foreign)) is NumberKind.FIXED_LINE
        and not is_valid(national)
        and phonenumbers.is_possible_number(national)
    )


def _after_prefix(
    digits: str, zero: int | None, is_valid: Callable[[Parsed], bool]
) -> Iterator[Parsed]:
    for prefix in ("00", "011"):
        if digits.startswith(prefix):
            zero_after_prefix = None if zero is None else zero - len(prefix)
            yield from _international(digits.removeprefix(prefix), zero_after_prefix, is_valid)


def _international(
    digits: str, zero: int | None, is_valid: Callable[[Parsed], bool]
) -> Iterator[Parsed]:
    """Digits that begin with a country code. `zero` is the place of a zero in brackets."""
    literal = _parse(f"+{digits}", None)
    if literal is None:
        return
    valid = is_valid(literal)
    if valid:
        yield literal
    prefix_length = len(str(literal.country_code))
    # A number that is valid with its zero, as in Italy, keeps it. A zero in brackets may be a trunk
    # zero or part of the number, so both numbers are listed.
    if digits[prefix_length : prefix_length + 1] == "0" and (not valid or zero == prefix_length):
        without_zero = _parse(f"+{digits[:prefix_length]}{digits[prefix_length + 1 :]}", None)
        if without_zero is not None and is_valid(without_zero):
            yield without_zero


def _refuse_two_numbers(
    typed: NumberParts, region: str | None, is_valid: Callable[[Parsed], bool]
) -> None:
    if typed.slash is None:
        return
    head, tail = typed.digits[: typed.slash], typed.digits[typed.slash :]
    halves = (_parse("+" * typed.has_plus + head, region), _parse(tail, region))
    if all(half is not None and is_valid(half) for half in halves):
        raise UnfitNumber(
            NumberRefusal.NOT_A_NUMBER,
            "A slash separates two numbers there.",
            "Enter the digits of one number.",
        )


def _parse(text: str, region: str | None) -> Parsed | None:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None

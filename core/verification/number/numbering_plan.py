"""Looks up facts about numbers and countries in the numbering plan (`phonenumbers`)."""

import re
from collections.abc import Iterator
from functools import cache

import phonenumbers
from babel.core import get_global
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from core.model.phone_number import NumberKind
from core.model.regions import known_region

# libphonenumber's region of numbers that belong to no country, such as satellite phones.
NO_COUNTRY = "001"


# Ranges kept for fiction that the metadata does not call valid. Sources: NANPA (555-01xx of every
# area code), Ofcom (numbers for drama), ARCEP decision 2018-0881, ComReg numbering conditions
# (020 91x xxxx). ACMA's, BNetzA's and PTS' fictional numbers are valid in the metadata already.
_FICTIONAL = (
    (re.compile(r"\+1[2-9]\d\d55501\d\d"), "US", NumberKind.FIXED_OR_MOBILE),
    (re.compile(r"\+447700900\d{3}"), "GB", NumberKind.MOBILE),
    (re.compile(r"\+441632960\d{3}"), "GB", NumberKind.FIXED_LINE),
    (re.compile(r"\+3363998\d{4}"), "FR", NumberKind.MOBILE),
    (re.compile(r"\+3532091\d{5}"), "IE", NumberKind.MOBILE),
)


def e164(parsed: phonenumbers.PhoneNumber) -> str:
    return str(phonenumbers.format_number(parsed, PhoneNumberFormat.E164))


def fictional(parsed: phonenumbers.PhoneNumber) -> tuple[str, NumberKind] | None:
    """Region and kind of a number that is kept for fiction and not valid otherwise."""
    for pattern, region, kind in _FICTIONAL:
        if pattern.fullmatch(e164(parsed)):
            return region, kind
    return None


def regions_of(parsed: phonenumbers.PhoneNumber) -> Iterator[str]:
    """Every region that a valid number may belong to: some share a calling code and ranges."""
    for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(parsed.country_code or 0, ()):
        if phonenumbers.is_valid_number_for_region(parsed, region):
            yield region


def plan_of(code: int) -> phonenumbers.PhoneMetadata | None:
    """The plan of a calling code; of its main country where several share it."""
    region = phonenumbers.region_code_for_country_code(code)
    return phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, region)


def lengths(code: int, *, for_sms: bool) -> list[int]:
    """How many digits may follow the country code, ascending; with `for_sms`, those of mobile
    numbers: a mobile number with a missing digit often has the length of a fixed line."""
    plan = plan_of(code)
    if plan is None:
        return []
    for part in (plan.mobile if for_sms else None, plan.general_desc):
        # -1 stands for "there are no such numbers here".
        if part and (possible := sorted(n for n in part.possible_length if n > 0)):
            return possible
    return []


@cache
def example_of(region: str) -> str:
    """The plan's own example of the region's mobile numbers, in the international format; of any
    of its numbers where the region has no mobile ones."""
    example = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    example = example or phonenumbers.example_number(region)
    if example is None:
        raise LookupError(f"The plan has no number of {region}.")
    return str(phonenumbers.format_number(example, PhoneNumberFormat.INTERNATIONAL))


def example_for(region: str | None, allowed: frozenset[str] | None) -> str:
    """An example number in the international format: of `region` if that is allowed, else of an
    allowed country. All pages and remedies use it, so the examples that they show are accepted."""
    region = known_region(region)
    if region is None or (allowed is not None and region not in allowed):
        region = min(allowed) if allowed else "US"
    return example_of(region)


def how_to_write(parsed: phonenumbers.PhoneNumber) -> str | None:
    """The single change that turns an invalid number, or a fixed line in a country where only a
    mobile prefix distinguishes the two, into a mobile number; None if there is not exactly one."""
    code = int(parsed.country_code or 0)
    national = phonenumbers.national_significant_number(parsed)
    if phonenumbers.is_valid_number(parsed):
        token = phonenumbers.country_mobile_token(code)
        if token and _is_mobile(code, token + national):
            return f"If it is a mobile number, write a {token} after +{code}"
        return None
    for count in range(1, 4):
        if _is_mobile(code, national[count:]):
            return f"If it is a mobile number, leave out the {national[:count]} after +{code}"
    places = [
        (place, digit)
        for place in range(len(national) + 1)
        for digit in "0123456789"
        if _is_mobile(code, national[:place] + digit + national[place:])
    ]
    # The same number results from a digit put before or after an equal one.
    if len({national[:place] + digit + national[place:] for place, digit in places}) != 1:
        return None
    place, digit = places[0]
    after = f"the first {place} digits after " if place else ""
    return f"If it is a mobile number, write a {digit} after {after}+{code}"


@cache
def _mobile_lengths(code: int) -> frozenset[int]:
    """How many digits may follow a calling code in a number that may be mobile, in any country."""
    possible: set[int] = set()
    for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code, ()):
        plan = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, region)
        for part in (plan.mobile, plan.voip) if plan else ():
            possible.update(part.possible_length if part else ())
    return frozenset(possible)


def _is_mobile(code: int, national: str) -> bool:
    # Most of the numbers that `how_to_write` tries end here, before they are parsed.
    if len(national) not in _mobile_lengths(code):
        return False
    try:
        parsed = phonenumbers.parse(f"+{code}{national}")
    except phonenumbers.NumberParseException:
        return False
    # Where the parser drops a digit (a trunk prefix), the result is another number.
    return (
        e164(parsed) == f"+{code}{national}"
        and NumberKind(phonenumbers.number_type(parsed)).may_be_mobile
    ) and phonenumbers.is_valid_number(parsed)


def related_regions(national: str, region: str) -> list[str]:
    """Regions with another calling code where `national` is a mobile number and which are related
    to `region`: same trunk prefix, currency and official language (CLDR), as Réunion and France.
    At most one region for each calling code."""
    prefix = phonenumbers.ndd_prefix_for_region(region, True)
    home = phonenumbers.country_code_for_region(region)
    related = {}
    for other in sorted(phonenumbers.SUPPORTED_REGIONS):
        calling_code = phonenumbers.country_code_for_region(other)
        if (
            calling_code != home
            and phonenumbers.ndd_prefix_for_region(other, True) == prefix
            and _currencies(other) & _currencies(region)
            and _languages(other) & _languages(region)
            and _is_mobile(calling_code, national)
        ):
            parsed = phonenumbers.parse(f"+{calling_code}{national}")
            related[calling_code] = str(phonenumbers.region_code_for_number(parsed))
    return list(related.values())


def _currencies(region: str) -> set[str]:
    entries = get_global("territory_currencies").get(region, ())
    return {entry[0] for entry in entries if entry[2] is None and entry[3]}


def _languages(region: str) -> set[str]:
    languages = get_global("territory_languages").get(region, {})
    return {name for name, facts in languages.items() if facts["official_status"]}

"""Parses typed text as a number that may be verified, or refuses it with the reason.

`phonenumbers` (Google's libphonenumber) parses. Every rule looks at the parsed number and never at
the typed text, so `00`, full-width digits, a trunk zero or a `+1` of the Caribbean cannot bypass a
rule. Digits with several interpretations are not guessed: they raise `AmbiguousNumber`.
"""

import phonenumbers
from phonenumbers import PhoneNumberFormat

from core.model.phone_number import NumberKind, ParsedNumber, mask
from core.model.regions import country_of, known_region
from core.verification.number.interpretations import valid_interpretations
from core.verification.number.numbering_plan import (
    NO_COUNTRY,
    e164,
    example_for,
    fictional,
    regions_of,
)
from core.verification.number.refusals import NumberRefusal, UnfitNumber
from core.verification.number.typed import split_typed
from core.verification.number.unfit import of_no_country, refuse_invalid, refuse_kind

Parsed = phonenumbers.PhoneNumber


class AmbiguousNumber(UnfitNumber):
    """The digits have several interpretations, in `candidates`; a person has to choose."""

    def __init__(self, candidates: tuple[ParsedNumber, ...]) -> None:
        super().__init__(
            NumberRefusal.AMBIGUOUS,
            f"Those digits can be read as {len(candidates)} different phone numbers.",
            "Choose the number that is meant, or enter it with + and its country code.",
        )
        self.candidates = candidates


def parse_number(
    typed: str,
    *,
    default_region: str | None,
    allowed: frozenset[str] | None = None,
    sender: str | None = None,
    for_sms: bool = True,
    accept_fictional: bool = False,
) -> ParsedNumber:
    """Parse a number as a person typed it.

    `default_region` (ISO 3166) is the country of a number without a country code. `allowed` are
    the countries that may be verified, None for all. `sender` is our own number or name. With
    `for_sms` a fixed line is refused; a call can reach one. `accept_fictional` also accepts numbers
    of ranges that are reserved for fiction. Raises UnfitNumber, or AmbiguousNumber if a person has
    to choose.
    """
    region = known_region(default_region)
    parts = split_typed(typed)
    is_valid = _is_real_or_fictional if accept_fictional else phonenumbers.is_valid_number
    candidates = valid_interpretations(parts, region, is_valid)
    if not candidates:
        refuse_invalid(parts, region, allowed, for_sms=for_sms)
    parsed = _choose(candidates, region, for_sms=for_sms)
    number = _number(parsed)
    if sender and number.digits == "".join(filter(str.isdigit, sender)):
        raise UnfitNumber(
            NumberRefusal.SAME_AS_SENDER,
            "That is the number that the code is sent from.",
            "Enter the number of another phone.",
        )
    _check_country(number, parsed, allowed)
    refuse_kind(number.kind, number.region, parsed, for_sms=for_sms)
    return number


def _is_real_or_fictional(parsed: Parsed) -> bool:
    return phonenumbers.is_valid_number(parsed) or fictional(parsed) is not None


def _facts(parsed: Parsed) -> tuple[str | None, NumberKind]:
    """Region and kind of a valid number; the region is None for numbers of no country."""
    region = phonenumbers.region_code_for_number(parsed)
    kind = NumberKind(phonenumbers.number_type(parsed))
    if kind is NumberKind.UNKNOWN and (fiction := fictional(parsed)):
        return fiction
    return (None if region == NO_COUNTRY else region), kind


def _choose(candidates: list[Parsed], region: str | None, *, for_sms: bool) -> Parsed:
    """The most likely candidate. Raises AmbiguousNumber if several are equally likely."""
    if len(candidates) == 1:
        return candidates[0]

    def rank(parsed: Parsed) -> int:
        """3: a mobile number, 2: perhaps, 1: a fixed line that can be called, 0: not reachable."""
        number_region, kind = _facts(parsed)
        if number_region is None:
            return 0
        if kind is NumberKind.FIXED_LINE:
            return 0 if for_sms else 1
        return 3 if kind is NumberKind.MOBILE else 2 * kind.may_be_mobile

    ranks = [rank(parsed) for parsed in candidates]
    reachable = [parsed for parsed, its_rank in zip(candidates, ranks, strict=True) if its_rank]
    if len(reachable) < 2:
        return (reachable or candidates)[0]
    best = max(ranks)
    top = candidates[ranks.index(best)]
    at_home = region is not None and top.country_code == phonenumbers.country_code_for_region(
        region
    )
    # Where another candidate may be a mobile number, only a mobile number of `region` is chosen.
    if ranks.count(best) == 1 and (at_home or (best == 3 and 2 not in ranks)):
        return top
    raise AmbiguousNumber(tuple(map(_number, reachable)))


def _number(parsed: Parsed) -> ParsedNumber:
    region, kind = _facts(parsed)
    if region is None:
        raise of_no_country(int(parsed.country_code or 0))
    international = phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)
    return ParsedNumber(
        e164=e164(parsed),
        masked=mask(international),
        region=region,
        country=country_of(region),
        kind=kind,
        international=international,
    )


def _check_country(number: ParsedNumber, parsed: Parsed, allowed: frozenset[str] | None) -> None:
    if allowed is None or number.region in allowed:
        return
    # Countries that share a calling code may share ranges: the number belongs to each of them.
    if not allowed.isdisjoint(regions_of(parsed)):
        return
    remedy = "Add a country to the allowed ones."
    if allowed:
        remedy = f"Enter a number of an allowed country, such as {example_for(None, allowed)}."
    raise UnfitNumber(
        NumberRefusal.COUNTRY_NOT_ALLOWED,
        f"Numbers of {number.country} are not accepted here.",
        remedy,
    )

"""What a person typed, as a number that may be verified, or the reason why it may not.

Reading is left to `phonenumbers` (Google's libphonenumber). Every rule looks at the parsed number
and never at the typed text, so `00`, full-width digits, a trunk zero or a `+1` of the Caribbean
cannot walk around one. Digits with several readings are never guessed at: `AmbiguousNumber`.
"""

import phonenumbers
from phonenumbers import PhoneNumberFormat

from core.model.phone_number import NumberKind, ParsedNumber, mask
from core.model.regions import country_of, known_region
from core.verification.number.numbering_plan import (
    NO_COUNTRY,
    e164,
    example_for,
    fictional,
    regions_of,
)
from core.verification.number.readings import readings
from core.verification.number.refusals import NumberRefusal, UnfitNumber
from core.verification.number.typed import take_apart
from core.verification.number.unfit import refuse_kind, refuse_unread

Parsed = phonenumbers.PhoneNumber


class AmbiguousNumber(UnfitNumber):
    """The digits have several readings, in `candidates`, and nothing tells which one is meant."""

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
    """The number that a person typed, in whatever form.

    `default_region` (ISO 3166) is the country of a number without a country code. `allowed` are
    the countries that may be verified, None for all. `sender` is our own number or name. With
    `for_sms` a fixed line is refused; a call may go there. `accept_fictional` also accepts ranges
    that are kept for fiction. Raises UnfitNumber, AmbiguousNumber where a person has to choose.
    """
    region = known_region(default_region)
    parts = take_apart(typed)
    is_valid = _is_real_or_fictional if accept_fictional else phonenumbers.is_valid_number
    found = readings(parts, region, is_valid)
    if not found:
        refuse_unread(parts, region, allowed, for_sms=for_sms)
    parsed = _choose(found, region, for_sms=for_sms)
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
    """Region and kind. The metadata knows those of a valid number; None: of no country."""
    region = phonenumbers.region_code_for_number(parsed)
    kind = NumberKind(phonenumbers.number_type(parsed))
    if kind is NumberKind.UNKNOWN and (invented := fictional(parsed)):
        return invented
    return (None if region == NO_COUNTRY else region), kind


def _choose(found: list[Parsed], region: str | None, *, for_sms: bool) -> Parsed:
    """The reading that is meant. Raises AmbiguousNumber unless one alone can be meant."""
    if len(found) == 1:
        return found[0]

    def rank(parsed: Parsed) -> int:
        """3: a mobile number, 2: perhaps, 1: a fixed line that can be called, 0: not reachable."""
        where, kind = _facts(parsed)
        if where is None:
            return 0
        if kind is NumberKind.FIXED_LINE:
            return 0 if for_sms else 1
        return 3 if kind is NumberKind.MOBILE else 2 * kind.may_be_mobile

    ranks = [rank(parsed) for parsed in found]
    reachable = [parsed for parsed, its in zip(found, ranks, strict=True) if its]
    if len(reachable) < 2:
        return (reachable or found)[0]
    best = max(ranks)
    top = found[ranks.index(best)]
    at_home = region is not None and top.country_code == phonenumbers.country_code_for_region(
        region
    )
    # Another number that is perhaps a mobile gives way to a mobile at home only.
    if ranks.count(best) == 1 and (at_home or (best == 3 and 2 not in ranks)):
        return top
    raise AmbiguousNumber(tuple(map(_number, reachable)))


def _number(parsed: Parsed) -> ParsedNumber:
    region, kind = _facts(parsed)
    if region is None:
        raise UnfitNumber(
            NumberRefusal.NOT_REACHABLE_KIND,
            f"Numbers that begin with +{parsed.country_code} belong to satellite phones or "
            "services, not to a country.",
            "Enter a mobile number.",
        )
    international = phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)
    return ParsedNumber(
        e164=e164(parsed),
        masked=mask(international),
        region=region,
        country=country_of(region),
        kind=kind,
        national=phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL),
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

"""What a person typed, as a number that may be verified, or the reason why it may not.

Reading is left to `phonenumbers` (Google's libphonenumber). Every rule looks at the parsed number
and never at the typed text, so `00`, full-width digits, a trunk zero or a `+1` of the Caribbean
cannot walk around one. Digits with several readings are never guessed at: `AmbiguousNumber`.
"""

import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberFormat

from core.model.regions import country_of, known_region, region_of_browser
from core.verification.number.numbering_plan import (
    NO_COUNTRY,
    NumberKind,
    e164,
    example_for,
    fictional,
    regions_of,
)
from core.verification.number.readings import readings
from core.verification.number.refusals import NumberRefusal, UnfitNumber
from core.verification.number.typed import take_apart
from core.verification.number.unfit import refuse_kind, refuse_unread

__all__ = [
    "AmbiguousNumber",
    "NumberKind",
    "NumberRefusal",
    "PhoneNumber",
    "UnfitNumber",
    "country_of",
    "example_for",
    "parse_number",
    "region_of_browser",
]

# A mask hides four digits at least, where the number is long enough to be told apart by them.
_HIDDEN = 4

Parsed = phonenumbers.PhoneNumber


@dataclass(frozen=True, slots=True, repr=False)
class PhoneNumber:
    """A number that may be verified. Neither `repr` nor `str` shows it; `e164` does.

    `region` is ISO 3166-1 alpha-2, `country` its English name. `national` and `international` are
    how people there write it.
    """

    e164: str
    region: str
    country: str
    kind: NumberKind
    national: str
    international: str

    def __repr__(self) -> str:
        return f"PhoneNumber({self.masked})"

    def __str__(self) -> str:
        return self.masked

    @property
    def carrier(self) -> str:
        """The operator that the range was given to, "" where the plan does not say. The number may
        have been ported since."""
        # Imported late: its tables take a third of a second to load. `warm` in core.services does.
        from phonenumbers import carrier

        return str(carrier.name_for_number(phonenumbers.parse(self.e164), "en"))

    @property
    def digits(self) -> str:
        """E.164 without the plus sign, as Plivo takes it."""
        return self.e164[1:]

    @property
    def masked(self) -> str:
        """For pages and logs: `+1 415 ••• ••50`, grouped as the international format.

        The country code and the last two digits are kept, and the first group where that still
        hides four digits.
        """
        code, *groups = re.findall(r"\d+", self.international)
        digits = sum(len(group) for group in groups)
        kept = len(groups[0]) if digits - len(groups[0]) - 2 >= _HIDDEN else 0
        place = 0
        shown = [f"+{code}"]
        for group in groups:
            shown.append(
                "".join(
                    digit if at < kept or at >= digits - 2 else "•"
                    for at, digit in enumerate(group, place)
                )
            )
            place += len(group)
        return " ".join(shown)


class AmbiguousNumber(UnfitNumber):
    """The digits have several readings, in `candidates`, and nothing tells which one is meant."""

    def __init__(self, candidates: tuple[PhoneNumber, ...]) -> None:
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
) -> PhoneNumber:
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


def _number(parsed: Parsed) -> PhoneNumber:
    region, kind = _facts(parsed)
    if region is None:
        raise UnfitNumber(
            NumberRefusal.NOT_REACHABLE_KIND,
            f"Numbers that begin with +{parsed.country_code} belong to satellite phones or "
            "services, not to a country.",
            "Enter a mobile number.",
        )
    return PhoneNumber(
        e164=e164(parsed),
        region=region,
        country=country_of(region),
        kind=kind,
        national=phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL),
        international=phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL),
    )


def _check_country(number: PhoneNumber, parsed: Parsed, allowed: frozenset[str] | None) -> None:
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

"""What a person typed, as a number that may be verified, or the reason why it may not.

Reading is left to `phonenumbers` (Google's libphonenumber). Every rule looks at the parsed number
and never at the typed text, so `00`, full-width digits, a trunk zero or a `+1` of the Caribbean
cannot walk around one. A fictitious number such as +1 415 555 0450 is accepted wherever
`phonenumbers` calls it valid: demos and tests live on them.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import NoReturn

import phonenumbers
from babel import Locale
from babel.core import get_global
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from core.errors import NumberRefused

_COUNTRIES = Locale("en").territories
# libphonenumber's region of numbers that belong to no country, such as satellite phones.
_NO_COUNTRY = "001"
# Language, perhaps a script, and the territory of a BCP 47 tag; what follows says nothing of it.
_TERRITORY = re.compile(r"[a-z]{2,3}(?:[-_][a-z]{4})?[-_]([a-z]{2})(?![a-z0-9])", re.IGNORECASE)
# A mask hides four digits at least, where the number is long enough to be told apart by them.
_HIDDEN = 4

#: What is longer is no number to `phonenumbers` either. Looked at first: to make a text plain takes
#: time that grows with the square of its length.
LONGEST_TYPED = 250


class Kind(Enum):
    """What the numbering plan says of the number. The values are those of `phonenumbers`."""

    FIXED_LINE = PhoneNumberType.FIXED_LINE
    MOBILE = PhoneNumberType.MOBILE
    FIXED_OR_MOBILE = PhoneNumberType.FIXED_LINE_OR_MOBILE  # North America: the plan cannot tell
    TOLL_FREE = PhoneNumberType.TOLL_FREE
    PREMIUM_RATE = PhoneNumberType.PREMIUM_RATE
    SHARED_COST = PhoneNumberType.SHARED_COST
    VOIP = PhoneNumberType.VOIP
    PERSONAL = PhoneNumberType.PERSONAL_NUMBER
    PAGER = PhoneNumberType.PAGER
    UAN = PhoneNumberType.UAN
    VOICEMAIL = PhoneNumberType.VOICEMAIL
    UNKNOWN = PhoneNumberType.UNKNOWN

    @property
    def words(self) -> str:
        """The kind as people say it, such as "mobile"."""
        return _KIND_WORDS.get(self, self.name.replace("_", " ").lower())


_KIND_WORDS = {
    Kind.FIXED_LINE: "landline",
    Kind.FIXED_OR_MOBILE: "mobile or landline",
    Kind.VOIP: "internet telephony",
    Kind.UNKNOWN: "kind of line not known",
}


class WhyRefused(StrEnum):
    """Why a number may not be verified."""

    EMPTY = "empty"
    NOT_A_NUMBER = "not_a_number"
    NO_COUNTRY = "no_country"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    INVALID = "invalid"
    NOT_A_MOBILE = "not_a_mobile"
    PREMIUM_RATE = "premium_rate"
    NOT_REACHABLE_KIND = "not_reachable_kind"
    COUNTRY_NOT_ALLOWED = "country_not_allowed"
    SAME_AS_SENDER = "same_as_sender"


class UnfitNumber(NumberRefused):
    """`reason` is for programs; `cause` and `remedy` are for people and never repeat the number."""

    def __init__(self, reason: WhyRefused, cause: str, remedy: str) -> None:
        super().__init__(cause, remedy)
        self.reason = reason


@dataclass(frozen=True, slots=True, repr=False)
class PhoneNumber:
    """A number that may be verified. Neither `repr` nor `str` shows it; `e164` does.

    `region` is ISO 3166-1 alpha-2, `country` its English name. `carrier` is the operator that the
    range was given to, "" where the plan does not say; the number may have been ported since.
    `national` and `international` are how people there write it.
    """

    e164: str
    region: str
    country: str
    kind: Kind
    carrier: str
    national: str
    international: str

    def __repr__(self) -> str:
        return f"PhoneNumber({self.masked})"

    def __str__(self) -> str:
        return self.masked

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


def _carrier(parsed: phonenumbers.PhoneNumber) -> str:
    # Imported late: its tables take a third of a second to load. `warm` in core.services does so.
    from phonenumbers import carrier

    return str(carrier.name_for_number(parsed, "en"))


def country_of(region: str) -> str:
    """The English name of a region (ISO 3166-1 alpha-2); the letters themselves if it has none."""
    return str(_COUNTRIES.get(region, region))


def parse_number(
    typed: str,
    *,
    default_region: str | None,
    allowed: frozenset[str] | None = None,
    sender: str | None = None,
    for_sms: bool = True,
) -> PhoneNumber:
    """The number that a person typed, in whatever form.

    `default_region` (ISO 3166) is the country of a number without a country code. `allowed` are
    the countries that may be verified, None for all. `sender` is our own number or name. With
    `for_sms` a fixed line is refused; a call may go there. Raises UnfitNumber.
    """
    if len(typed) > LONGEST_TYPED:
        raise UnfitNumber(
            WhyRefused.TOO_LONG,
            "No phone number is as long as that.",
            "Enter the digits of one number, such as +44 7911 123456.",
        )
    text = _plain(typed)
    if not text:
        raise UnfitNumber(WhyRefused.EMPTY, "There is no number yet.", "Enter a phone number.")
    parsed = _read(text, default_region)
    _check_form(parsed, for_sms=for_sms)
    region = phonenumbers.region_code_for_number(parsed)
    if region is None or region == _NO_COUNTRY:
        raise UnfitNumber(
            WhyRefused.NOT_REACHABLE_KIND,
            f"Numbers that begin with +{parsed.country_code} belong to satellite phones or "
            "services, not to a country.",
            "Enter a mobile number.",
        )
    number = PhoneNumber(
        e164=phonenumbers.format_number(parsed, PhoneNumberFormat.E164),
        region=region,
        country=country_of(region),
        kind=Kind(phonenumbers.number_type(parsed)),
        carrier=_carrier(parsed),
        national=phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL),
        international=phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL),
    )
    if sender and number.digits == "".join(filter(str.isdigit, sender)):
        raise UnfitNumber(
            WhyRefused.SAME_AS_SENDER,
            "That is the number that the code is sent from.",
            "Enter the number of another phone.",
        )
    if allowed is not None and region not in allowed:
        raise UnfitNumber(
            WhyRefused.COUNTRY_NOT_ALLOWED,
            f"Numbers of {number.country} are not accepted here.",
            "Enter a number of another country, or add this one to the allowed countries.",
        )
    _check_kind(number, for_sms=for_sms)
    return number


def region_of_browser(timezone: str | None, locale: str | None) -> str | None:
    """The country (ISO 3166) that a browser is in, as the default for numbers; None if unclear.

    `timezone` is an IANA name, `locale` a BCP 47 tag. The time zone comes first: many people keep
    an en-US browser, and hardly any keep the clock of another country.
    """
    zone = get_global("zone_aliases").get(timezone or "", timezone or "")
    territory = get_global("zone_territories").get(zone, "")
    if territory in phonenumbers.SUPPORTED_REGIONS:
        return str(territory)
    tag = _TERRITORY.match(locale or "")
    region = tag[1].upper() if tag else None
    return region if region in phonenumbers.SUPPORTED_REGIONS else None


def _plain(typed: str) -> str:
    """Full-width signs made plain (NFKC), and without the invisible direction marks (Cf) that come
    along when a number is copied from a list of contacts."""
    text = unicodedata.normalize("NFKC", typed)
    return "".join(char for char in text if unicodedata.category(char) != "Cf").strip()


def _read(text: str, region: str | None) -> phonenumbers.PhoneNumber:
    """Parsed, but perhaps not valid."""
    region = region.upper() if region else None
    try:
        parsed = phonenumbers.parse(text, region)
    except NumberParseException as error:
        if (international := _after_00(text)) is not None:
            return international
        _refuse_unreadable(text, error)
    if not phonenumbers.is_valid_number(parsed):
        return _after_00(text) or parsed
    return parsed


def _after_00(text: str) -> phonenumbers.PhoneNumber | None:
    """The number behind a leading 00, which most of the world dials for "+" and people type
    wherever they are; None if that gives no valid number. No valid number begins with 00."""
    digits = phonenumbers.normalize_digits_only(text)
    if not digits.startswith("00"):
        return None
    try:
        parsed = phonenumbers.parse("+" + digits[2:])
    except NumberParseException:
        return None
    return parsed if phonenumbers.is_valid_number(parsed) else None


def _refuse_unreadable(text: str, error: NumberParseException) -> NoReturn:
    digits = len(phonenumbers.normalize_digits_only(text))
    remedy = "Enter it with its country code, such as +44 for the United Kingdom."
    match error.error_type:
        case NumberParseException.INVALID_COUNTRY_CODE if text.startswith(("+", "tel:+")):
            why, cause = WhyRefused.NO_COUNTRY, "No country has the code that this begins with."
        case NumberParseException.INVALID_COUNTRY_CODE:
            why, cause = WhyRefused.NO_COUNTRY, "That number does not say which country it is of."
        case NumberParseException.TOO_SHORT_AFTER_IDD | NumberParseException.TOO_SHORT_NSN:
            why, cause = WhyRefused.TOO_SHORT, f"A phone number has more than {_counted(digits)}."
        case NumberParseException.NOT_A_NUMBER if 0 < digits < 3:
            why, cause = WhyRefused.TOO_SHORT, f"A phone number has more than {_counted(digits)}."
        case NumberParseException.TOO_LONG if digits:
            why, cause = WhyRefused.TOO_LONG, f"No phone number has {_counted(digits)}."
        case _:
            why, cause = WhyRefused.NOT_A_NUMBER, "That is not one phone number."
            remedy = "Enter the digits of one number, such as +44 7911 123456."
    raise UnfitNumber(why, cause, remedy) from error


def _check_form(parsed: phonenumbers.PhoneNumber, *, for_sms: bool) -> None:
    """Raises UnfitNumber for a number that no phone can have."""
    if parsed.extension:
        raise UnfitNumber(
            WhyRefused.NOT_REACHABLE_KIND,
            "That number ends in an extension, which neither a message nor the call can dial.",
            "Enter a number that rings at your own phone.",
        )
    if phonenumbers.is_valid_number(parsed):
        return
    code = int(parsed.country_code or 0)
    region = phonenumbers.region_code_for_country_code(code)
    # +1 is shared by 25 countries: without a valid number it names none of them.
    where = f"+{code}" if region in {_NO_COUNTRY, "US"} else f"+{code} ({country_of(region)})"
    plan = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    lengths = _lengths(plan, for_sms=for_sms)
    national = phonenumbers.national_significant_number(parsed)
    if plan and plan.national_prefix == "0":
        # The parser keeps a trunk zero where leaving it out makes no valid number.
        national = national.removeprefix("0")
    length = len(national)
    if lengths and length not in lengths:
        short = length < lengths[-1]
        raise UnfitNumber(
            WhyRefused.TOO_SHORT if short else WhyRefused.TOO_LONG,
            f"That has {_counted(length)} after {where}; "
            f"a {'mobile' if for_sms else 'phone'} number has {_range(lengths)} there.",
            f"Check whether a digit is {'missing' if short else 'doubled'}.",
        )
    raise UnfitNumber(
        WhyRefused.INVALID,
        f"That number has the right length, but no phone after {where} begins like that.",
        "Check the country and the first digits.",
    )


def _lengths(plan: phonenumbers.PhoneMetadata | None, *, for_sms: bool) -> list[int]:
    """How many digits may follow the country code, ascending. Mobile numbers come first where a
    message is to be sent: one with a digit missing has the length of many a fixed line."""
    if plan is None:
        return []
    for part in (plan.mobile if for_sms else None, plan.general_desc):
        # -1 stands for "there are no such numbers here".
        if part and (lengths := sorted(n for n in part.possible_length if n > 0)):
            return lengths
    return []


def _check_kind(number: PhoneNumber, *, for_sms: bool) -> None:
    """Raises UnfitNumber for a number that cannot take the code, or would cost a fortune."""
    match number.kind:
        case Kind.MOBILE | Kind.FIXED_OR_MOBILE | Kind.VOIP | Kind.UNKNOWN:
            return
        case Kind.FIXED_LINE if not for_sms:
            return
        case Kind.FIXED_LINE:
            raise UnfitNumber(
                WhyRefused.NOT_A_MOBILE,
                f"That is a fixed line in {number.country}, which takes no text messages.",
                "Ask for a call instead, or enter a mobile number.",
            )
        case Kind.PREMIUM_RATE:
            raise UnfitNumber(
                WhyRefused.PREMIUM_RATE,
                "That is a premium-rate number: whoever sends to it pays its owner.",
                "Enter a mobile number.",
            )
        # Personal numbers forward at a price of their own, which makes them a tool of toll fraud.
        case (
            Kind.TOLL_FREE
            | Kind.SHARED_COST
            | Kind.PERSONAL
            | Kind.PAGER
            | Kind.UAN
            | Kind.VOICEMAIL
        ):
            raise UnfitNumber(
                WhyRefused.NOT_REACHABLE_KIND,
                f"That is {_REFUSED_KINDS[number.kind]}, not the number of one person's phone.",
                "Enter a mobile number.",
            )


_REFUSED_KINDS = {
    Kind.TOLL_FREE: "a toll-free service number",
    Kind.SHARED_COST: "a shared-cost service number",
    Kind.PERSONAL: "a forwarding number",
    Kind.PAGER: "the number of a pager",
    Kind.UAN: "a company's service number",
    Kind.VOICEMAIL: "the number of a voicemail box",
}


def _counted(digits: int) -> str:
    return "1 digit" if digits == 1 else f"{digits} digits"


def _range(lengths: list[int]) -> str:
    first, last = lengths[0], lengths[-1]
    if first == last:
        return f"{first}"
    return f"{first} {'or' if last - first == 1 else 'to'} {last}"

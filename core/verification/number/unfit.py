"""Refuses digits that are not a valid number, and numbers that cannot receive the code, each with
cause and remedy."""

from typing import NoReturn

import phonenumbers
from phonenumbers import NumberParseException

from core.model.phone_number import NumberKind
from core.model.regions import country_of
from core.verification.number.interpretations import closest_interpretation
from core.verification.number.numbering_plan import (
    NO_COUNTRY,
    example_for,
    example_of,
    how_to_write,
    lengths,
    plan_of,
    related_regions,
)
from core.verification.number.refusals import NumberRefusal, UnfitNumber
from core.verification.number.typed import NumberParts

_REFUSED_KINDS = {
    NumberKind.TOLL_FREE: "a toll-free service number",
    NumberKind.SHARED_COST: "a shared-cost service number",
    NumberKind.PERSONAL: "a forwarding number",
    NumberKind.PAGER: "the number of a pager",
    NumberKind.UAN: "a company's service number",
    NumberKind.VOICEMAIL: "the number of a voicemail box",
}


def refuse_invalid(
    typed: NumberParts, region: str | None, allowed: frozenset[str] | None, *, for_sms: bool
) -> NoReturn:
    """Raises UnfitNumber for digits that are not a valid number in any interpretation."""
    nearest = closest_interpretation(typed, region)
    if isinstance(nearest, NumberParseException):
        raise _unparsed(typed, nearest, example_for(region, allowed)) from nearest
    if phonenumbers.is_valid_number(nearest):
        # The parser added digits that were not typed.
        raise UnfitNumber(
            NumberRefusal.TOO_SHORT,
            "Digits are missing at the beginning, such as an area code.",
            f"Enter the whole number, as in {example_for(region, allowed)}.",
        )
    code = int(nearest.country_code or 0)
    main = phonenumbers.region_code_for_country_code(code)
    if main == NO_COUNTRY:
        # Whatever digits follow: no correction would lead to a number that can be verified.
        raise of_no_country(code)
    # +1 is shared by 25 countries: without a valid number it names none of them.
    country_code_text = f"+{code}" if main == "US" else f"+{code} ({country_of(main)})"
    plan = plan_of(code)
    national = phonenumbers.national_significant_number(nearest)
    typed_nationally = region is not None and not typed.has_plus and typed.digits.endswith(national)
    if plan and plan.national_prefix == "0":
        # The parser keeps a trunk zero where leaving it out makes no valid number.
        national = national.removeprefix("0")
    length, valid_lengths = len(national), lengths(code, for_sms=for_sms)
    reason = NumberRefusal.INVALID
    cause = (
        "That number has the right length, but in the numbering plan no phone after "
        f"{country_code_text} begins like that."
    )
    remedy = "Check the country and the first digits"
    if valid_lengths and length not in valid_lengths:
        is_short = length < valid_lengths[-1]
        reason = NumberRefusal.TOO_SHORT if is_short else NumberRefusal.TOO_LONG
        cause = (
            f"That has {_counted(length)} after {country_code_text}; "
            f"a {'mobile' if for_sms else 'phone'} number has {_range(valid_lengths)} there."
        )
        remedy = f"Check whether a digit is {'missing' if is_short else 'doubled'}"
    if change := how_to_write(nearest):
        remedy = f"{change}, as in {example_for(main, allowed)}"
    elif region and typed_nationally and (others := related_regions(national, region)):
        codes = [f"+{phonenumbers.country_code_for_region(other)}" for other in others]
        remedy = (
            f"If it is a number of {' or '.join(map(country_of, others))}, enter it with "
            f"{' or '.join(codes)}"
        )
    raise UnfitNumber(reason, cause, f"{remedy}.")


def of_no_country(code: int) -> UnfitNumber:
    """The refusal of a number with this calling code, which belongs to no country."""
    return UnfitNumber(
        NumberRefusal.NOT_REACHABLE_KIND,
        f"Numbers that begin with +{code} belong to satellite phones or services, not to a "
        "country.",
        "Enter a mobile number.",
    )


def refuse_kind(
    kind: NumberKind, region: str, parsed: phonenumbers.PhoneNumber, *, for_sms: bool
) -> None:
    """Raises UnfitNumber for a number that cannot receive the code, or charges for receiving it."""
    if kind.may_be_mobile or (kind is NumberKind.FIXED_LINE and not for_sms):
        return
    if kind is NumberKind.FIXED_LINE:
        country, example = country_of(region), example_of(region)
        remedy = f"{how_to_write(parsed) or 'Enter a mobile number'}, such as {example}"
        raise UnfitNumber(
            NumberRefusal.NOT_A_MOBILE,
            f"The numbering plan of {country} lists that as the number of a fixed line, and a "
            "message needs a mobile number.",
            f"{remedy}. A fixed line can take a call instead.",
        )
    if kind is NumberKind.PREMIUM_RATE:
        raise UnfitNumber(
            NumberRefusal.PREMIUM_RATE,
            "That is a premium-rate number: its owner is paid for each message and call to it.",
            "Enter a mobile number.",
        )
    # Personal numbers forward calls at their own price, which toll fraud exploits.
    raise UnfitNumber(
        NumberRefusal.NOT_REACHABLE_KIND,
        f"That is {_REFUSED_KINDS[kind]}, not the number of a person's phone.",
        "Enter a mobile number.",
    )


def _unparsed(typed: NumberParts, error: NumberParseException, example: str) -> UnfitNumber:
    length = len(typed.digits)
    remedy = f"Enter it with its country code, such as {example}."
    match error.error_type:
        case NumberParseException.INVALID_COUNTRY_CODE if (
            typed.has_plus or typed.digits[:2] == "00"
        ):
            reason, cause = (
                NumberRefusal.NO_COUNTRY,
                "No country has the code that this begins with.",
            )
        case NumberParseException.INVALID_COUNTRY_CODE if length < 3:
            reason, cause = (
                NumberRefusal.TOO_SHORT,
                f"A phone number has more than {_counted(length)}.",
            )
        case NumberParseException.INVALID_COUNTRY_CODE:
            reason, cause = (
                NumberRefusal.NO_COUNTRY,
                "That number does not say which country it is of.",
            )
        case NumberParseException.TOO_LONG:
            reason, cause = NumberRefusal.TOO_LONG, f"No phone number has {_counted(length)}."
        case _:
            reason, cause = (
                NumberRefusal.TOO_SHORT,
                f"A phone number has more than {_counted(length)}.",
            )
    return UnfitNumber(reason, cause, remedy)


def _counted(digits: int) -> str:
    return "1 digit" if digits == 1 else f"{digits} digits"


def _range(lengths: list[int]) -> str:
    first, last = lengths[0], lengths[-1]
    if first == last:
        return f"{first}"
    return f"{first} {'or' if last - first == 1 else 'to'} {last}"

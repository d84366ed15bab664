"""Country, display and masking of phone numbers: digits without a plus sign, as at Plivo."""

import phonenumbers


def country_of(digits: str) -> str | None:
    """ISO 3166 code of the country of an international number; None if it has no country."""
    try:
        parsed = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return None
    region = phonenumbers.region_code_for_number(parsed)
    if region is None:
        # An invalid number still has a calling code.
        region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    # 001: not geographic. ZZ: unknown.
    return None if region in {"001", "ZZ"} else region


def display(sender: str) -> str:
    """A sender as phones show it: `+1 415-555-0100`; a name or a short number as it is."""
    if not sender.isdigit() or len(sender) < 7:
        return sender
    try:
        parsed = phonenumbers.parse(f"+{sender}")
    except phonenumbers.NumberParseException:
        return sender
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def mask_number(digits: str) -> str:
    """Mask a number as Plivo does: `141XXXXX528`."""
    return digits if len(digits) < 7 else f"{digits[:3]}{'X' * (len(digits) - 6)}{digits[-3:]}"

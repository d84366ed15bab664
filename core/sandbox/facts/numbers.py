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


def carrier_of(digits: str) -> str:
    """The carrier that the numbering plan names for an international number; "" if none."""
    # Imported late: its tables are slow to load.
    from phonenumbers import carrier

    try:
        return str(carrier.name_for_number(phonenumbers.parse(f"+{digits}"), "en"))
    except phonenumbers.NumberParseException:
        return ""


def carriers_in(country: str | None) -> set[str]:
    """The names of all carriers in the numbering plan of a country, or of all countries."""
    from phonenumbers.carrierdata import CARRIER_DATA

    code = phonenumbers.country_code_for_region(country) if country else ""
    return {
        names["en"]
        for prefix, names in CARRIER_DATA.items()
        if "en" in names and prefix.startswith(str(code))
    }


def is_country(code: str) -> bool:
    """Whether `code` is the ISO 3166 code of a country with phone numbers."""
    return code in phonenumbers.SUPPORTED_REGIONS


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

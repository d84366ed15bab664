"""Facts about phone numbers, written as Plivo does: digits alone, without a plus sign."""

import phonenumbers


def country_of(digits: str) -> str | None:
    """ISO 3166 code of the country of an international number; None where there is none."""
    try:
        parsed = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return None
    region = phonenumbers.region_code_for_number(parsed)
    if region is None:
        # An invented number still names its country by its calling code.
        region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    # 001 and ZZ stand for the whole world and for nowhere.
    return None if region in {"001", "ZZ"} else region


def mask_number(digits: str) -> str:
    """As Plivo shows a number that must not be logged: `141XXXXX528`."""
    return digits if len(digits) < 7 else f"{digits[:3]}{'X' * (len(digits) - 6)}{digits[-3:]}"

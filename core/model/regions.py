"""Regions: countries and territories that have phone numbers, by the two letters of ISO 3166-1."""

import re

import phonenumbers
from babel import Locale
from babel.core import get_global

_NAMES = Locale("en").territories
# Language, optional script, and territory of a BCP 47 tag.
_TERRITORY = re.compile(r"[a-z]{2,3}(?:[-_][a-z]{4})?[-_]([a-z]{2})(?![a-z0-9])", re.IGNORECASE)


def country_of(region: str) -> str:
    """The English name of a region (ISO 3166-1 alpha-2); the letters themselves if it has none."""
    return str(_NAMES.get(region, region))


def known_region(text: str | None) -> str | None:
    """The region that `text` names, in any case; None if it names none.

    CLDR's aliases count where they stand for a single region: UK is GB, and so is GBR.
    """
    region = (text or "").upper()
    aliases = get_global("territory_aliases").get(region, ())
    if len(aliases) == 1:
        region = str(aliases[0])
    return region if region in phonenumbers.SUPPORTED_REGIONS else None


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
    return known_region(tag[1]) if tag else None

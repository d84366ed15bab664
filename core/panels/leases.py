"""Leased numbers in words."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from core.lab.sandbox_client import Lease
from core.model.regions import country_of
from core.verification.number.parse import parse_number
from core.wording.formats import counted, day_and_time

#: Countries with a large numbering plan: each ending has hundreds of numbers.
LEASE_COUNTRIES = ("US", "GB", "DE", "FR", "IN", "ES", "IT", "BR", "AU", "MX")


def number_words(number: str) -> str:
    """A number for tests in international format: "+1 201-200-5555". Raises NumberRefused."""
    parsed = parse_number(number, default_region=None, for_sms=False, accept_fictional=True)
    return parsed.international


def lease_words(lease: Lease, titles: Mapping[str, str], zone: ZoneInfo) -> str:
    """ "Germany: 2 numbers, Spam detected (0030), until 27 Nov 12:00 (UTC)". `titles` are the names
    of endings."""
    until = day_and_time(datetime.fromisoformat(lease.expires_at), zone)
    title = titles.get(lease.ending, titles.get("5555", "Delivered"))
    return (
        f"{country_of(lease.country)}: {counted(len(lease.numbers), 'number')}, {title} "
        f"({lease.ending}), until {until} ({zone.key})"
    )


def lease_countries(allowed: frozenset[str] | None) -> dict[str, str]:
    """The countries on offer that may be verified, by code: their names."""
    regions = [code for code in LEASE_COUNTRIES if allowed is None or code in allowed]
    return {code: country_of(code) for code in regions or sorted(allowed or ())}

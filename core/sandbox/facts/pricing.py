"""Prices and networks by country.

The prices are invented and of a realistic size. Country names are listed here because importing
`phonenumbers.geocoder` takes seconds.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import phonenumbers


@dataclass(frozen=True, slots=True)
class SimulatedPrice:
    """US dollars per message unit and per minute; `mcc` and `mnc` identify `network`."""

    country: str
    message: Decimal
    minute: Decimal
    network: str
    mcc: str
    mnc: str


def _price(
    country: str, message: str, minute: str, network: str, mcc: str, mnc: str
) -> SimulatedPrice:
    return SimulatedPrice(country, Decimal(message), Decimal(minute), network, mcc, mnc)


_PRICES = {
    "US": _price("United States", "0.00770", "0.01000", "Verizon", "311", "480"),
    "CA": _price("Canada", "0.00820", "0.01000", "Rogers", "302", "720"),
    "GB": _price("United Kingdom", "0.04600", "0.01700", "EE", "234", "30"),
    "IN": _price("India", "0.00260", "0.00950", "Jio", "405", "840"),
    "DE": _price("Germany", "0.09900", "0.02100", "Telekom", "262", "01"),
    "FR": _price("France", "0.07200", "0.02400", "Orange", "208", "01"),
    "ES": _price("Spain", "0.06300", "0.02300", "Movistar", "214", "07"),
    "BR": _price("Brazil", "0.02900", "0.03900", "Vivo", "724", "10"),
    "MX": _price("Mexico", "0.03600", "0.02800", "Telcel", "334", "020"),
    "AU": _price("Australia", "0.03800", "0.03200", "Telstra", "505", "01"),
    "SG": _price("Singapore", "0.03900", "0.02600", "Singtel", "525", "01"),
    "NG": _price("Nigeria", "0.31000", "0.14000", "MTN", "621", "30"),
}
_OTHER_COUNTRIES = _price("", "0.08000", "0.05000", "", "", "")


def price_of(country: str | None) -> SimulatedPrice:
    """The price of a country by its ISO code; all unlisted countries share one price."""
    return _PRICES.get(country or "", _OTHER_COUNTRIES)


def dollars(amount: Decimal) -> str:
    """An amount with five decimals, as Plivo writes it."""
    return f"{amount:.5f}"


def country_name(country: str) -> str:
    """The English name of a country by its ISO code; the code itself if it is not listed."""
    return price_of(country).country or country


def price_list(country: str) -> dict[str, Any] | None:
    """The body of the Pricing resource without its api_id; None for an unknown country."""
    code = phonenumbers.country_code_for_region(country)
    if code == 0:
        return None
    price = price_of(country)
    message, minute = {"rate": dollars(price.message)}, {"rate": dollars(price.minute)}
    networks = [{"group_name": price.network, **message}] if price.network else []
    legs = {"ip": minute, "local": minute, "tollfree": minute}
    return {
        "country": country_name(country),
        "country_code": code,
        "country_iso": country,
        "message": {
            "inbound": {"rate": "0.00000"},
            "outbound": message,
            "outbound_networks_list": networks,
        },
        "phone_numbers": {"local": {"rate": "0.50000"}, "tollfree": {"rate": "1.00000"}},
        "voice": {
            "inbound": legs,
            "outbound": {**legs, "rates": [{"prefix": [str(code)], **minute}]},
        },
    }

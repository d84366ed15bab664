"""Countries and carriers of sample traffic. The numbers are plausible, not measured."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class SampleCarrier:
    """`share` of the country's numbers; `arrives`: the share of messages that arrive; `seconds`:
    the median time of the carrier leg; `receipts`: whether it sends delivery reports."""

    name: str
    share: float
    arrives: float
    seconds: float
    receipts: bool = True


@dataclass(frozen=True, slots=True)
class SampleCountry:
    """`weight` among the countries, `sms_micros` and `call_micros` what an attempt costs."""

    region: str
    mask: str
    zone: ZoneInfo
    weight: float
    sms_micros: int
    call_micros: int
    carriers: tuple[SampleCarrier, ...]


def _country(
    region: str,
    mask: str,
    zone: str,
    weight: float,
    sms_micros: int,
    call_micros: int,
    *carriers: tuple[str, float, float, float] | tuple[str, float, float, float, bool],
) -> SampleCountry:
    parsed = tuple(SampleCarrier(*carrier) for carrier in carriers)
    return SampleCountry(region, mask, ZoneInfo(zone), weight, sms_micros, call_micros, parsed)


COUNTRIES = (
    _country("US", "+1 415", "America/New_York", 26, 7_700, 12_000, ("", 1.0, 0.972, 2.2)),
    _country(
        "IN", "+91 812", "Asia/Kolkata", 15, 3_200, 9_000,
        ("Jio", 0.5, 0.95, 3.1), ("Airtel", 0.33, 0.955, 2.6), ("Vodafone", 0.17, 0.90, 5.2),
    ),
    _country(
        "GB", "+44 7400", "Europe/London", 11, 40_000, 16_000,
        ("EE", 0.4, 0.978, 1.9), ("O2", 0.32, 0.974, 2.1), ("Three", 0.28, 0.969, 2.4),
    ),
    _country(
        "DE", "+49 1512", "Europe/Berlin", 10, 85_000, 21_000,
        ("T-Mobile", 0.42, 0.981, 1.7), ("Vodafone", 0.34, 0.977, 1.9), ("O2", 0.24, 0.968, 2.6),
    ),
    _country("BR", "+55 11", "America/Sao_Paulo", 8, 16_000, 24_000, ("", 1.0, 0.941, 4.0)),
    _country(
        "FR", "+33 6", "Europe/Paris", 6, 62_000, 19_000,
        ("Orange France", 0.5, 0.979, 1.8), ("SFR", 0.5, 0.972, 2.2),
    ),
    _country(
        "NG", "+234 802", "Africa/Lagos", 5, 180_000, 55_000,
        ("MTN", 0.6, 0.88, 7.5, False), ("Airtel", 0.4, 0.86, 8.2),
    ),
    _country(
        "ID", "+62 812", "Asia/Jakarta", 8, 240_000, 48_000,
        ("Telkomsel", 0.7, 0.94, 4.4), ("XL", 0.3, 0.93, 5.0),
    ),
    _country("MX", "+52 222", "America/Mexico_City", 4, 45_000, 17_000, ("", 1.0, 0.947, 3.6)),
    _country(
        "ES", "+34 612", "Europe/Madrid", 3, 70_000, 18_000,
        ("Movistar", 0.6, 0.977, 1.9), ("Orange", 0.4, 0.973, 2.0),
    ),
    _country(
        "PH", "+63 905", "Asia/Manila", 3, 110_000, 41_000,
        ("Globe", 0.55, 0.91, 4.8), ("Smart", 0.45, 0.90, 5.1, False),
    ),
    _country(
        "PL", "+48 512", "Europe/Warsaw", 2, 38_000, 15_000,
        ("Orange", 0.5, 0.98, 1.6), ("Play", 0.5, 0.976, 1.8),
    ),
    _country(
        "AE", "+971 50", "Asia/Dubai", 2, 95_000, 62_000,
        ("Etisalat", 0.65, 0.955, 2.9), ("du", 0.35, 0.95, 3.1),
    ),
    _country("NP", "+977 984", "Asia/Kathmandu", 1, 140_000, 70_000, ("Ncell", 1.0, 0.89, 6.4)),
    # Without people who verify their numbers: only pumping goes there.
    _country("TJ", "+992 93", "Asia/Dushanbe", 0, 310_000, 95_000, ("Megafon", 1.0, 0.93, 4.1)),
)  # fmt: skip
#: Every carrier with its country; `place` of an attempt is an index.
PLACES: tuple[tuple[SampleCountry, SampleCarrier], ...] = tuple(
    (country, carrier) for country in COUNTRIES for carrier in country.carriers
)

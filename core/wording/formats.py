"""Formats of names, durations, amounts and times for the operator's pages."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from core.model.regions import country_of
from core.model.series import OTHERS, UNKNOWN_CARRIER, Series
from core.model.way import Way

#: Figures that are of no single carrier.
_CARRIERS = {UNKNOWN_CARRIER: "unknown carrier", OTHERS: "other carriers"}
CHANNELS = {"sms": "SMS", "voice": "Call", "phlo": "PHLO"}
_WAYS = {
    Way.SMS: "SMS",
    Way.VOICE: "Call",
    Way.PHLO_SMS: "PHLO SMS",
    Way.PHLO_CALL: "PHLO call",
}

#: In place of a value that is not known, or has too few attempts.
NO_VALUE = "\N{EN DASH}"


def channel_name(channel: str) -> str:
    return CHANNELS.get(channel, channel)


def way_name(way: Way) -> str:
    """ "SMS", "Call", "PHLO SMS", "PHLO call"."""
    return _WAYS[way]


def carrier_name(carrier: str) -> str:
    """The name in tables and sentences. Filters and files have the name of the figures."""
    return _CARRIERS.get(carrier, carrier)


def traffic_name(channel: str | None, country: str | None, carrier: str | None) -> str:
    """ "SMS to Telkomsel in Indonesia", "Indonesia", "Calls", "All traffic"."""
    way = "Calls" if channel == "voice" else channel_name(channel) if channel else ""
    where = country_of(country) if country else ""
    if carrier:
        where = f"{carrier_name(carrier)} in {where}"
    return f"{way} to {where}" if way and where else way or where or "All traffic"


def series_name(series: Series) -> str:
    """ "SMS to Nigeria" for "sms/NG"."""
    return traffic_name(series.channel, series.country, series.last)


def through(moment: datetime | None, lag: timedelta | None, zone: ZoneInfo) -> str:
    """ "Data through 12:04:30, lag 8 s"."""
    if moment is None or lag is None:
        return "No data yet"
    return f"Data through {clock(moment, zone, lag)}, lag {duration(lag)}"


def clock(moment: datetime, zone: ZoneInfo, ago: timedelta = timedelta()) -> str:
    """The time of day; with the date from a day `ago` on."""
    local = moment.astimezone(zone)
    return f"{local:%H:%M:%S}" if ago < timedelta(days=1) else f"{local:%d %b %H:%M}"


def day_and_time(moment: datetime, zone: ZoneInfo) -> str:
    """ "24 Nov 12:04"."""
    return f"{moment.astimezone(zone):%d %b %H:%M}"


SHORT_UNITS = ("s", "min", "h", "days")
LONG_UNITS = ("seconds", "minutes", "hours", "days")
#: The seconds of each unit, and the seconds from which the next unit is used.
_SECONDS = ((1, 120), (60, 7200), (3600, 172_800), (86_400, math.inf))


def duration(
    length: timedelta,
    units: tuple[str, str, str, str] = SHORT_UNITS,
    *,
    is_rounded_up: bool = False,
) -> str:
    """A duration in words, with one decimal below 10: `<0.1 s`, `1.8 s`, `12 s`, `2.5 min`, `5 h`,
    `3 days`. `is_rounded_up`, for a time to wait: in whole units, never too short."""
    seconds = max(0.0, length.total_seconds())
    if is_rounded_up:
        seconds = math.ceil(seconds)
    elif seconds < 0.05:
        return f"<0.1 {units[0]}"
    size, unit = next(
        (size, unit) for (size, limit), unit in zip(_SECONDS, units, strict=True) if seconds < limit
    )
    amount = seconds / size
    if is_rounded_up:
        text = f"{math.ceil(amount)}"
    else:
        text = f"{amount:.1f}".removesuffix(".0") if amount < 9.95 else f"{amount:.0f}"
    if text == "1":
        unit = unit.removesuffix("s") or unit
    return f"{text} {unit}"


def wait_time(length: timedelta) -> str:
    """A time to wait: "40 seconds", "10 minutes"."""
    return duration(length, LONG_UNITS, is_rounded_up=True)


def dollars(amount: float) -> str:
    """ "$1.25"; "$0.0213" below ten cents, "$0.00012" below a tenth of a cent. An amount is never
    rounded to nothing: "<$0.0001" is more than "$0"."""
    if not amount:
        return "$0"
    if abs(amount) < 0.0001:
        return "<$0.0001"
    if abs(amount) < 0.001:
        return f"${amount:.2g}"
    return f"${amount:.4f}" if abs(amount) < 0.1 else f"${amount:,.2f}"


def format_price(amount: Decimal | float) -> str:
    """ "$0.0077", "$0.31": to a thousandth of a cent, no trailing zeros, at least two decimals."""
    text = f"{amount:.5f}".rstrip("0")
    return f"${text}{'0' * max(0, 2 - len(text.partition('.')[2]))}"


def price_range(low: Decimal, high: Decimal) -> str:
    """A price, or its range: "$0.0077 to $0.01"."""
    return format_price(low) if low == high else f"{format_price(low)} to {format_price(high)}"


def percent(fraction: float) -> str:
    """ "97.4 %"."""
    return f"{100 * fraction:.1f} %"


def interval(low: float, high: float) -> str:
    """The bounds of a rate in %, from fractions: "96.9 to 97.8", with a dash for the "to"."""
    return f"{100 * low:.1f}\N{EN DASH}{100 * high:.1f}"


def progress_words(rows: int, left: timedelta | None, *, is_last: bool) -> str:
    """The progress of reading the logs. At the end, Plivo is asked for attempts without an end."""
    if is_last:
        return f"{counted(rows, 'row')} read; checking attempts that have not ended"
    return f"{counted(rows, 'row')} read" + (f", about {duration(left)} left" if left else "")


def times(n: int) -> str:
    """ "once", "3 times", "never"."""
    return {0: "never", 1: "once"}.get(n, f"{n:,} times")


def counted(n: int, noun: str) -> str:
    """ "1 attempt", "4,312 attempts"; "messages or calls" for "message or call"."""
    if n == 1:
        return f"1 {noun}"
    return f"{n:,} " + " or ".join(f"{word}s" for word in noun.split(" or "))


def lag_words(lag: timedelta) -> str:
    """A warning that the figures do not include the newest reports."""
    return (
        f"The figures lag {wait_time(lag)} behind: newer reports are kept, but not "
        'counted yet. The log of the app says why: look for "fold".'
    )


def unreadable_words(counters: Mapping[str, int]) -> str:
    """What could not be read today, by the ledger's counters; "" if all could."""
    values = counters.get("unreadable_value", 0)
    records = counters.get("unreadable_record", 0)
    parts = []
    if values:
        parts.append(f"{counted(values, 'value')} from Plivo")
    if records:
        parts.append(f"{counted(records, 'stored record')}")
    if not parts:
        return ""
    return (
        f"Left out today because they could not be read: {' and '.join(parts)}. The log names them."
    )

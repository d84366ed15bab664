"""What the header of the Delivery page lets people choose, and what a choice means.

All of it stands in the address, as the words below: whoever opens the address sees the same.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from core.figures.queries import Filters, SeenDimensions
from core.figures.ranges import Comparison, Preset, Range, between, comparison_range, preset
from core.verification.number.parse import country_of
from core.wording.formats import CHANNELS, carrier_name

CUSTOM = "custom"
RANGES = {
    Preset.QUARTER: "15 min", Preset.HOUR: "1 h", Preset.SIX_HOURS: "6 h", Preset.DAY: "24 h",
    Preset.TODAY: "Today", Preset.YESTERDAY: "Yesterday", Preset.WEEK: "7 days",
    Preset.MONTH: "30 days", Preset.SEASON: "90 days", CUSTOM: "Custom",
}  # fmt: skip
COMPARISONS = {
    Comparison.PREVIOUS: "the period before",
    Comparison.WEEKDAY: "the same weekday",
    Comparison.YEAR: "last year",
    Comparison.NONE: "nothing",
}
#: Seconds between two readings, by what is chosen.
REFRESH = {"off": None, "15 s": 15, "30 s": 30, "60 s": 60}
EVERY = "all"
#: The controls that filter, in the order in which they narrow.
FILTERS = ("channel", "country", "carrier")
#: How long a custom range is before anybody has changed it.
_WEEK = timedelta(days=6)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is asked for. `before` is the range to compare with, None for none; `is_over`: the range
    ended before now, so it can hold nothing new."""

    range: Range
    before: Range | None
    by: Comparison
    filters: Filters
    zone: ZoneInfo
    is_over: bool

    def compared_words(self, *, is_told: bool) -> str:
        """What changes are against; "" without a comparison. `is_told`: whether any figure has a
        change to tell."""
        if self.before is None:
            return ""
        if not is_told:
            return f"There is too little to compare with in {COMPARISONS[self.by]}."
        return f"Changes are against {COMPARISONS[self.by]}. Grey: within chance."


def choice(said: Mapping[str, object], now: datetime, viewer: str | None) -> Choice:
    """The meaning of the controls: `said` holds the value of each by its name. What is missing or
    is no longer offered counts as not said. `viewer` is the zone of the browser."""
    zone = ZoneInfo(zone_of(said.get("zone"), viewer))
    chosen = _range(said, now, zone)
    by = _among({str(one) for one in COMPARISONS}, said.get("compare"), Comparison.PREVIOUS)
    return Choice(
        range=chosen,
        before=comparison_range(chosen, Comparison(by), zone),
        by=Comparison(by),
        filters=_filters(said),
        zone=zone,
        is_over=chosen.end < now,
    )


def zone_of(said: object, viewer: object) -> str:
    """The zone that is chosen, or else the viewer's, or else UTC."""
    return next((str(one) for one in (said, viewer) if one in _known_zones()), "UTC")


def zones(viewer: str | None) -> list[str]:
    """The zones to choose from, the viewer's and UTC first."""
    return list(dict.fromkeys([zone_of(None, viewer), "UTC", *_known_zones()]))


@cache
def _known_zones() -> dict[str, None]:
    """All zones, in order. Looked up once: it reads a whole folder of the machine."""
    return dict.fromkeys(sorted(available_timezones()))


def week_up_to(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """What a custom range begins with: the last seven days of the zone, without a zone."""
    today = datetime.combine(now.astimezone(zone).date(), time())
    return today - _WEEK, today + timedelta(days=1)


def channels() -> dict[str, str]:
    return {EVERY: "All", **CHANNELS}


def countries(known: SeenDimensions) -> dict[str, str]:
    """The countries to filter by and their names, in the order of the names."""
    return {EVERY: "All"} | dict(
        sorted(((c, country_of(c)) for c in known.countries), key=lambda pair: pair[1])
    )


def carriers(known: SeenDimensions, country: object) -> dict[str, str]:
    """The carriers of a country to filter by: none before a country is chosen."""
    return {EVERY: "All"} | {c: carrier_name(c) for c in known.carriers.get(str(country), ())}


def of_row(country: str, carrier: str) -> dict[str, str]:
    """The filters that a row of the table of countries stands for; see `tables.country_table`."""
    if not carrier:
        return {"country": country, "carrier": EVERY}
    return {"country": country, "carrier": "" if carrier == "?" else carrier}


def _range(said: Mapping[str, object], now: datetime, zone: ZoneInfo) -> Range:
    name = _among(set(RANGES), said.get("range"), Preset.DAY)
    if name != CUSTOM:
        return preset(Preset(name), now, zone)
    first, last = week_up_to(now, zone)
    given = said.get("from"), said.get("to")
    if isinstance(given[0], datetime):
        first = given[0]
    if isinstance(given[1], datetime):
        last = given[1]
    return between(first.replace(tzinfo=zone), last.replace(tzinfo=zone), now)


def _filters(said: Mapping[str, object]) -> Filters:
    channel, country, carrier = (
        None if said.get(name, EVERY) in {None, EVERY} else str(said[name]) for name in FILTERS
    )
    return Filters(channel, country, carrier if country else None)


def _among(options: Collection[str], value: object, default: str) -> str:
    return str(value) if value in options else default

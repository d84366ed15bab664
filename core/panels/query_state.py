"""The state of the Delivery page's header: its options, and the query that the chosen ones mean.

The page's address holds the state, so a shared address shows the same figures.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from core.figures.comparing import Compared
from core.figures.filters import Filters, SeenDimensions
from core.figures.ranges import (
    Comparison,
    Preset,
    Range,
    between,
    comparison_range,
    preset,
    read_range,
)
from core.model.clock import is_sane
from core.model.regions import country_of, known_region
from core.model.series import carrier_named
from core.panels.zones import zone_of
from core.wording.formats import CHANNELS, carrier_name, day_and_time

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
#: Seconds between two refreshes, by option.
REFRESH = {"off": None, "15 s": 15, "30 s": 30, "60 s": 60}
EVERY = "all"
#: The filter controls, from the widest to the narrowest.
FILTERS = ("channel", "country", "carrier")
#: The default length of a custom range, less its last day.
_WEEK = timedelta(days=6)


@dataclass(frozen=True, slots=True)
class QueryState:
    """What the page queries. `range_read`: what is read for the range. `is_over`: the range ended
    before now, so no attempt can be added to it."""

    range: Range
    range_read: Range
    comparison: Comparison
    filters: Filters
    zone: ZoneInfo
    is_over: bool

    @property
    def range_text(self) -> str:
        """The range that is read where it is not the range of the query; else ""."""
        if (self.range_read.start, self.range_read.end) == (self.range.start, self.range.end):
            return ""
        return (
            f"Read from {span_words(self.range_read, self.zone)}: so far back, only whole "
            "quarter-hours or days (UTC) are kept."
        )

    @property
    def file_parts(self) -> list[str]:
        """The range, in the zone, and the filters, for the names of files."""
        ends = (moment.astimezone(self.zone) for moment in (self.range.start, self.range.end))
        filters = self.filters
        return [
            *(f"{end:%Y-%m-%d-%H%M}" for end in ends),
            *(part for part in (filters.channel, filters.country, filters.carrier) if part),
        ]

    def comparison_text(self, compared: Compared | None, begins: datetime | None) -> str:
        """What the changes are relative to, or why there are none; "" without a comparison.
        `begins`: when the history of the figures begins."""
        if self.comparison is Comparison.NONE:
            return ""
        words = COMPARISONS[self.comparison]
        if compared:
            span = span_words(compared.before, self.zone)
            grey = "Grey: within the usual variation, or not judged."
            return f"Changes are against {words}: {span}. {grey}"
        earlier = comparison_range(self.range, self.comparison, self.zone)
        if begins and earlier and earlier.start < begins:
            since = f"figures begin on {day_and_time(begins, self.zone)}"
            return f"No changes are shown: {since}, after the start of {words}."
        return f"No changes are shown: {words} is no longer kept so finely."


def wider_scope(filters: Filters) -> str:
    """ "all carriers of Indonesia": what errors and percentiles include under a filter by carrier,
    since they are not kept by carrier; else ""."""
    if filters.carrier is None or filters.country is None:
        return ""
    return f"all carriers of {country_of(filters.country)}"


def span_words(span: Range, zone: ZoneInfo) -> str:
    """ "20 Nov 09:00 to 21 Nov 10:30"."""
    return f"{day_and_time(span.start, zone)} to {day_and_time(span.end, zone)}"


def parse_query_state(
    values: Mapping[str, object], now: datetime, viewer: str | None
) -> QueryState:
    """The state that the controls' `values`, by name, mean. Missing values and values that are not
    offered count as the default. `viewer` is the browser's time zone."""
    zone = ZoneInfo(zone_of(values.get("zone"), viewer))
    selected = _range(values, now, zone)
    comparison = Comparison(
        _among({str(c) for c in COMPARISONS}, values.get("compare"), Comparison.PREVIOUS)
    )
    return QueryState(
        range=selected,
        range_read=read_range(selected, now),
        comparison=comparison,
        filters=_filters(values),
        zone=zone,
        is_over=selected.end < now,
    )


def week_up_to(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The default custom range: the last seven days in the zone, as naive datetimes."""
    today = datetime.combine(now.astimezone(zone).date(), time())
    return today - _WEEK, today + timedelta(days=1)


def channels() -> dict[str, str]:
    return {EVERY: "All", **CHANNELS}


def countries(dimensions: SeenDimensions) -> dict[str, str]:
    """The countries to filter by, as code and name, sorted by name."""
    return {EVERY: "All"} | dict(
        sorted(((c, country_of(c)) for c in dimensions.countries), key=lambda pair: pair[1])
    )


def carriers(dimensions: SeenDimensions, country: object) -> dict[str, str]:
    """The carriers of a country to filter by; none until a country is selected."""
    return {EVERY: "All"} | {name: name for name in dimensions.carriers.get(str(country), ())}


def filter_words(values: Mapping[str, object]) -> str:
    """The filters that are set: "SMS, Nigeria, MTN"; "" without any."""
    filters = _filters(values)
    parts = [
        CHANNELS.get(filters.channel, filters.channel) if filters.channel else "",
        country_of(filters.country) if filters.country else "",
        carrier_name(filters.carrier) if filters.carrier else "",
    ]
    return ", ".join(part for part in parts if part)


def row_filters(country: str, carrier: str) -> dict[str, str]:
    """The filters for a row of the table of countries (`countries.country_table`)."""
    if not carrier:
        return {"country": country, "carrier": EVERY}
    return {"country": country, "carrier": carrier}


def page_address(
    parameters: Mapping[str, str], dimensions: SeenDimensions, viewer: str | None
) -> dict[str, str]:
    """An address in the spelling of the page: its parameters may be spelled as in the REST API, as
    "30d" for "30 days", "DE" for "Germany", `start` and `end` for `from` and `to`; in any case."""
    address = dict(parameters)
    country = _option(countries(dimensions), parameters.get("country", ""))
    options: dict[str, Mapping[Any, str]] = {
        "range": RANGES,
        "compare": COMPARISONS,
        "channel": channels(),
        "country": countries(dimensions),
        "carrier": carriers(dimensions, country),
    }
    for name, offered in options.items():
        if (value := _option(offered, parameters.get(name, ""))) is not None:
            address[name] = offered[value]
    start, end = (_moment(parameters.get(name, "")) for name in ("start", "end"))
    if start and end and "range" not in parameters:
        zone = ZoneInfo(zone_of(parameters.get("zone"), viewer))
        local = [f"{moment.astimezone(zone):%Y-%m-%dT%H:%M}" for moment in (start, end)]
        address |= {"range": RANGES[CUSTOM], "from": local[0], "to": local[1]}
        del address["start"], address["end"]
    return address


def _option(offered: Mapping[Any, str], text: str) -> str | None:
    """The value of a control that a text names: the value itself, its label, or another spelling of
    a country or of the unknown carrier; in any case."""
    by_text = {label.casefold(): str(value) for value, label in offered.items()}
    by_text |= {str(value).casefold(): str(value) for value in offered}
    spellings = (text, known_region(text) or "", carrier_named(text) if text else "")
    exact = (value for value in offered if text in {str(value), offered[value]})
    close = (by_text[name.casefold()] for name in spellings if name.casefold() in by_text)
    return next((str(value) for value in (*exact, *close)), None)


def _moment(text: str) -> datetime | None:
    """An RFC 3339 moment. None for any other text, and for one at the edges of the calendar."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo and is_sane(moment) else None


def _range(values: Mapping[str, object], now: datetime, zone: ZoneInfo) -> Range:
    name = _among(set(RANGES), values.get("range"), Preset.DAY)
    if name != CUSTOM:
        return preset(Preset(name), now, zone)
    first, last = week_up_to(now, zone)
    if isinstance(start := values.get("from"), datetime):
        first = start
    if isinstance(end := values.get("to"), datetime):
        last = end
    return between(first.replace(tzinfo=zone), last.replace(tzinfo=zone), now)


def _filters(values: Mapping[str, object]) -> Filters:
    channel, country, carrier = (
        None if values.get(name, EVERY) in {None, EVERY} else str(values[name]) for name in FILTERS
    )
    return Filters(channel, country, carrier if country else None)


def _among(options: Collection[str], value: object, default: str) -> str:
    return str(value) if value in options else default

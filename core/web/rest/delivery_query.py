"""The parameters of the routes of `/delivery`: range, filters, zone and comparison."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Query, Response
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from core.figures.comparing import Compared
from core.figures.filters import Filters
from core.figures.ranges import Comparison, Preset, Range, between, preset, read_range
from core.model.way import Channel
from core.web.rest.objects import ClockObject, QueriesObject
from core.web.rest.parameters import Country

#: The header of lists, which have no place for the range.
RANGE_READ = "Range-Read"
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d")


def _rfc_3339(value: object) -> object:
    """Only a date and a time as RFC 3339 writes them: pydantic would also take seconds."""
    if not (isinstance(value, str) and _MOMENT.match(value)):
        raise ValueError("write it as 2026-11-01T00:00:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_rfc_3339)]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("write it as Europe/Berlin") from error
    return name


Zone = Annotated[str, AfterValidator(_zone)]


@dataclass(frozen=True, slots=True)
class DeliveryQuery:
    """The range, filters and zone of a request, parsed once for every route here."""

    range: Range
    range_read: Range
    filters: Filters
    zone: ZoneInfo
    now: datetime


async def _delivery_query(
    clock: ClockObject,
    response: Response,
    range_: Annotated[
        Preset | None,
        Query(alias="range", description="Ends now; 24h by default. Not with `start` and `end`."),
    ] = None,
    start: Annotated[Moment | None, Query(description="With `end`: any range.")] = None,
    end: Moment | None = None,
    zone: Annotated[
        Zone, Query(max_length=50, description="Where days begin.", examples=["Europe/Berlin"])
    ] = "UTC",
    channel: Channel | None = None,
    country: Country | None = None,
    carrier: Annotated[
        str | None,
        Query(max_length=300, description="With `country`; as in `/countries`."),
    ] = None,
) -> DeliveryQuery:
    now = clock.now()
    zone_info = ZoneInfo(zone)
    if start is None and end is None:
        queried = preset(range_ or Preset.DAY, now, zone_info)
    elif start is None or end is None:
        raise _wrong("start" if start is None else "end", "Give `start` and `end` together.")
    elif range_ is not None:
        raise _wrong("range", "Give either `range`, or `start` and `end`.")
    elif start >= end:
        raise _wrong("end", "Give an `end` that is later than `start`.")
    elif start >= now:
        raise _wrong("start", "Give a `start` in the past.")
    else:
        queried = between(start, end, now)
        if queried.start >= queried.end:
            raise _wrong("end", "Give an `end` within the days for which figures are kept.")
    if carrier is not None and country is None:
        raise _wrong("country", "Give the `country` of the `carrier`.")
    filters = Filters(channel, country, carrier)
    read = read_range(queried, now)
    set_range_read(response, read)
    return DeliveryQuery(queried, read, filters, zone_info, now)


def set_range_read(response: Response, read: Range) -> None:
    """Name the range that was read in a header."""
    response.headers[RANGE_READ] = f"{read.start.isoformat()}/{read.end.isoformat()}"


def _wrong(parameter: str, message: str) -> RequestValidationError:
    """The error of an incomplete or contradictory query, at the parameter to correct."""
    return RequestValidationError(
        [{"loc": ("query", parameter), "msg": message, "type": "value_error"}]
    )


Queried = Annotated[DeliveryQuery, Depends(_delivery_query)]


def _compared(
    queries: QueriesObject,
    query: Queried,
    response: Response,
    compare: Annotated[
        Comparison, Query(description="Ranges of whole days: the same hours of earlier days.")
    ] = Comparison.NONE,
) -> Compared | None:
    compared = queries.compared(query.range, compare, query.zone)
    if compared:
        set_range_read(response, compared.now)
    return compared


#: The ranges to compare, on routes that compare.
ToCompare = Annotated[Compared | None, Depends(_compared)]

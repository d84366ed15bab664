"""`/delivery`: the figures of the Delivery page, as JSON. Same queries, same definitions.

Every count is of attempts by the moment of their request; `core/figures/layout.py` says what each
one counts.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import pandas as pd
from fastapi import APIRouter, Depends, Query
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, Field, create_model

from core.alerts.rules import Measure, Rule
from core.alerts.states import AlertState
from core.figures.catalogue import QUERY_COLUMNS, Leg
from core.figures.layout import UPPER_MS
from core.figures.queries import Filters
from core.figures.ranges import Comparison, Preset, Range, between, comparison_range, preset
from core.figures.rates import QUANTILES, percentiles
from core.model.way import Channel
from core.web.rest.bearer import App, MayRead
from core.web.rest.parameters import Country
from core.web.rest.problems import documented

router = APIRouter(
    prefix="/delivery", tags=["Delivery"], responses=documented(401, 403, 422, 429, 503)
)

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d")


def _written_out(given: object) -> object:
    """A date and a time, as RFC 3339 writes them: pydantic would also take a number of seconds."""
    if not (isinstance(given, str) and _MOMENT.match(given)):
        raise ValueError("write it as 2026-11-01T00:00:00Z")
    return given


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out)]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("write it as Europe/Berlin") from error
    return name


Zone = Annotated[str, AfterValidator(_zone)]

_COUNTS: dict[str, Any] = {name: (int, ...) for name in QUERY_COLUMNS}
Figures: Any = create_model("Figures", **_COUNTS)
Figures.__doc__ = (
    "Counts of attempts. `…_ms` are sums of milliseconds, `…_micros` of 1/10⁶ US dollars."
)


class Span(BaseModel):
    """From `start` to before `end`."""

    start: datetime
    end: datetime


class Totals(BaseModel):
    """Sums of a range, and of the range that it is compared with."""

    range: Span
    figures: Figures
    previous_range: Span | None
    previous: Figures | None


class Step(Figures):
    """One step of the range; not `complete` while it has not ended."""

    start: datetime
    complete: bool


class ChannelRow(Figures):
    """One channel."""

    channel: Channel


class CountryRow(Figures):
    """One country (`carrier` is empty), or one carrier of it ("?" where it is not known)."""

    country: str
    carrier: str
    p95_ms: float | None = Field(description="Time to deliver; null below 200 deliveries.")


class ErrorRow(BaseModel):
    """A message's error, a call's hangup cause, `refused` or `unstated`."""

    channel: Channel
    code: str
    count: int
    previous: int


class Bin(BaseModel):
    """How many attempts took so long: up to `upper_ms`, and longer than the bin before."""

    upper_ms: float
    count: int


class Latency(BaseModel):
    """How long a leg took. A percentile is null where too few attempts stand behind it, and at
    most 4.4 % off. Bins without attempts are left out."""

    range: Span
    leg: Leg
    count: int
    percentiles_ms: dict[str, float | None]
    bins: list[Bin]


class AlertAnswer(BaseModel):
    """How one measure of one series stood at the last check."""

    series: str
    measure: Measure
    state: AlertState
    rule: Rule | None
    n: int
    observed: float | None
    baseline: float | None
    since: datetime
    under: str


@dataclass(frozen=True, slots=True)
class DeliveryQuery:
    """What a request is about. Parsed once, for every route here."""

    range: Range
    filters: Filters
    zone: ZoneInfo

    @property
    def span(self) -> Span:
        return Span(start=self.range.start, end=self.range.end)


async def _asked(
    services: App,
    range_: Annotated[
        Preset | None,
        Query(alias="range", description="Ends now; 24h by default. Not with `start` and `end`."),
    ] = None,
    start: Annotated[Moment | None, Query(description="With `end`: a range of its own.")] = (None),
    end: Moment | None = None,
    zone: Annotated[
        Zone, Query(max_length=50, description="Where days begin.", examples=["Europe/Berlin"])
    ] = "UTC",
    channel: Channel | None = None,
    country: Country | None = None,
    carrier: Annotated[str | None, Query(max_length=80, description="With `country`.")] = None,
) -> DeliveryQuery:
    now = services.clock.now()
    place = ZoneInfo(zone)
    if start is None and end is None:
        chosen = preset(range_ or Preset.DAY, now, place)
    elif start is None or end is None:
        raise _wrong("start" if start is None else "end", "Give `start` and `end` together.")
    elif range_ is not None:
        raise _wrong("range", "Give either `range`, or `start` and `end`.")
    elif start >= end:
        raise _wrong("end", "Give an `end` that is later than `start`.")
    elif start >= now:
        raise _wrong("start", "Give a `start` in the past.")
    else:
        chosen = between(start, end, now)
        if chosen.start >= chosen.end:
            raise _wrong("end", "Give an `end` within the days for which figures are kept.")
    if carrier is not None and country is None:
        raise _wrong("country", "Give the `country` of the `carrier`.")
    filters = Filters(channel, country, carrier)
    return DeliveryQuery(chosen, filters, place)


def _wrong(parameter: str, message: str) -> RequestValidationError:
    """An incomplete or contradictory question, by the parameter to mend."""
    return RequestValidationError(
        [{"loc": ("query", parameter), "msg": message, "type": "value_error"}]
    )


AskedFor = Annotated[DeliveryQuery, Depends(_asked)]


async def _previous(asked: AskedFor, compare: Comparison = Comparison.NONE) -> Range | None:
    return comparison_range(asked.range, compare, asked.zone)


#: The range that the one asked for is compared with, on routes that compare.
Previous = Annotated[Range | None, Depends(_previous)]


@router.get("/totals", operation_id="deliveryTotals", summary="Sums of a range")
def totals(services: App, token: MayRead, asked: AskedFor, before: Previous) -> Totals:
    """With `compare`, also of the range that it is compared with."""
    previous = services.queries.totals(before, asked.filters) if before else None
    return Totals(
        range=asked.span,
        figures=_figures(services.queries.totals(asked.range, asked.filters)),
        previous_range=Span(start=before.start, end=before.end) if before else None,
        previous=_figures(previous) if previous is not None else None,
    )


@router.get("/over-time", operation_id="deliveryOverTime", summary="Figures step by step")
def over_time(services: App, token: MayRead, asked: AskedFor) -> list[Step]:
    """Minutes up to three hours, quarter-hours up to 36, hours up to eight days, then days."""
    frame = services.queries.over_time(asked.range, asked.filters, asked.zone)
    return [Step(**row) for row in _rows(frame)]


@router.get("/channels", operation_id="deliveryByChannel", summary="Figures by channel")
def channels(services: App, token: MayRead, asked: AskedFor) -> list[ChannelRow]:
    """One row a channel that had traffic."""
    frame = services.queries.by_channel(asked.range, asked.filters)
    return [ChannelRow(**row) for row in _rows(frame)]


@router.get("/countries", operation_id="deliveryByCountry", summary="Figures by country, carrier")
def countries(services: App, token: MayRead, asked: AskedFor) -> list[CountryRow]:
    """A country's own row, then those of its carriers."""
    frame = services.queries.by_country(asked.range, asked.filters).drop(columns="spark")
    return [CountryRow(**row) for row in _rows(frame)]


@router.get("/errors", operation_id="deliveryErrors", summary="Errors, the most frequent first")
def errors(services: App, token: MayRead, asked: AskedFor, before: Previous) -> list[ErrorRow]:
    """With `compare`, `previous` counts the range before. Not told apart by carrier."""
    frame = services.queries.errors(asked.range, asked.filters, before)
    return [ErrorRow(**row) for row in _rows(frame)]


@router.get("/latency", operation_id="deliveryLatency", summary="How long a leg takes")
def latency(services: App, token: MayRead, asked: AskedFor, leg: Leg = Leg.TTD) -> Latency:
    """Percentiles out of a histogram whose bins grow by 2^(1/8)."""
    histogram = services.queries.histogram(asked.range, asked.filters, leg)
    found = percentiles(histogram)
    return Latency(
        range=asked.span,
        leg=leg,
        count=int(histogram.sum()),
        percentiles_ms={f"p{q * 100:g}": found[q] for q in QUANTILES},
        bins=[
            Bin(upper_ms=float(upper), count=int(count))
            for upper, count in zip(UPPER_MS, histogram, strict=True)
            if count
        ],
    )


@router.get("/alerts", operation_id="deliveryAlerts", summary="How every alert stands")
def alerts(services: App, token: MayRead) -> list[AlertAnswer]:
    """As of the last check, which is made every 15 minutes."""
    return [
        AlertAnswer(**{name: getattr(one, name) for name in AlertAnswer.model_fields})
        for one in services.alerts.current()
    ]


def _figures(totals: "pd.Series[int]") -> Any:
    return Figures(**{name: int(totals[name]) for name in QUERY_COLUMNS})


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows with their index, as JSON has them: no NaN."""
    whole = frame.reset_index()
    rows = whole.astype(object).where(whole.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]

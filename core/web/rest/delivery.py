"""The routes of `/delivery`: the figures of the Delivery page, by the same queries, as JSON.

Every figure counts attempts by the moment of their request; `core/figures/layout.py` defines them.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import pandas as pd
from fastapi import APIRouter, Depends, Query, Response
from fastapi.exceptions import RequestValidationError
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    create_model,
)

from core.alerts.rules import Measure, Rule
from core.alerts.states import AlertState
from core.figures.catalogue import FIGURES, QUERY_COLUMNS, Leg
from core.figures.comparing import Compared
from core.figures.filters import Filters
from core.figures.packing import UPPER_MS
from core.figures.queries import Queries, histogram_tiers
from core.figures.ranges import Comparison, Preset, Range, between, preset, read_range
from core.figures.rates import QUANTILES, Rate, percentiles
from core.figures.receipts import ReceiptHealth
from core.figures.ripeness import RATES
from core.findings.causes import Cause, CauseKind, Outcome
from core.model.way import Channel
from core.web.rest.bearer import MayRead
from core.web.rest.objects import AlertsObject, ClockObject, FindingsObject, QueriesObject
from core.web.rest.parameters import Country
from core.web.rest.problems import documented
from core.wording.findings import cause_sentence, verdict_sentence

router = APIRouter(
    prefix="/delivery", tags=["Delivery"], responses=documented(401, 403, 422, 429, 503)
)

#: The header of lists, which have no place for the range.
RANGE_READ = "Range-Read"
_LISTS: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {
            RANGE_READ: {
                "description": "The range that was read, as start/end: minutes are kept for 48 "
                "hours, quarter-hours for 100 days, days (UTC) for 400 days.",
                "schema": {"type": "string"},
            }
        }
    }
}

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

_HELP = {figure.name: figure.help for figure in FIGURES} | {
    "pending": "Attempts whose final report is waited for."
}
_COUNTS: dict[str, Any] = {name: (int, Field(description=_HELP[name])) for name in QUERY_COLUMNS}
Figures: Any = create_model("Figures", **_COUNTS)
Figures.__doc__ = (
    "Counts of attempts. `…_ms` are sums of milliseconds, `…_micros` of 1/10⁶ US dollars."
)


class Span(BaseModel):
    """From `start` to before `end`."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, period: Range) -> "Span":
        return cls(start=period.start, end=period.end)


class RateOfRange(BaseModel):
    """`k` of `n` attempts (of verifications: `converted`) that are old enough for the rate: from
    `start` to before `end`. `low` and `high`: its 95 % interval. Null without any."""

    start: datetime
    end: datetime
    k: int
    n: int
    value: float | None
    low: float | None
    high: float | None


class Totals(BaseModel):
    """Sums of a range, and of the range to compare with, which is as long. `range_read` is the
    range of the sums: minutes are kept for 48 hours, quarter-hours for 100 days, days (UTC) for 400
    days; with `compare` it ends with the last whole slot that is kept of both. `previous` is null
    where it is not kept as finely, or begins before the figures do."""

    range: Span
    range_read: Span
    figures: Figures
    rates: dict[str, RateOfRange]
    previous_range: Span | None
    previous: Figures | None
    sample_attempts: int = Field(
        description="Attempts of sample traffic among the figures of all ranges together."
    )


class Step(Figures):
    """One step of the range; not `complete` while it has not ended. `start` is in `zone`, or in UTC
    where only days of UTC are kept. `…_ripe`: the step has ended, and its attempts are old enough
    for the rate: 30 s, or the life of a code."""

    start: datetime
    complete: bool
    confirmed_ripe: bool
    within_30_ripe: bool
    converted_ripe: bool


class ChannelRow(Figures):
    """One channel."""

    channel: Channel


class CountryRow(Figures):
    """One country (`carrier` is empty), or one of its carriers ("unknown" where the plan names
    none, "others" for those beyond the most that are kept)."""

    country: str
    carrier: str
    p95_ms: float | None = Field(description="Time to deliver; null below 200 deliveries.")
    receipts: ReceiptHealth = Field(
        description="`late`: most codes are entered before their receipt comes; `untrusted`: codes "
        "are entered without one."
    )
    silent_since: datetime | None = Field(description="Of `silent` receipts that came before.")


class ErrorRow(BaseModel):
    """A message's error, a call's hangup cause, `refused` or `unstated`."""

    channel: Channel
    code: str
    count: int
    previous: int
    country: str = Field(description="Of which country; empty for all.")
    carrier: str = Field(description="Always empty: of all carriers of `country`.")


class Bin(BaseModel):
    """How many attempts took up to `upper_ms`, and longer than the bin before."""

    upper_ms: float
    count: int


class Latency(BaseModel):
    """How long a leg took, in `range_read`. A percentile is null for too few attempts; its error is
    at most 4.4 %. Bins without attempts are left out."""

    range: Span
    range_read: Span
    leg: Leg
    country: str = Field(description="Of which country; empty for all.")
    carrier: str = Field(description="Always empty: of all carriers of `country`.")
    count: int
    percentiles_ms: dict[str, float | None]
    bins: list[Bin]


class CauseAnswer(BaseModel):
    """One incident. `channel`, `country` and `carrier` are its filters; null is all."""

    kind: CauseKind
    sentence: str
    channel: Channel | None
    country: str | None
    carrier: str | None
    since: datetime
    until: datetime | None = Field(description="Null while it lasts.")
    lost: int = Field(description="Verifications that did not succeed, beyond the usual.")
    money: float | None = Field(
        description="US dollars for codes that were not entered, or more than before, beyond the "
        "usual; null while no price is known."
    )
    count: float = Field(
        description="What the kind counts from `since` on: unclear sends, failed or late attempts, "
        "verifications without a right code, attempts without a receipt. Of `price` US dollars."
    )
    of: float = Field(description="Of so many.")
    usual: float = Field(
        description="The share that is usual there; of `price` the price before, of `traffic_gone` "
        "the number of attempts."
    )


class VerdictAnswer(BaseModel):
    """Whether codes arrive, and what is wrong, the worst first."""

    range: Span
    outcome: Outcome
    sentence: str
    confirmed: int = Field(description="Attempts that arrived for certain.")
    requested: int = Field(description="Attempts that are old enough to be judged.")
    compared_days: int = Field(description="How many days before were compared with.")
    causes: list[CauseAnswer]


class AlertAnswer(BaseModel):
    """The state of one measure of one series at the last check."""

    model_config = ConfigDict(from_attributes=True)

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
    _set_range_read(response, read)
    return DeliveryQuery(queried, read, filters, zone_info, now)


def _set_range_read(response: Response, read: Range) -> None:
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
        _set_range_read(response, compared.now)
    return compared


#: The ranges to compare, on routes that compare.
ToCompare = Annotated[Compared | None, Depends(_compared)]


@router.get("/totals", operation_id="deliveryTotals", summary="Sums of a range")
def totals(queries: QueriesObject, token: MayRead, query: Queried, compared: ToCompare) -> Totals:
    """With `compare`, also of the range to compare with."""
    read = compared.now if compared else query.range
    previous = queries.totals(compared.before, query.filters) if compared else None
    return Totals(
        range=Span.of(query.range),
        range_read=Span.of(compared.now if compared else query.range_read),
        figures=_figures(queries.totals(read, query.filters)),
        rates={name: _rate(queries, query, name) for name in RATES},
        previous_range=Span.of(compared.before) if compared else None,
        previous=_figures(previous) if previous is not None else None,
        sample_attempts=queries.sample_attempts(),
    )


@router.get(
    "/over-time", operation_id="deliveryOverTime", summary="Figures step by step", responses=_LISTS
)
def over_time(queries: QueriesObject, token: MayRead, query: Queried) -> list[Step]:
    """Minutes up to three hours, quarter-hours up to 36, hours up to eight days, then days."""
    frame = queries.over_time(query.range, query.filters, query.zone)
    return [Step(**row) for row in _rows(frame)]


@router.get(
    "/channels", operation_id="deliveryByChannel", summary="Figures by channel", responses=_LISTS
)
def channels(queries: QueriesObject, token: MayRead, query: Queried) -> list[ChannelRow]:
    """One row for each channel with traffic."""
    frame = queries.by_channel(query.range, query.filters)
    return [ChannelRow(**row) for row in _rows(frame)]


@router.get(
    "/countries",
    operation_id="deliveryByCountry",
    summary="Figures by country, carrier",
    responses=_LISTS,
)
def countries(queries: QueriesObject, token: MayRead, query: Queried) -> list[CountryRow]:
    """The row of a country, then the rows of its carriers."""
    frame = queries.by_country(query.range, query.filters).drop(columns="spark")
    return [CountryRow(**row) for row in _rows(frame)]


@router.get(
    "/errors",
    operation_id="deliveryErrors",
    summary="Errors, the most frequent first",
    responses=_LISTS,
)
def errors(
    queries: QueriesObject, token: MayRead, query: Queried, compared: ToCompare
) -> list[ErrorRow]:
    """With `compare`, `previous` counts the range to compare with. Of all carriers."""
    now = compared.now if compared else query.range
    before = compared.before if compared else None
    frame = queries.errors(now, query.filters, before)
    return [ErrorRow(**row) for row in _rows(frame)]


@router.get("/latency", operation_id="deliveryLatency", summary="How long a leg takes")
def latency(queries: QueriesObject, token: MayRead, query: Queried, leg: Leg = Leg.TTD) -> Latency:
    """Percentiles from a histogram whose bins grow by 2^(1/8). Of all carriers."""
    histogram = queries.histogram(query.range, query.filters, leg)
    by_quantile = percentiles(histogram)
    return Latency(
        range=Span.of(query.range),
        range_read=Span.of(read_range(query.range, query.now, histogram_tiers(leg, query.filters))),
        leg=leg,
        country=query.filters.country or "",
        carrier="",
        count=int(histogram.sum()),
        percentiles_ms={f"p{q * 100:g}": by_quantile[q] for q in QUANTILES},
        bins=[
            Bin(upper_ms=float(upper), count=int(count))
            for upper, count in zip(UPPER_MS, histogram, strict=True)
            if count
        ],
    )


@router.get("/verdict", operation_id="deliveryVerdict", summary="What is wrong, and since when")
def verdict(findings: FindingsObject, token: MayRead, query: Queried) -> VerdictAnswer:
    """Each place is compared with its own past and with the others; what chance explains is not
    named. All traffic is judged: filters leave the incidents that concern them."""
    answer = findings.verdict(query.range, query.filters)
    return VerdictAnswer(
        range=Span.of(query.range),
        outcome=answer.outcome,
        sentence=verdict_sentence(answer, query.zone, query.now),
        confirmed=answer.confirmed,
        requested=answer.requested,
        compared_days=answer.compared_days,
        causes=[_cause(cause, query.zone, query.now) for cause in answer.causes],
    )


@router.get("/alerts", operation_id="deliveryAlerts", summary="The state of every alert")
def alerts(alerts: AlertsObject, token: MayRead) -> list[AlertAnswer]:
    """As of the last check; there is one every 15 minutes."""
    return TypeAdapter(list[AlertAnswer]).validate_python(alerts.current())


def _cause(cause: Cause, zone: ZoneInfo, now: datetime) -> CauseAnswer:
    place = cause.place
    return CauseAnswer(
        kind=cause.kind,
        sentence=cause_sentence(cause, zone, now),
        channel=Channel(place.channel) if place.channel else None,
        country=place.country,
        carrier=place.carrier,
        since=cause.since,
        until=cause.until,
        lost=cause.lost,
        money=cause.money,
        count=cause.k,
        of=cause.n,
        usual=cause.usual,
    )


def _rate(queries: Queries, query: DeliveryQuery, name: str) -> RateOfRange:
    ripe = queries.ripe(query.range, name)
    sums = queries.totals(ripe, query.filters)
    rate = Rate(int(sums[name]), int(sums[RATES[name]]))
    bounds = (rate.value, rate.low, rate.high) if rate.n else (None, None, None)
    value, low, high = bounds
    read = read_range(ripe, query.now)
    return RateOfRange(
        start=read.start, end=read.end, k=rate.k, n=rate.n, value=value, low=low, high=high
    )


def _figures(totals: "pd.Series[int]") -> Any:
    return Figures(**{name: int(totals[name]) for name in QUERY_COLUMNS})


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows with their index; None for NaN, which JSON does not have."""
    table = frame.reset_index()
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]

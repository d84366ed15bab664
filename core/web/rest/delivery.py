"""The routes of `/delivery`: the figures of the Delivery page, by the same queries, as JSON.

Figures count attempts by the moment of their request; `core/figures/catalogue.py` defines them.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from fastapi import APIRouter, Response
from pydantic import TypeAdapter

from core.figures.catalogue import QUERY_COLUMNS, Leg
from core.figures.packing import UPPER_MS
from core.figures.queries import Queries
from core.figures.ranges import read_range
from core.figures.rates import QUANTILES, Rate, percentiles
from core.figures.ripeness import RATES
from core.figures.selection import histogram_tiers
from core.findings.causes import Cause
from core.model.way import Channel
from core.web.rest.bearer import MayRead
from core.web.rest.delivery_answers import (
    AlertAnswer,
    Bin,
    CauseAnswer,
    ChannelRow,
    CountryRow,
    ErrorRow,
    Figures,
    Latency,
    RateOfRange,
    Span,
    Step,
    Totals,
    VerdictAnswer,
)
from core.web.rest.delivery_query import (
    RANGE_READ,
    DeliveryQuery,
    Queried,
    ToCompare,
    set_range_read,
)
from core.web.rest.objects import AlertsObject, FindingsObject, QueriesObject
from core.web.rest.problems import documented
from core.wording.alerts import alert_sentence
from core.wording.findings import cause_sentence, verdict_sentence

router = APIRouter(
    prefix="/delivery", tags=["Delivery"], responses=documented(401, 403, 422, 429, 503)
)

_ALERTS = TypeAdapter(list[AlertAnswer])
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
    """With `compare`, `previous` counts the range to compare with, null where that is not covered.
    Of all carriers."""
    now = compared.now if compared else query.range
    before = compared.before if compared else None
    frame = queries.errors(now, query.filters, before)
    return [ErrorRow(**row) for row in _rows(frame)]


@router.get("/latency", operation_id="deliveryLatency", summary="How long a leg takes")
def latency(
    queries: QueriesObject,
    token: MayRead,
    query: Queried,
    response: Response,
    leg: Leg = Leg.TTD,
) -> Latency:
    """Percentiles from a histogram whose bins grow by 2^(1/8). Of all carriers, and of all
    deliveries of `range_read`: the page leaves out attempts whose code is still valid."""
    read = read_range(query.range, query.now, histogram_tiers(leg, query.filters))
    set_range_read(response, read)
    histogram = queries.histogram(query.range, query.filters, leg)
    by_quantile = percentiles(histogram)
    return Latency(
        range=Span.of(query.range),
        range_read=Span.of(read),
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
def verdict(
    findings: FindingsObject, alerts: AlertsObject, token: MayRead, query: Queried
) -> VerdictAnswer:
    """Each place is compared with its own past and with the others; what chance explains is not
    named. All traffic is judged: filters leave the incidents that concern them."""
    answer = findings.verdict(query.range, query.filters)
    unnamed = alerts.unnamed(answer.causes, query.range, query.filters)
    sentences = [alert_sentence(alert, query.zone, query.now) for alert in unnamed]
    return VerdictAnswer(
        range=Span.of(query.range),
        outcome=answer.outcome,
        sentence=verdict_sentence(answer, query.zone, query.now, sentences),
        confirmed=answer.confirmed,
        requested=answer.requested,
        compared_days=answer.compared_days,
        causes=[_cause(cause, query.zone, query.now) for cause in answer.causes],
        alerts=_ALERTS.validate_python(unnamed),
    )


@router.get("/alerts", operation_id="deliveryAlerts", summary="The state of every alert")
def alerts(alerts: AlertsObject, token: MayRead) -> list[AlertAnswer]:
    """As of the last check; there is one every minute. Without those that have no data."""
    return _ALERTS.validate_python(alerts.current())


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
    value, low, high = (rate.value, rate.low, rate.high) if rate.n else (None, None, None)
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

"""The routes of `/alerts`: their history, snoozes, and a test of the notifications."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from core.alerts.records import Place
from core.alerts.rules import Measure
from core.alerts.snoozes import LONGEST_SNOOZE
from core.alerts.states import AlertState
from core.model.series import Series
from core.model.way import Channel
from core.web.rest.bearer import MayAdminister, MayRead
from core.web.rest.objects import AlertsObject
from core.web.rest.problems import ProblemCode, Refused, documented, not_found

router = APIRouter(prefix="/alerts", tags=["Alerts"], responses=documented(401, 403, 422, 429, 503))

_LONGEST_MINUTES = int(LONGEST_SNOOZE / timedelta(minutes=1))


class TransitionAnswer(BaseModel):
    """A change of the state of an alert."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    series: str
    measure: Measure
    before: AlertState
    after: AlertState
    n: int
    observed: float | None
    baseline: float | None
    under: str


class AlertName(BaseModel):
    """The alert of a measure in a place. Without `country`, of the whole channel; without
    `carrier`, of the whole country."""

    model_config = ConfigDict(extra="forbid")

    channel: Channel
    country: str | None = Field(None, pattern="^[A-Z]{2}$", description="ISO 3166.")
    carrier: str | None = Field(None, max_length=80, description="With `country`.")
    measure: Measure

    @property
    def place(self) -> Place:
        return Series.of(self.channel, self.country, self.carrier), self.measure


class SnoozeRequest(AlertName):
    """No notification of this alert for so long. It is notified then if it still fires."""

    minutes: int = Field(ge=1, le=_LONGEST_MINUTES)


class Snooze(BaseModel):
    """A snoozed alert, and when the snooze ends."""

    series: str
    measure: Measure
    until: datetime


class SentTest(BaseModel):
    """To how many receivers the test is sent."""

    receivers: int


@router.get("/history", operation_id="alertHistory", summary="Changes of state, newest first")
def history(
    alerts: AlertsObject, token: MayRead, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> list[TransitionAnswer]:
    """1,000 are kept, for 35 days at most."""
    return TypeAdapter(list[TransitionAnswer]).validate_python(alerts.history(limit))


@router.get("/snoozes", operation_id="alertSnoozes", summary="Snoozed alerts")
def snoozes(alerts: AlertsObject, token: MayRead) -> list[Snooze]:
    """Those whose snooze has not ended."""
    return [
        Snooze(series=series, measure=measure, until=until)
        for (series, measure), until in sorted(alerts.snoozes.active().items())
    ]


@router.post("/snoozes", operation_id="snoozeAlert", summary="Snooze an alert")
def snooze(alerts: AlertsObject, token: MayAdminister, request: SnoozeRequest) -> Snooze:
    """Needs the scope `admin`. Replaces an earlier snooze of the same alert."""
    _refuse_carrier_alone(request)
    series, measure = request.place
    until = alerts.snoozes.snooze(request.place, timedelta(minutes=request.minutes))
    return Snooze(series=series, measure=measure, until=until)


@router.post(
    "/snoozes/end",
    operation_id="endSnooze",
    summary="End a snooze",
    status_code=204,
    responses=documented(404),
)
def end_snooze(alerts: AlertsObject, token: MayAdminister, request: AlertName) -> None:
    """Needs the scope `admin`."""
    _refuse_carrier_alone(request)
    if not alerts.snoozes.end(request.place):
        raise not_found("snooze")


@router.post(
    "/test",
    operation_id="testAlerts",
    summary="Send a test to every receiver of alerts",
    status_code=202,
    responses=documented(409),
)
def test(alerts: AlertsObject, token: MayAdminister) -> SentTest:
    """Needs the scope `admin`. It is sent in the background, as other events are."""
    if not alerts.has_receivers:
        raise Refused(
            409,
            ProblemCode.NO_RECEIVER,
            "There is no receiver of alerts.",
            "Set WEBHOOK_URL or ALERT_URLS, and start again.",
        )
    return SentTest(receivers=alerts.send_test())


def _refuse_carrier_alone(name: AlertName) -> None:
    if name.carrier is not None and name.country is None:
        raise Refused(
            422,
            ProblemCode.INVALID_REQUEST,
            "A carrier belongs to a country.",
            "Give the `country` of the `carrier`.",
        )

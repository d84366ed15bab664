"""The routes of `/alerts`: their history, snoozes, and a test of the notifications."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from core.alerts.measures import Measure
from core.alerts.records import Place
from core.alerts.snoozes import LONGEST_SNOOZE
from core.alerts.states import AlertState
from core.model.errors import SnoozeRefused
from core.model.series import Series
from core.web.rest.bearer import MayAdminister, MayRead
from core.web.rest.objects import AlertsObject
from core.web.rest.problems import ProblemCode, Refused, documented

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
    since: datetime
    under: str


class AlertName(BaseModel):
    """The alert of a measure of a series, both as the list of alerts names them."""

    model_config = ConfigDict(extra="forbid")

    series: str = Field(
        pattern=r"^(all|(sms|voice|phlo)(/[A-Z]{2}(/[^\x00-\x1f]{1,200})?)?)$",
        description="All traffic, a channel, a country or a carrier: all, sms, sms/DE, "
        "sms/DE/Vodafone.",
        examples=["sms/DE"],
    )
    measure: Measure

    @property
    def place(self) -> Place:
        return Series(self.series), self.measure


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


@router.post(
    "/snooze", operation_id="snoozeAlert", summary="Snooze an alert", responses=documented(404)
)
def snooze(alerts: AlertsObject, token: MayAdminister, request: SnoozeRequest) -> Snooze:
    """Needs the scope `admin`. Replaces an earlier snooze of the same alert, which need not fire.
    A series that has had no attempt is not found."""
    series, measure = request.place
    try:
        until = alerts.snoozes.snooze(request.place, timedelta(minutes=request.minutes))
    except SnoozeRefused as error:
        raise Refused(404, ProblemCode.NOT_FOUND, error.cause, error.remedy) from error
    return Snooze(series=series, measure=measure, until=until)


@router.post(
    "/snooze/end",
    operation_id="endSnooze",
    summary="End a snooze",
    status_code=204,
    responses=documented(404),
)
def end_snooze(alerts: AlertsObject, token: MayAdminister, request: AlertName) -> None:
    """Needs the scope `admin`."""
    if not alerts.snoozes.end(request.place):
        raise Refused(
            404,
            ProblemCode.NOT_FOUND,
            "This alert is not snoozed.",
            "GET /api/v1/alerts/snoozes lists those that are.",
        )


@router.post(
    "/test",
    operation_id="testAlerts",
    summary="Send a test to every receiver of alerts",
    status_code=202,
    responses=documented(409),
)
def test(alerts: AlertsObject, token: MayAdminister) -> SentTest:
    """Needs the scope `admin`. It is sent in the background, as other events are."""
    if not alerts.receiver_count:
        raise Refused(
            409,
            ProblemCode.NO_RECEIVER,
            "There is no receiver of alerts.",
            "Set WEBHOOK_URL or ALERT_URLS, and start again.",
        )
    return SentTest(receivers=alerts.send_test())

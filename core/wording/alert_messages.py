"""What a notification of an alert says to people: title, text, and a link."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlencode

from core.alerts.measures import Measure
from core.alerts.records import AlertStatus
from core.alerts.states import AlertState
from core.webhooks.alert_event import AlertEventKind
from core.wording.alerts import (
    advice_words,
    alert_headline,
    alert_words,
    certainty_words,
    is_growth,
    or_earlier,
)

#: What the linked page shows before the alert began, to compare with.
_BEFORE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class PageAddress:
    """Where the pages are: PUBLIC_URL, or else the address that the app listens on (`own`), which
    is known from the first request on. Without a trailing slash."""

    public_url: str | None
    own: str | None = None

    @property
    def base(self) -> str | None:
        return self.public_url or self.own

    @property
    def remedy(self) -> str:
        """What is missing for a link that opens everywhere; "" with PUBLIC_URL."""
        if self.public_url:
            return ""
        if self.own:
            return " The link may open only on the app's own machine: set PUBLIC_URL."
        return " Set PUBLIC_URL to get a link to the page."


class AlertMessage(NamedTuple):
    """One line, a few sentences, and an address; "" where the address is not known."""

    title: str
    text: str
    link: str


def alert_message(
    kind: AlertEventKind, status: AlertStatus, now: datetime, environment: str, address: PageAddress
) -> AlertMessage:
    """The message about an alert. `environment` is sandbox or live."""
    grows = is_growth(status.observed, status.baseline)
    headline = alert_headline(status.series, status.measure, is_growth=grows)
    if kind is AlertEventKind.RESOLVED:
        title = f"Resolved: {headline}"
        when = f"It lasted from {status.since:%d %b %H:%M} to {now:%d %b %H:%M} UTC."
        text = "It is as usual again."
        if status.measure is Measure.PRICE:
            # A price that stays ends its alert too.
            text = "The last day was no more expensive than the days before it."
        if status.state is AlertState.NO_DATA:
            text = "It is not judged any more: too little traffic, or its figures were removed."
    else:
        title = headline
        parts = (alert_words(status), certainty_words(status), advice_words(status))
        text = " ".join(part for part in parts if part)
        when = f"Since {status.since:%d %b %H:%M} UTC{or_earlier(status.since, now)}."
    text += f" {when} Environment: {environment}.{address.remedy}"
    return AlertMessage(title, text, _link(status, now, address.base))


def test_alert_message(environment: str, address: PageAddress) -> AlertMessage:
    """The message that a person sends to see whether notifications arrive."""
    link = f"{address.base}/delivery" if address.base else ""
    text = f"Alerts arrive here. Environment: {environment}. Nothing is wrong."
    return AlertMessage("Test of alerts", text + address.remedy, link)


def _link(status: AlertStatus, now: datetime, base: str | None) -> str:
    """The Delivery page on the range and filters of an alert."""
    if not base:
        return ""
    series = status.series
    query = {
        "range": "Custom",
        "from": f"{status.since - _BEFORE:%Y-%m-%dT%H:%M}",
        # An alert may be about the minute that has not ended.
        "to": f"{now + timedelta(minutes=1):%Y-%m-%dT%H:%M}",
        "zone": "UTC",
        "alerts": "true",
        "channel": series.channel,
    }
    if status.measure is Measure.REFUSED:
        query["abuse"] = "true"
    if not series.channel:
        del query["channel"]
    if series.country:
        query["country"] = series.country
    if series.last:
        query["carrier"] = series.last
    return f"{base}/delivery?{urlencode(query)}"

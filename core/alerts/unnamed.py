"""Which alerts no cause of a verdict names.

A verdict tests a whole range against the days before it, and an alert tests each minute. So an
alert fires up to half an hour before the verdict names the same incident: a verdict with only its
own causes would call calm what people were just notified of.
"""

from collections.abc import Sequence
from datetime import timedelta

from core.alerts.explaining import is_related
from core.alerts.measures import Measure
from core.alerts.records import AlertStatus
from core.figures.filters import Filters
from core.figures.ranges import Range
from core.findings.causes import Cause, CauseKind
from core.findings.places import TrafficPlace

_MEASURES = {
    CauseKind.UNCLEAR: Measure.UNCLEAR,
    CauseKind.LOSES: Measure.CONFIRMED,
    CauseKind.PUMPING: Measure.TRAFFIC,
    CauseKind.SLOW: Measure.WITHIN_60,
    CauseKind.RECEIPTS_SILENT: Measure.RECEIPTS,
    CauseKind.RECEIPTS_LATE: Measure.RECEIPTS,
    CauseKind.RECEIPTS_UNTRUSTED: Measure.RECEIPTS,
    CauseKind.PRICE: Measure.PRICE,
    CauseKind.TRAFFIC_GONE: Measure.TRAFFIC,
}
#: A cause of a part that began longer before the alert is another incident.
_SAME_BEGIN = timedelta(hours=1)


def unnamed(
    alerts: Sequence[AlertStatus], causes: Sequence[Cause], period: Range, filters: Filters
) -> list[AlertStatus]:
    """Of the alerts those that concern a range and filters, and that none of the causes of its
    verdict names. Sends that budgets refuse are no attempts, so no cause names their alerts."""
    return [
        alert
        for alert in alerts
        if alert.since < period.end
        and _place(alert).overlaps(filters.channel, filters.country, filters.carrier)
        and not any(_names(cause, alert) for cause in causes)
    ]


def _place(alert: AlertStatus) -> TrafficPlace:
    series = alert.series
    return TrafficPlace(series.channel or None, series.country or None, series.last or None)


def _names(cause: Cause, alert: AlertStatus) -> bool:
    measure = Measure.CONVERSION if cause.is_conversion else _MEASURES[cause.kind]
    if alert.measure is Measure.REFUSED or not is_related(measure, alert.measure):
        return False
    if cause.until is not None and cause.until <= alert.since:
        return False
    place, whole = _place(alert), cause.place
    if not whole.overlaps(place.channel, place.country, place.carrier):
        return False
    is_inside = all(
        own is None or own == other
        for own, other in (
            (whole.channel, place.channel),
            (whole.country, place.country),
            (whole.carrier, place.carrier),
        )
    )
    return is_inside or alert.since - cause.since <= _SAME_BEGIN

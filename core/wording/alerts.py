"""Names and sentences of alerts. Apart from `formats`, because the rules of alerts load numpy."""

from core.alerts.records import AlertStatus
from core.alerts.rules import Measure
from core.alerts.states import AlertState
from core.figures.rates import ENOUGH

MEASURES = {
    Measure.CONFIRMED: "confirmed",
    Measure.WITHIN_60: "delivered within 60 s",
    Measure.TRAFFIC: "attempts an hour",
}
ALERT_STATES = {
    AlertState.FIRING: "firing",
    AlertState.RECOVERING: "recovering",
    AlertState.PENDING: "pending",
    AlertState.OK: "ok",
    AlertState.NO_DATA: "no data",
}


def alert_words(alert: AlertStatus) -> str:
    """What an alert saw: "confirmed 71.2 % of 412 in the last hour, where 94.0 % is usual."."""
    if alert.observed is None or alert.baseline is None:
        return f"{alert.n:,} attempts in the last hour, too few to compare."
    if alert.measure is Measure.TRAFFIC:
        return (
            f"{alert.n:,} attempts in the last hour, where {alert.baseline:,.0f} are usual; "
            f"{alert.verified:,} of them verified."
        )
    share = f"{100 * alert.observed:.1f} % of {alert.n:,}"
    if alert.n < ENOUGH:
        share = f"{round(alert.observed * alert.n)} of {alert.n}"
    return (
        f"{MEASURES[alert.measure]} {share} in the last hour, "
        f"where {100 * alert.baseline:.1f} % is usual."
    )

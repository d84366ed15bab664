"""Names and sentences of alerts. Apart from `formats`, because the engine of alerts loads numpy."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core.alerts.measures import Measure
from core.alerts.records import AlertStatus
from core.alerts.states import AlertState
from core.figures.rates import ENOUGH
from core.model.series import Series
from core.wording.budgets import refusing_words
from core.wording.findings import moment_words
from core.wording.formats import counted, series_name

MEASURES = {
    Measure.UNCLEAR: "sends answered clearly",
    Measure.RECEIPTS: "receipts of codes that were entered",
    Measure.CONFIRMED: "confirmed",
    Measure.WITHIN_60: "delivered within 60 s",
    Measure.CONVERSION: "conversion",
    Measure.TRAFFIC: "attempts an hour",
    Measure.REFUSED: "numbers within the budgets",
    Measure.PRICE: "price of an attempt",
}
ALERT_STATES = {
    AlertState.FIRING: "firing",
    AlertState.RECOVERING: "recovering",
    AlertState.PENDING: "pending",
    AlertState.OK: "ok",
    AlertState.NO_DATA: "no data",
}
#: A check reads at least so much. What began with it may have begun earlier.
_READ_BY_CHECKS = timedelta(hours=24)
_ADVICE = {
    Measure.UNCLEAR: "See Plivo's status page, and the network between here and Plivo. Do not send "
    "the same codes again: the logs settle which were sent.",
    Measure.RECEIPTS: "Codes arrive, their receipts do not. See whether PUBLIC_URL can be reached "
    "from outside, and Plivo's status page.",
    Measure.CONFIRMED: "See which errors and carriers it is. Offer the call first there, and "
    "write to Plivo with a few message ids.",
    Measure.WITHIN_60: "Codes are late or lost. If Plivo's queue takes the time, your account may "
    "be at its rate; if it is a carrier, offer the call sooner.",
    Measure.CONVERSION: "Codes are requested and not entered. If delivery is as usual, look at "
    "the form, the text, and who requests codes.",
    Measure.PRICE: "Compare with Plivo's price list; see whether messages have more parts now.",
}
_PUMPED = (
    "Most of them are not entered: this looks like pumping. Take the country out of COUNTRIES if "
    "you have no users there, or lower its budgets."
)
_REFUSED = (
    "If these are your users, raise the setting. If not, the budgets do their work: see whom they "
    'stop under "Is the service being abused?".'
)
_STOPPED = "Try a verification yourself. If it works, look at what calls this app."


_HEADLINES = {
    Measure.UNCLEAR: "Plivo gives no clear answer to sends",
    Measure.RECEIPTS: "receipts are missing, though codes are entered",
    Measure.CONFIRMED: "fewer codes arrive than usual",
    Measure.WITHIN_60: "codes come late, or not at all",
    Measure.CONVERSION: "fewer codes are entered than usual",
    Measure.REFUSED: "budgets refuse more people than usual",
    Measure.PRICE: "an attempt costs more than usual",
}


def alert_headline(series: Series, measure: Measure, *, is_growth: bool = True) -> str:
    """ "SMS to Vodafone in Germany: fewer codes arrive than usual". `is_growth`: of traffic,
    whether there is more of it."""
    what = _HEADLINES.get(measure)
    if what is None:
        what = "many codes are requested, and few entered" if is_growth else "no code is requested"
    return f"{series_name(series)}: {what}"


def is_growth(observed: float | None, baseline: float | None) -> bool:
    return (observed or 0) >= (baseline or 0)


def or_earlier(since: datetime, fired: datetime) -> str:
    """ " or earlier", where a change began with the day that a check reads; else ""."""
    return " or earlier" if fired - since >= _READ_BY_CHECKS else ""


def alert_words(alert: AlertStatus) -> str:
    """What an alert saw: "Confirmed: 1 of 8, where 96.1 % is usual."."""
    if alert.measure is Measure.REFUSED and alert.observed is not None:
        return _refused_words(alert, alert.observed)
    if alert.observed is None or alert.baseline is None:
        return f"{counted(alert.n, 'attempt')} in the last day, too few to compare."
    name = MEASURES[alert.measure]
    if alert.measure is Measure.TRAFFIC:
        return (
            f"{alert.observed:,.0f} {name}, where {alert.baseline:,.1f} are usual; "
            f"{alert.verified:,} of {alert.n:,} verified."
        )
    if alert.measure is Measure.PRICE:
        price, usual = alert.observed / 1e6, alert.baseline / 1e6
        return (
            f"{name.capitalize()}: ${price:.4f}, where ${usual:.4f} is usual; {alert.n:,} priced."
        )
    share = f"{100 * alert.observed:.1f} % of {alert.n:,}"
    if alert.n < ENOUGH:
        share = f"{round(alert.observed * alert.n)} of {alert.n}"
    return f"{name.capitalize()}: {share}, where {100 * alert.baseline:.1f} % is usual."


def _refused_words(alert: AlertStatus, observed: float) -> str:
    """ "Budgets refused 34 of 50 numbers, where 0.4 % is usual." """
    refused = round((1 - observed) * alert.n)
    usual = "; in the weeks before, none was counted"
    if alert.baseline is not None:
        usual = f", where {100 * (1 - alert.baseline):.1f} % is usual"
    return f"Budgets refused {refused:,} of {counted(alert.n, 'number')}{usual}."


def alert_sentence(alert: AlertStatus, zone: ZoneInfo, now: datetime) -> str:
    """An alert as a cause of a verdict."""
    since = moment_words(alert.since, zone, now)
    return f"{series_name(alert.series)} since {since}: {alert_words(alert)}"


def certainty_words(alert: AlertStatus) -> str:
    """How sure an alert is; "" for a state that is none."""
    if alert.chance is None or alert.measure is Measure.PRICE:
        return ""
    if alert.chance >= 0.5:
        return "By chance alone this happens a few times a year."
    years = 1 / max(alert.chance, 1e-6)
    if years >= 1000:
        return "This is not chance."
    return f"By chance alone this happens at most once in {years:,.0f} years."


def advice_words(alert: AlertStatus) -> str:
    """What to do about an alert."""
    if alert.measure is Measure.TRAFFIC:
        return _PUMPED if is_growth(alert.observed, alert.baseline) else _STOPPED
    if alert.measure is Measure.REFUSED:
        budgets = refusing_words(alert.budgets)
        return f"Which budget refuses: {budgets}. {_REFUSED}" if budgets else _REFUSED
    return _ADVICE[alert.measure]


def sensitivity_words(alert: AlertStatus) -> str:
    """What the traffic of a day can show of a share; "" for other measures."""
    if alert.measure in {Measure.TRAFFIC, Measure.PRICE} or alert.baseline is None:
        return ""
    if alert.detectable_drop is None:
        return "too little traffic: not even a total failure would show within a day"
    return f"a drop by {100 * alert.detectable_drop:.0f} points shows within a day"

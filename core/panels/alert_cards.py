"""What the alerts panel shows of an alert: what fires, since when, what was done, what to do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core.alerts.measures import Measure
from core.alerts.records import AlertStatus, Place, StoredStatus, Transition
from core.alerts.states import AlertState
from core.model.clock import from_ms
from core.panels.alerts import is_judged, shows_lost_codes
from core.wording.alerts import (
    advice_words,
    alert_headline,
    alert_words,
    certainty_words,
    is_growth,
    or_earlier,
)
from core.wording.findings import moment_words
from core.wording.formats import counted, duration, series_name

#: For so long an alert that has ended is shown, and so many of these.
_SHOWN = timedelta(hours=24)
_MOST_ENDED = 3
#: How long after its end the course of an alert is drawn at least.
_AFTER = timedelta(minutes=30)
#: So many series without enough traffic are named.
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class AlertCard:
    """An alert that fires, or has ended (`ended`). `fired`: when there was enough evidence.
    `done`: what has happened, in order, as names and moments. `baseline`: what is usual."""

    place: Place
    headline: str
    saw: str
    advice: str
    since: datetime
    fired: datetime
    done: tuple[str, ...]
    baseline: float | None
    ended: datetime | None = None


def firing_card(
    entry: StoredStatus,
    snoozed_until: datetime | None,
    receivers: int,
    now: datetime,
    zone: ZoneInfo,
) -> AlertCard:
    """The card of an alert that fires."""
    status = entry.status

    def at(name: str, moment: datetime) -> str:
        return f"{name} {moment_words(moment, zone, now)}"

    fired = from_ms(entry.began_ms)
    if entry.notified_ms:
        notified = at("Notified", from_ms(entry.notified_ms))
    else:
        notified = "Not notified" + ("" if receivers else ": there is no receiver")
    began = at("Began", status.since) + or_earlier(status.since, fired)
    done = [began, at("Alert", fired), notified]
    if snoozed_until is not None:
        done.append(at("Snoozed until", snoozed_until))
    if status.state is AlertState.RECOVERING:
        done.append("Recovering: the newest attempts are good")
    grows = is_growth(status.observed, status.baseline)
    return AlertCard(
        place=(status.series, status.measure),
        headline=alert_headline(status.series, status.measure, is_growth=grows),
        saw=f"{alert_words(status)} {certainty_words(status)}".rstrip(),
        advice=advice_words(status),
        since=status.since,
        fired=fired,
        done=tuple(done),
        baseline=status.baseline,
    )


def ended_cards(
    history: Sequence[Transition], firing: Sequence[Place], now: datetime, zone: ZoneInfo
) -> list[AlertCard]:
    """The cards of the newest alerts that have ended in the last day, of each place one."""
    cards: dict[Place, AlertCard] = {}
    for at, change in enumerate(history):
        place = (change.series, change.measure)
        is_end = change.before.is_alert and not change.after.is_alert and not change.under
        is_shown = now - change.at <= _SHOWN and place not in cards and place not in firing
        if is_end and is_shown and len(cards) < _MOST_ENDED:
            cards[place] = _ended_card(change, history[at + 1 :], now, zone)
    return list(cards.values())


def _ended_card(
    end: Transition, older: Sequence[Transition], now: datetime, zone: ZoneInfo
) -> AlertCard:
    place = (end.series, end.measure)
    first = next(
        (c for c in older if (c.series, c.measure) == place and not c.before.is_alert), end
    )
    grows = is_growth(first.observed, first.baseline)
    return AlertCard(
        place=place,
        headline=alert_headline(end.series, end.measure, is_growth=grows),
        saw=f"As usual again, after {duration(end.at - end.since)}.",
        advice="",
        since=end.since,
        fired=first.at,
        done=(
            f"Began {moment_words(end.since, zone, now)}{or_earlier(end.since, first.at)}",
            f"Alert {moment_words(first.at, zone, now)}",
            f"Resolved {moment_words(end.at, zone, now)}",
        ),
        baseline=first.baseline,
        ended=end.at,
    )


def shown_until(card: AlertCard, now: datetime) -> datetime:
    """Until when the course of an alert is drawn: of one that has ended with some time after it."""
    if card.ended is None:
        return now
    return min(now, card.ended + max(card.ended - card.since, _AFTER))


def calm_words(statuses: Sequence[AlertStatus], checked: datetime | None) -> str:
    """Why no alert is shown."""
    if checked is None:
        return "Not checked yet. Alerts are checked once a minute while the app runs."
    if not shows_lost_codes(statuses):
        return (
            "No alerts, but too little traffic to judge whether codes arrive: that needs some days "
            "of traffic to compare with, and attempts in the last day."
        )
    judged = sum(is_judged(status) for status in statuses)
    verb = "is" if judged == 1 else "are"
    return f"No alerts: {counted(judged, 'measure')} of traffic {verb} as usual."


def blind_words(statuses: Sequence[AlertStatus]) -> str:
    """Which series have too little traffic for an alert of lost codes; "" if none has."""
    names = list(_blind(statuses))
    if not names:
        return ""
    more = len(names) - _MOST_NAMED
    named = ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
    return (
        f"Too little traffic to notice lost codes: {named}. There, not even a total failure would "
        "show in a day."
    )


def _blind(statuses: Sequence[AlertStatus]) -> Iterator[str]:
    for status in statuses:
        is_share = status.measure is Measure.CONFIRMED and not status.state.is_alert
        if is_share and status.detectable_drop is None:
            yield series_name(status.series)

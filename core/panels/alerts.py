"""The alerts of a page: the table of all, and their summary."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from core.alerts.measures import Measure
from core.alerts.records import AlertStatus, Transition
from core.alerts.states import AlertState
from core.wording.alerts import ALERT_STATES, MEASURES, alert_words, sensitivity_words
from core.wording.formats import day_and_time, series_name


def alert_counts(statuses: Sequence[AlertStatus]) -> dict[AlertState, int]:
    """How many measures are in each state, the worst state first; every state is present."""
    return {state: sum(status.state is state for status in statuses) for state in ALERT_STATES}


def shows_lost_codes(statuses: Sequence[AlertStatus]) -> bool:
    """Whether any series has the traffic to show within a day that codes are lost. The other
    measures may be judged by less: they do not answer whether codes arrive."""
    return any(status.measure is Measure.CONFIRMED and is_judged(status) for status in statuses)


def is_judged(status: AlertStatus) -> bool:
    """Whether a change would be seen: of a share only where the traffic of a day shows a drop."""
    if status.state is AlertState.NO_DATA:
        return False
    is_share = status.measure not in {Measure.TRAFFIC, Measure.PRICE}
    return not is_share or status.detectable_drop is not None


def alert_summary(statuses: Sequence[AlertStatus], checked: datetime | None) -> str:
    """The states that need attention, with their counts; "No alerts" where there are none. An alert
    that another one explains does not count. `checked`: when they were checked last, None before
    the first check."""
    if checked is None:
        return "not checked yet"
    counts = alert_counts([status for status in statuses if not status.under])
    parts = [
        f"{n:,} {ALERT_STATES[state]}" for state, n in counts.items() if n and not state.is_quiet
    ]
    if parts:
        return " · ".join(parts)
    if not shows_lost_codes(statuses):
        return "No alerts: too little traffic to judge"
    return "No alerts"


def alert_table(statuses: Sequence[AlertStatus], zone: ZoneInfo) -> pd.DataFrame:
    """All alerts, in the order given: `series`, `measure`, `state`, `since`, what was `seen`, the
    smallest change that `can_be_seen`, and the series whose alert explains this one
    (`explained_by`)."""
    return pd.DataFrame(
        {
            "series": [series_name(status.series) for status in statuses],
            "measure": [MEASURES[status.measure] for status in statuses],
            "state": [ALERT_STATES[status.state] for status in statuses],
            "since": [day_and_time(status.since, zone) for status in statuses],
            "seen": [alert_words(status) for status in statuses],
            "can_be_seen": [sensitivity_words(status) for status in statuses],
            "explained_by": [
                series_name(status.under) if status.under else "" for status in statuses
            ],
        }
    )


def history_table(history: Sequence[Transition], zone: ZoneInfo) -> pd.DataFrame:
    """The changes of state, in the order given: `at`, `series`, `measure`, `before`, `after`."""
    return pd.DataFrame(
        {
            "at": [day_and_time(change.at, zone) for change in history],
            "series": [series_name(change.series) for change in history],
            "measure": [MEASURES[change.measure] for change in history],
            "before": [ALERT_STATES[change.before] for change in history],
            "after": [ALERT_STATES[change.after] for change in history],
        }
    )

"""The tables of the alerts panel: the state of every measure, and the alerts of a dry run."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from core.alerts.records import AlertStatus, Transition
from core.alerts.replay import DryRun
from core.alerts.states import AlertState
from core.wording.alerts import ALERT_STATES, MEASURES, alert_words
from core.wording.formats import day_and_time, series_name

_MOST_MOMENTS = 50


def alert_counts(statuses: Sequence[AlertStatus]) -> dict[AlertState, int]:
    """How many measures are in each state, the worst state first; every state is present."""
    return {state: sum(status.state is state for status in statuses) for state in ALERT_STATES}


def alert_summary(statuses: Sequence[AlertStatus], checked: datetime | None) -> str:
    """The states that need attention, with their counts; "No alerts" where there are none.
    `checked`: the end of the hour that was checked last, None before the first check."""
    if checked is None:
        return "not checked yet"
    counts = alert_counts(statuses)
    parts = [
        f"{n:,} {ALERT_STATES[state]}" for state, n in counts.items() if n and not state.is_quiet
    ]
    if parts:
        return " · ".join(parts)
    is_judged = bool(counts[AlertState.OK])
    return "No alerts" if is_judged else "No alerts: too little traffic to judge"


def alert_table(statuses: Sequence[AlertStatus], zone: ZoneInfo) -> pd.DataFrame:
    """All alerts, in the order given: `series`, `measure`, `state`, `since`, what the last hour
    `saw`, and `under`: the series whose alert explains this one."""
    return pd.DataFrame(
        {
            "series": [series_name(status.series) for status in statuses],
            "measure": [MEASURES[status.measure] for status in statuses],
            "state": [ALERT_STATES[status.state] for status in statuses],
            "since": [day_and_time(status.since, zone) for status in statuses],
            "saw": [alert_words(status) for status in statuses],
            "under": [series_name(status.under) if status.under else "" for status in statuses],
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


def dry_run_table(dry_run: DryRun, zone: ZoneInfo) -> pd.DataFrame:
    """The alerts that would have fired and that no other alert explains, newest first: `from`,
    `until` ("still" for an alert that has not ended), `series`, `measure`."""
    moments = [moment for moment in reversed(dry_run.moments) if not moment.under][:_MOST_MOMENTS]
    return pd.DataFrame(
        {
            "from": [day_and_time(moment.at, zone) for moment in moments],
            "until": [day_and_time(m.until, zone) if m.until else "still" for m in moments],
            "series": [series_name(moment.series) for moment in moments],
            "measure": [MEASURES[moment.measure] for moment in moments],
        }
    )

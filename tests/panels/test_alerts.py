"""The tables and texts of alerts."""

from datetime import datetime, timedelta
from typing import Any

from core.alerts.replay import DryRun, ReplayedAlert
from core.alerts.rules import Measure, Rule

from core.alerts.records import AlertStatus
from core.alerts.states import AlertState
from core.model.series import Series
from core.panels import alerts
from core.wording import alerts as words
from tests.panels.frames import NOW, ZONE


def status(state: AlertState, **more: Any) -> AlertStatus:
    given = {
        "series": Series("sms/NG"), "measure": Measure.CONFIRMED, "state": state, "rule": None,
        "n": 412,
        "verified": 200, "observed": 0.712, "baseline": 0.94, "detectable_drop": 0.05,
        "since": NOW,
    }  # fmt: skip
    return AlertStatus(**given | more)


def test_every_state_of_an_alert_is_counted_and_named() -> None:
    counts = alerts.alert_counts([status(AlertState.FIRING), status(AlertState.OK)])
    assert counts == {
        AlertState.FIRING: 1, AlertState.RECOVERING: 0, AlertState.PENDING: 0, AlertState.OK: 1,
        AlertState.NO_DATA: 0,
    }  # fmt: skip
    assert set(words.ALERT_STATES) == set(AlertState)
    table = alerts.alert_table(
        [status(AlertState.NO_DATA, observed=None, under=Series("sms"))], ZONE
    )
    first = table.iloc[0].to_dict()
    assert (first["series"], first["state"], first["under"]) == ("SMS, Nigeria", "no data", "SMS")
    assert "too few to compare" in first["saw"]


def test_only_states_that_need_attention_are_counted_in_the_line_of_alerts() -> None:
    quiet = [status(AlertState.OK), status(AlertState.NO_DATA)]
    assert alerts.alert_summary(quiet, NOW) == "No alerts"
    assert alerts.alert_summary(quiet[1:], NOW) == "No alerts: too little traffic to judge"
    assert alerts.alert_summary([], None) == "not checked yet"
    noisy = [*quiet, status(AlertState.FIRING), status(AlertState.PENDING)]
    assert alerts.alert_summary(noisy, NOW) == "1 firing \N{MIDDLE DOT} 1 pending"


def test_an_alert_says_what_it_saw() -> None:
    said = words.alert_words(status(AlertState.FIRING))
    assert said == "confirmed 71.2 % of 412 in the last hour, where 94.0 % is usual."
    more = words.alert_words(status(AlertState.FIRING, measure=Measure.TRAFFIC, baseline=40.0))
    assert more == "412 attempts in the last hour, where 40 are usual; 200 of them verified."


def test_a_dry_run_lists_the_newest_first_without_what_another_one_explains() -> None:
    def fired(hours: int, until: datetime | None, under: str = "") -> ReplayedAlert:
        at = NOW + timedelta(hours=hours)
        return ReplayedAlert(
            Series("voice"), Measure.CONFIRMED, Rule.EXACT, at, until, Series(under)
        )

    tried = DryRun(2, [fired(0, NOW + timedelta(hours=1)), fired(1, None, "x"), fired(2, None)], 9)
    table = alerts.dry_run_table(tried, ZONE)
    assert table["from"].tolist() == ["24 Nov 15:04", "24 Nov 13:04"]
    assert table["until"].tolist() == ["still", "24 Nov 14:04"]
    assert table["series"].tolist() == ["Call", "Call"]

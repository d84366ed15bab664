"""The cards of the alerts panel, and the course of an alert."""

from datetime import timedelta

import numpy as np
import pytest

from core.alerts.course import AlertCourse
from core.alerts.measures import Measure
from core.alerts.records import StoredStatus, Transition
from core.alerts.states import AlertState
from core.charts.alert_course import alert_course
from core.charts.palette import LIGHT
from core.model.clock import to_ms
from core.model.series import NO_SERIES, Series
from core.panels.alert_cards import (
    blind_words,
    calm_words,
    ended_cards,
    firing_card,
    shown_until,
)
from core.panels.alert_course import points
from tests.panels.frames import NOW, ZONE
from tests.panels.test_alerts import status

MINUTE = timedelta(minutes=1)
O2 = Series("sms/DE/O2")
FIRING, OK = AlertState.FIRING, AlertState.OK


def change(minutes_ago: int, before: AlertState, after: AlertState) -> Transition:
    return Transition(
        NOW - minutes_ago * MINUTE, O2, Measure.CONFIRMED, before, after, 8, 0.1, 0.95,
        NOW - 60 * MINUTE, NO_SERIES,
    )  # fmt: skip


def test_the_card_of_an_alert_says_what_fires_since_when_and_what_was_done() -> None:
    fires = status(FIRING, series=O2, since=NOW - 20 * MINUTE, chance=0.001)
    entry = StoredStatus(fires, to_ms(NOW - 10 * MINUTE), began_ms=to_ms(NOW - 10 * MINUTE))
    card = firing_card(entry, NOW + 60 * MINUTE, 1, NOW, ZONE)
    assert card.headline == "SMS to O2 in Germany: fewer codes arrive than usual"
    assert card.saw == "Confirmed: 71.2 % of 412, where 94.0 % is usual. This is not chance."
    assert "Offer the call" in card.advice
    words = [step.rpartition(" ")[0] for step in card.done]
    assert words == ["Began", "Alert", "Notified", "Snoozed until"]
    unheard = firing_card(StoredStatus(fires, began_ms=1), None, 0, NOW, ZONE)
    assert unheard.done[-1] == "Not notified: there is no receiver"


def test_an_alert_that_has_ended_is_shown_for_a_day_unless_it_fires_again() -> None:
    history = [change(10, FIRING, OK), change(50, OK, FIRING), change(2000, FIRING, OK)]
    (card,) = ended_cards(history, [], NOW, ZONE)
    assert (card.since, card.fired, card.ended) == (
        *(NOW - minutes * MINUTE for minutes in (60, 50, 10)),
    )
    assert card.saw == "As usual again, after 50 min."
    assert [step.partition(" ")[0] for step in card.done] == ["Began", "Alert", "Resolved"]
    assert shown_until(card, NOW) == NOW
    assert ended_cards(history, [card.place], NOW, ZONE) == []


def test_without_an_alert_the_panel_says_why() -> None:
    quiet = [status(OK), status(OK, series=Series("sms/FR"), detectable_drop=None)]
    assert calm_words(quiet, NOW) == "No alerts: 1 measure of traffic is as usual."
    traffic = status(OK, measure=Measure.TRAFFIC, detectable_drop=None)
    assert calm_words([*quiet, traffic], NOW).endswith("2 measures of traffic are as usual.")
    for few in ([status(AlertState.NO_DATA)], [traffic, *quiet[1:]]):
        assert calm_words(few, NOW).startswith("No alerts, but too little traffic to judge whether")
    assert calm_words([], None).startswith("Not checked yet")
    assert blind_words(quiet) == (
        "Too little traffic to notice lost codes: SMS to France. There, not even a total failure "
        "would show in a day."
    )
    assert blind_words(quiet[:1]) == ""


def hours(requested: float, good: list[float]) -> AlertCourse:
    """Minutes of so many attempts, good ones as a list by minute; they end now."""
    ends = to_ms(NOW) - np.arange(len(good))[::-1] * 60_000
    n = np.full(len(good), requested)
    return AlertCourse(ends - 60_000, ends, np.array(good) * requested, n, n)


def test_a_step_of_a_course_begins_with_the_incident() -> None:
    since = NOW - 31 * MINUTE
    course = hours(3, [1.0] * 149 + [0.0] * 31)
    drawn = points(course, Measure.CONFIRMED, 0.95, since, NOW)
    assert set(drawn.value) == {0.0, 100.0}
    first = next(at for at, value in enumerate(drawn.value) if value == 0)
    assert drawn.middle_ms[first] - to_ms(since) < 3 * 60_000
    assert drawn.usual == pytest.approx(95)
    assert all(low < 95 < high for low, high in zip(drawn.low, drawn.high, strict=True))
    chart = alert_course(drawn, (since, NOW, None), ZONE, LIGHT)
    assert "95 is usual" in chart.alt


def test_a_series_with_little_traffic_has_wide_steps_and_a_wide_band() -> None:
    busy, small = (
        points(hours(n, [1.0] * 180), Measure.CONFIRMED, 0.9, NOW - 30 * MINUTE, NOW)
        for n in (10.0, 0.05)
    )
    assert len(small.value) < 5 < len(busy.value)
    assert max(busy.high) - min(busy.low) < 40
    traffic = points(hours(2, [1.0] * 180), Measure.TRAFFIC, 30.0, NOW - 30 * MINUTE, NOW)
    assert traffic.low[0] < 30 < traffic.high[0]

"""What a check notifies: once when an alert fires, once when it has ended."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import redis

from core.alerts.measures import Measure
from core.alerts.notifications import Notification, notifications
from core.alerts.records import AlertStatus, Place, StoredStatus
from core.alerts.snoozes import LONGEST_SNOOZE, Snoozes
from core.alerts.states import AlertState
from core.model.series import NO_SERIES, Series
from core.store.keys import Keys
from core.webhooks.alert_event import AlertEventKind
from core.wording.alert_messages import PageAddress, alert_message
from tests.world import FrozenClock

AT = datetime(2026, 3, 14, 12, tzinfo=UTC)
PLACE: Place = (Series("sms/DE"), Measure.CONFIRMED)
FIRING, OK, NO_DATA = AlertState.FIRING, AlertState.OK, AlertState.NO_DATA
RECOVERING, PENDING = AlertState.RECOVERING, AlertState.PENDING
Kept = dict[Place, StoredStatus]


def kept(state: AlertState, under: Series = NO_SERIES) -> Kept:
    series, measure = PLACE
    status = AlertStatus(series, measure, state, 100, 0, 0.2, 0.95, 0.1, AT, under)
    return {PLACE: StoredStatus(status)}


def course(*checks: tuple[Kept, bool]) -> list[list[AlertEventKind]]:
    """The kinds that each check notifies, for its statuses and whether the alert is snoozed."""
    before: Kept = {}
    courses = []
    for statuses, is_snoozed in checks:
        to_notify, before = notifications(before, statuses, {PLACE} if is_snoozed else (), 1)
        courses.append([item.kind for item in to_notify])
    return courses


def test_an_alert_is_notified_once_when_it_fires_and_once_when_it_has_ended() -> None:
    states = (OK, PENDING, FIRING, FIRING, RECOVERING, FIRING, RECOVERING, OK, OK, FIRING)
    assert course(*((kept(state), False) for state in states)) == [
        *([], [], [AlertEventKind.FIRING], [], [], [], [], [AlertEventKind.RESOLVED], []),
        [AlertEventKind.FIRING],
    ]


def test_an_alert_that_another_explains_is_notified_when_it_is_explained_no_more() -> None:
    explained = kept(FIRING, Series("sms"))
    checks = [(statuses, False) for statuses in (explained, kept(FIRING), explained, kept(OK))]
    assert course(*checks) == [[], [AlertEventKind.FIRING], [], [AlertEventKind.RESOLVED]]


def test_the_end_of_an_alert_is_about_what_it_saw() -> None:
    """Traffic that had stopped is above the usual when its people come back."""
    place = (Series("sms/DE"), Measure.TRAFFIC)
    since = AT - timedelta(hours=2)
    stopped = AlertStatus(*place, FIRING, 0, 0, 0.0, 80.0, None, since, chance=0.001)
    back = AlertStatus(*place, OK, 90, 80, 90.0, 80.0, None, AT)
    (fires,), before = notifications({}, {place: StoredStatus(stopped)}, (), 1)
    (ends,), _ = notifications(before, {place: StoredStatus(back)}, (), 2)
    assert ends.status == replace(stopped, state=OK)
    titles = [
        alert_message(item.kind, item.status, AT, "sandbox", PageAddress(None)).title
        for item in (fires, ends)
    ]
    assert titles == ["SMS to Germany: no code is requested", f"Resolved: {titles[0]}"]


def test_a_snoozed_alert_is_notified_at_the_end_of_its_snooze_if_it_still_fires() -> None:
    assert course((kept(FIRING), True), (kept(FIRING), True), (kept(FIRING), False)) == [
        *([], [], [AlertEventKind.FIRING]),
    ]
    assert course((kept(FIRING), True), (kept(OK), True), (kept(OK), False)) == [[], [], []]


def test_an_alert_that_was_notified_is_resolved_although_it_is_snoozed_since() -> None:
    assert course((kept(FIRING), False), (kept(FIRING), True), (kept(OK), True)) == [
        *([AlertEventKind.FIRING], [], [AlertEventKind.RESOLVED]),
    ]


def test_an_alert_that_fires_without_a_receiver_is_notified_once_there_is_one() -> None:
    to_notify, before = notifications({}, kept(FIRING), (), 1, has_receivers=False)
    assert (to_notify, before[PLACE].notified_ms) == ([], 0)
    to_notify, before = notifications(before, kept(FIRING), (), 2)
    assert ([item.kind for item in to_notify], before[PLACE].notified_ms) == (
        [AlertEventKind.FIRING],
        2,
    )


def test_a_series_that_is_not_checked_any_more_is_resolved() -> None:
    to_notify, before = notifications({}, kept(FIRING), (), 1)
    to_notify, after = notifications(before, {}, (), 1)
    assert after == {}
    ended = replace(before[PLACE].status, state=NO_DATA)
    assert to_notify == [Notification(AlertEventKind.RESOLVED, ended, 1)]


def test_a_snooze_ends_by_itself_or_by_hand(client: redis.Redis) -> None:
    clock = FrozenClock()
    snoozes = Snoozes(client, Keys("sandbox"), clock, lambda _: True)  # type: ignore[arg-type]
    until = snoozes.snooze(PLACE, timedelta(hours=1))
    assert until == clock.now() + timedelta(hours=1)
    assert snoozes.active() == {PLACE: until}
    clock.advance(timedelta(hours=1))
    assert snoozes.active() == {}
    assert not client.exists(Keys("sandbox").alert_snoozes)
    snoozes.snooze(PLACE, LONGEST_SNOOZE)
    assert (
        0 < client.pttl(Keys("sandbox").alert_snoozes) <= LONGEST_SNOOZE / timedelta(milliseconds=1)
    )
    assert snoozes.end(PLACE)
    assert not snoozes.end(PLACE)
    assert snoozes.active() == {}


@pytest.mark.parametrize("length", [timedelta(), -timedelta(seconds=1), LONGEST_SNOOZE * 2])
def test_a_snooze_of_a_wrong_length_is_refused(client: redis.Redis, length: timedelta) -> None:
    snoozes = Snoozes(client, Keys("sandbox"), FrozenClock(), lambda _: True)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="up to 30 days"):
        snoozes.snooze(PLACE, length)
    assert snoozes.active() == {}

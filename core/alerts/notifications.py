"""Decides what a check has to notify: an alert once when it fires, and once when it has ended.

Whether an alert has been notified is stored with its status, in the same step as the check and its
events: so neither a crash nor a second process loses or repeats one.
"""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple, Protocol

from core.alerts.records import AlertStatus, Place, StoredStatus
from core.alerts.states import AlertState
from core.model.clock import from_ms, to_ms
from core.webhooks.alert_event import AlertEvent, AlertEventKind, Fact, event_id


class Notification(NamedTuple):
    """What to notify of an alert, and its status. `fired_ms`: of one that has ended, when it was
    notified that it fires."""

    kind: AlertEventKind
    status: AlertStatus
    fired_ms: int = 0


class NotificationText(Protocol):
    """The text of a notification, for people."""

    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def link(self) -> str: ...


class Announcer:
    """Makes the events of notifications: one for each of `receivers`. `message` and `test_message`
    write their texts."""

    def __init__(
        self,
        receivers: Sequence[str],
        message: Callable[[Notification, datetime], NotificationText],
        test_message: Callable[[], NotificationText],
    ) -> None:
        self.receivers = receivers
        self._message = message
        self._test_message = test_message

    def events(self, notification: Notification, now: datetime) -> list[AlertEvent]:
        """The events of a notification."""
        if not self.receivers:
            return []
        kind, status, fired_ms = notification
        series = status.series
        message = self._message(notification, now)
        facts: dict[str, Fact] = {
            "channel": series.channel or None,
            "country": series.country or None,
            "carrier": series.last or None,
            "measure": status.measure,
            "state": status.state,
            "since_ms": to_ms(status.since),
            "n": status.n,
            "observed": status.observed,
            "baseline": status.baseline,
            "budgets": list(status.budgets) or None,
        }
        subject = f"{series} {status.measure}"
        return [
            AlertEvent(
                event_id(subject, now, kind, receiver),
                kind,
                now,
                receiver,
                *_texts(message),
                facts,
                after=event_id(subject, from_ms(fired_ms), AlertEventKind.FIRING, receiver)
                if fired_ms
                else "",
            )
            for receiver in self.receivers
        ]

    def test_events(self, now: datetime) -> list[AlertEvent]:
        """The events of a test that a person has asked for."""
        message = self._test_message()
        subject = secrets.token_hex(8)
        return [
            AlertEvent(
                event_id(subject, now, AlertEventKind.TEST, receiver),
                AlertEventKind.TEST,
                now,
                receiver,
                *_texts(message),
                {},
            )
            for receiver in self.receivers
        ]


def _no_message(*_: object) -> NotificationText:
    raise AssertionError("there is no receiver")


#: Where nothing is notified.
SILENT = Announcer((), _no_message, _no_message)


def _texts(message: NotificationText) -> tuple[str, str, str]:
    return message.title, message.text, message.link


def notifications(
    before: Mapping[Place, StoredStatus],
    kept: Mapping[Place, StoredStatus],
    snoozed: Collection[Place],
    now_ms: int,
    *,
    has_receivers: bool = True,
) -> tuple[list[Notification], dict[Place, StoredStatus]]:
    """What to notify after a check at `now_ms`, and its statuses with `notified_ms` set. The status
    of an alert that has ended is what it saw, with its new state: its end is about the same.

    An alert that another one explains is not notified, and a snoozed one is when its snooze ends.
    One that fires without a receiver is notified once there is one.
    """
    to_notify: list[Notification] = []
    marked = {}
    for place, entry in kept.items():
        notified_ms = before[place].notified_ms if place in before else 0
        match _kind_to_notify(
            entry.status, notified_ms > 0, is_held=place in snoozed or not has_receivers
        ):
            case AlertEventKind.FIRING:
                to_notify.append(Notification(AlertEventKind.FIRING, entry.status))
                notified_ms = now_ms
            case AlertEventKind.RESOLVED:
                to_notify.append(_end(before[place], entry.status.state))
                notified_ms = 0
            case _:
                pass
        marked[place] = replace(entry, notified_ms=notified_ms)
    to_notify += ends_without_figures(before, kept)
    return to_notify, marked


def _kind_to_notify(
    status: AlertStatus, was_notified: bool, *, is_held: bool
) -> AlertEventKind | None:
    if was_notified:
        return None if status.state.is_alert else AlertEventKind.RESOLVED
    fires = status.state is AlertState.FIRING and not status.under
    return AlertEventKind.FIRING if fires and not is_held else None


def ends_without_figures(
    before: Mapping[Place, StoredStatus], kept: Mapping[Place, StoredStatus]
) -> list[Notification]:
    """The ends of the notified alerts that are not kept: their series has had no attempt for weeks,
    or its figures were removed."""
    ended = (entry for place, entry in before.items() if place not in kept and entry.notified_ms)
    return [_end(entry, AlertState.NO_DATA) for entry in ended]


def _end(before: StoredStatus, state: AlertState) -> Notification:
    """The end of a notified alert, by its status before and the state after."""
    status = replace(before.status, state=state)
    return Notification(AlertEventKind.RESOLVED, status, before.notified_ms)

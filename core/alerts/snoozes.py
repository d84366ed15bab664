"""Snoozes: alerts for which people want no notification until a moment.

An alert that still fires when its snooze ends is notified then. A snooze changes no state of an
alert, and an alert that was notified before its snooze is also notified as resolved.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from core.alerts.measures import Measure
from core.alerts.records import Place
from core.model.clock import Clock, from_ms, read_ms, to_ms
from core.model.errors import SnoozeRefused
from core.model.series import Series
from core.store.client import Client
from core.store.keys import Keys
from core.store.left_out import LeftOut

LONGEST_SNOOZE = timedelta(days=30)
_SEPARATOR = "\x1f"


class Snoozes:
    """The snoozes of an environment, shared by its processes. `has_series`: whether a series has
    had an attempt. Every method raises StoreUnavailable."""

    def __init__(
        self, client: Client, keys: Keys, clock: Clock, has_series: Callable[[Series], bool]
    ) -> None:
        self._client = client
        self._keys = keys
        self._clock = clock
        self._has_series = has_series
        self._left_out = LeftOut(client, keys, clock)

    def snooze(self, place: Place, length: timedelta) -> datetime:
        """Snooze an alert from now on, instead of an earlier snooze; returns the end. It need not
        fire. Raises SnoozeRefused where it cannot, and ValueError for a length of zero or less, or
        above LONGEST_SNOOZE."""
        series, measure = place
        if measure is Measure.REFUSED and series.last:
            raise SnoozeRefused(
                "Refused sends are not counted by carrier, so a carrier has no alert of them.",
                "Snooze the alert of its country.",
            )
        if not self._has_series(series):
            raise SnoozeRefused(
                "There is no such series, so it has no alerts: it has had no attempt.",
                "Use a name as in GET /api/v1/delivery/alerts; `all` is one only where several "
                "channels are in use.",
            )
        if not timedelta() < length <= LONGEST_SNOOZE:
            raise ValueError(f"A snooze lasts up to {LONGEST_SNOOZE.days} days.")
        until = from_ms(to_ms(self._clock.now() + length))
        with self._client.pipeline() as pipe:
            pipe.hset(self._keys.alert_snoozes, _name(place), str(to_ms(until)))
            pipe.pexpire(self._keys.alert_snoozes, LONGEST_SNOOZE)
            pipe.execute()
        return until

    def end(self, place: Place) -> bool:
        """End a snooze; False if there was none."""
        return self._client.hdel(self._keys.alert_snoozes, _name(place)) == 1

    def active(self) -> dict[Place, datetime]:
        """The snoozed alerts, and when each snooze ends. Removes those that are over."""
        now, active, over = self._clock.now(), {}, []
        for name, until_ms in self._client.hgetall(self._keys.alert_snoozes).items():
            try:
                series, _, measure = name.rpartition(_SEPARATOR)
                place, until = (Series(series), Measure(measure)), read_ms(until_ms)
            except ValueError as error:
                self._left_out.record("snooze", name, error)
                continue
            if until > now:
                active[place] = until
            else:
                over.append(name)
        if over:
            self._client.hdel(self._keys.alert_snoozes, *over)
        return active


def _name(place: Place) -> str:
    series, measure = place
    return f"{series}{_SEPARATOR}{measure}"

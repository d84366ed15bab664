"""The stored records of alerts: the status of each, and each change, both as JSON.

An alert is about a measure of a series. If a channel fails, so do its countries; and lost messages
are also late. Of such alerts one explains the others: see `explaining`.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from core.alerts.measures import Measure
from core.alerts.states import AlertState
from core.model.clock import read_ms, to_ms
from core.model.series import NO_SERIES, Series

#: Series and measure.
Place = tuple[Series, Measure]
#: Spans of time, each from and to a moment in Unix ms.
Spans = tuple[tuple[int, int], ...]
#: A record as a JSON object.
Plain = dict[str, Any]

_SEVERITY = (
    AlertState.FIRING,
    AlertState.RECOVERING,
    AlertState.PENDING,
    AlertState.OK,
    AlertState.NO_DATA,
)
_ORDER = tuple(Measure)


#: What the readers of stored JSON raise for unreadable text.
UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class AlertStatus:
    """The status of a measure of a series at the last check.

    `n` attempts have been judged since the evidence begins, or in the last day where there is
    little of it; `verified` of them were verified. `observed` and `baseline` are shares of `n`, for
    traffic attempts an hour, for prices millionths of a dollar an attempt; None if there is
    nothing to compare. `detectable_drop` is the smallest drop, as a share, that the traffic of a
    day shows; None if it shows none, and for traffic and prices. `since`: of an alert when the
    change began, as far as the figures show it; of another state when that began. `chance`: so many
    alarms a year, of all series, are expected by chance with evidence as strong as this; None
    without an alert. `under` is the series whose alert explains this one, "" if none does: a part
    of it or its whole, or itself if another of its measures does. `budgets`: of an alert about
    refused sends, the names of the budgets that refused them, the most numbers first.
    """

    series: Series
    measure: Measure
    state: AlertState
    n: int
    verified: int
    observed: float | None
    baseline: float | None
    detectable_drop: float | None
    since: datetime
    under: Series = NO_SERIES
    chance: float | None = None
    budgets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of state at the check `at`. `since` is that of the status after it, `verified` and
    the other values too; of an alert that ends, `since` is when it had begun, and `under` what
    explained it."""

    at: datetime
    series: Series
    measure: Measure
    before: AlertState
    after: AlertState
    n: int
    observed: float | None
    baseline: float | None
    since: datetime
    under: Series


@dataclass(frozen=True, slots=True)
class StoredStatus:
    """A status with the other values that the next check needs. Figures from before `cleared_ms`
    raise no alert: the last one has ended since. `began_ms`: when the alert fired, 0 if none.
    `notified_ms`: when people were notified that it fires, 0 if they were not, or were notified
    that it has ended. `calm_ms`: when the evidence of its end was complete, 0 if it is not;
    `relapses`: how often it has fired again soon after its end."""

    status: AlertStatus
    notified_ms: int = 0
    cleared_ms: int = 0
    began_ms: int = 0
    calm_ms: int = 0
    relapses: int = 0

    @property
    def is_head(self) -> bool:
        """Whether it is an alert that no other one explains."""
        return self.status.state.is_alert and not self.status.under

    @property
    def place(self) -> Place:
        return self.status.series, self.status.measure


@dataclass(frozen=True, slots=True)
class AlertCheck:
    """The result of the check of a minute, counted from 1970. `gaps`: spans of the last day in
    which no process ran, with the minutes before. `of_newer`: statuses, as they are
    stored, of measures that only a newer version knows."""

    minute: int
    kept: dict[Place, StoredStatus]
    gaps: Spans = ()
    of_newer: tuple[Plain, ...] = ()

    def to_json(self) -> str:
        statuses = [*(_plain(kept) for kept in self.kept.values()), *self.of_newer]
        return json.dumps({"minute": self.minute, "gaps": self.gaps, "statuses": statuses})

    @classmethod
    def from_json(cls, text: str | None) -> Self:
        """The stored check. None, before the first check, gives an empty check of minute 0."""
        if text is None:
            return cls(0, {})
        plain = json.loads(text)
        gaps = tuple((int(begin), int(end)) for begin, end in plain.get("gaps", ()))
        kept, of_newer = {}, []
        for entry in plain["statuses"]:
            # While versions change, processes of both share the check, each with its measures.
            if entry["status"]["measure"] in _ORDER:
                status = _stored_status(entry)
                kept[status.place] = status
            else:
                of_newer.append(entry)
        return cls(plain["minute"], kept, gaps, tuple(of_newer))


def transition_to_json(transition: Transition) -> str:
    return json.dumps(_plain(transition))


def transition_from_json(text: str) -> Transition:
    plain = json.loads(text)
    kinds = {"measure": Measure, "before": AlertState, "after": AlertState}
    return Transition(**_read(Transition, plain, kinds, "at", "since"))


def by_severity(statuses: Iterable[AlertStatus]) -> list[AlertStatus]:
    """The worst first, each followed by the alerts that it explains."""

    def rank(status: AlertStatus) -> tuple[object, ...]:
        head = status.under or status.series
        severity = _SEVERITY.index(status.state)
        return severity, head, bool(status.under), status.series, _ORDER.index(status.measure)

    return sorted(statuses, key=rank)


def _plain(record: Any) -> Plain:
    """A dataclass as a JSON object, with times in Unix milliseconds. `dataclasses.asdict` copies
    every value, which takes ten times as long."""
    plain = {}
    for name in record.__slots__:
        value = getattr(record, name)
        if isinstance(value, datetime):
            value = to_ms(value)
        plain[name] = _plain(value) if isinstance(value, AlertStatus) else value
    return plain


def _read(
    record: type[Any], plain: Plain, kinds: dict[str, type[StrEnum]], *moments: str
) -> dict[str, Any]:
    """The reverse of `_plain`: the fields of `record`, without those of a newer version."""
    plain = {name: value for name, value in plain.items() if name in record.__slots__}
    enum_values = {name: kind(plain[name]) for name, kind in kinds.items()}
    series = {name: Series(plain[name]) for name in ("series", "under") if name in plain}
    times = {name: read_ms(str(plain[name])) for name in moments}
    return plain | enum_values | series | times


def _stored_status(plain: Plain) -> StoredStatus:
    kinds = {"measure": Measure, "state": AlertState}
    status = AlertStatus(**_read(AlertStatus, plain["status"], kinds, "since"))
    # JSON has no tuples, and a check of an earlier release has neither budgets nor relapses.
    status = replace(status, budgets=tuple(status.budgets))
    return StoredStatus(
        status,
        int(plain["notified_ms"]),
        int(plain["cleared_ms"]),
        int(plain["began_ms"]),
        calm_ms=int(plain.get("calm_ms", 0)),
        relapses=int(plain.get("relapses", 0)),
    )

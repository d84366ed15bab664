"""The stored records of alerts: the status of each, and each change, both as JSON.

An alert is about a measure of a series. If a channel fails, so do its countries; and lost messages
are also late. Of such alerts one explains the others.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from core.alerts.rules import Measure, Rule
from core.alerts.states import AlertState, Standing
from core.model.clock import read_ms, to_ms
from core.model.series import NO_SERIES, Series

#: Series and measure.
Place = tuple[Series, Measure]

_SEVERITY = (
    AlertState.FIRING,
    AlertState.RECOVERING,
    AlertState.PENDING,
    AlertState.OK,
    AlertState.NO_DATA,
)


#: What the readers of stored JSON raise for unreadable text.
UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class AlertStatus:
    """The status of a measure of a series at the last check.

    `n` attempts were requested in the hour, `verified` of them were verified. `observed` and
    `baseline` are shares of `n`, or for traffic attempts an hour; None if there is nothing to
    compare. `detectable_drop` is the smallest drop, as a share, that would be bad with `n`
    attempts; None if no drop would be, and for traffic. `since` is when the state began. `under` is
    the series whose alert explains this one, "" if none does: its channel's, or for late
    messages its own for lost ones.
    """

    series: Series
    measure: Measure
    state: AlertState
    rule: Rule | None
    n: int
    verified: int
    observed: float | None
    baseline: float | None
    detectable_drop: float | None
    since: datetime
    under: Series = NO_SERIES


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of state, at the end of the hour that caused it."""

    at: datetime
    series: Series
    measure: Measure
    before: AlertState
    after: AlertState
    rule: Rule | None
    n: int
    observed: float | None
    baseline: float | None
    under: Series


@dataclass(frozen=True, slots=True)
class StoredStatus:
    """A status with the other values that the next check needs: see `states.Standing`."""

    status: AlertStatus
    streak: int
    silent: int
    #: Whether people have been notified that it fires, and not yet that it has ended.
    is_notified: bool = False

    @property
    def place(self) -> Place:
        return self.status.series, self.status.measure

    @property
    def standing(self) -> Standing:
        return Standing(self.status.state, self.streak, self.silent)


@dataclass(frozen=True, slots=True)
class AlertCheck:
    """The result of a check: of the hour that ended with this quarter, counted from 1970."""

    quarter: int
    kept: dict[Place, StoredStatus]

    def to_json(self) -> str:
        standings = [_plain(kept) for kept in self.kept.values()]
        return json.dumps({"quarter": self.quarter, "standings": standings})

    @classmethod
    def from_json(cls, text: str | None) -> Self:
        """The stored check. None, before the first check, gives an empty check of quarter 0."""
        if text is None:
            return cls(0, {})
        plain = json.loads(text)
        standings = [_stored_status(standing) for standing in plain["standings"]]
        return cls(plain["quarter"], {kept.place: kept for kept in standings})


def transition_to_json(transition: Transition) -> str:
    return json.dumps(_plain(transition))


def transition_from_json(text: str) -> Transition:
    plain = json.loads(text)
    kinds = {"measure": Measure, "before": AlertState, "after": AlertState, "rule": Rule}
    return Transition(**_read(plain, kinds, "at"))


def leaders(series: Series, measure: Measure) -> Iterator[Place]:
    """The alerts that can explain this one, the preferred one first."""
    if not series.is_channel:
        yield series.parent, measure
    if measure is Measure.WITHIN_60:
        yield series, Measure.CONFIRMED


def with_leaders(stored: Iterable[StoredStatus]) -> list[StoredStatus]:
    """The statuses, with `under` set for each alert that another one explains."""
    stored = list(stored)
    states = {one.place: one.status.state for one in stored}
    return [
        replace(one, status=replace(one.status, under=found[0]))
        if (found := _leader(one.place, states))
        else one
        for one in stored
    ]


def by_severity(statuses: Iterable[AlertStatus]) -> list[AlertStatus]:
    """The worst first, each followed by the alerts that it explains."""
    own = {(one.series, one.measure): one for one in statuses}
    states = {place: one.state for place, one in own.items()}

    def rank(status: AlertStatus) -> tuple[object, ...]:
        head = status
        while leader := _leader((head.series, head.measure), states):
            head = own[leader]
        # A head is not less severe than its followers, and its name and measure come first.
        first = (_SEVERITY.index(head.state), head.series, head.measure)
        return *first, _SEVERITY.index(status.state), status.series, status.measure

    return sorted(own.values(), key=rank)


def _leader(place: Place, states: Mapping[Place, AlertState]) -> Place | None:
    """The alert that explains that of this place: one that is no less severe."""
    state = states[place]
    if state.is_quiet:
        return None
    worse = _SEVERITY[: _SEVERITY.index(state) + 1]
    return next((one for one in leaders(*place) if states.get(one) in worse), None)


def _plain(record: Any) -> dict[str, Any]:
    """A dataclass as a JSON object, with times in Unix milliseconds."""

    def to_dict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {name: to_ms(v) if isinstance(v, datetime) else v for name, v in pairs}

    return asdict(record, dict_factory=to_dict)


def _read(plain: dict[str, Any], kinds: dict[str, type[StrEnum]], moment: str) -> dict[str, Any]:
    """The reverse of `_plain`."""
    enum_values = {
        name: kind(plain[name]) for name, kind in kinds.items() if plain[name] is not None
    }
    series = {name: Series(plain[name]) for name in ("series", "under") if name in plain}
    return plain | enum_values | series | {moment: read_ms(str(plain[moment]))}


def _stored_status(plain: dict[str, Any]) -> StoredStatus:
    kinds = {"measure": Measure, "state": AlertState, "rule": Rule}
    status = AlertStatus(**_read(plain["status"], kinds, "since"))
    is_notified = bool(plain.get("is_notified", False))
    return StoredStatus(status, plain["streak"], plain["silent"], is_notified)

"""Collects the values of one scrape. The cost depends on the number of series, never on traffic."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.access.tokens import Tokens
from core.alerts.alerts import Alerts
from core.alerts.records import AlertStatus
from core.figures.cumulative import CumulativeFigures
from core.figures.export import FigureExport
from core.figures.pipeline import Pipeline
from core.figures.queries import Queries
from core.figures.windows import Window, WindowFigures
from core.ledger.ledger import Ledger
from core.model.clock import Clock
from core.settings.settings import Settings
from core.tracking.log_status import LogStatus
from core.tracking.log_sync import LogSync


class MetricsServices(Protocol):
    """What a scrape reads."""

    @property
    def settings(self) -> Settings: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def tokens(self) -> Tokens: ...
    @property
    def figure_export(self) -> FigureExport: ...
    @property
    def queries(self) -> Queries: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def log_sync(self) -> LogSync: ...
    @property
    def alerts(self) -> Alerts: ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The values of a scrape at `now`. Moments are aware, in UTC; None where there is none yet.

    `irregular_events` are the ledger's counters of today (UTC), by kind; `checked` is
    the minute in which the alerts were last checked.
    """

    environment: str
    now: datetime
    is_simulated: bool
    newest_attempt: datetime | None
    cumulative: CumulativeFigures
    windows: dict[Window, WindowFigures]
    irregular_events: dict[str, int]
    logs: LogStatus
    alerts: list[AlertStatus]
    checked: datetime | None
    pipeline: Pipeline


def collect(services: MetricsServices) -> Snapshot:
    """Read all values, without a cache. Raises StoreUnavailable."""
    now, figures = services.clock.now(), services.figure_export
    # Before the figures are read: that brings them up to date.
    pipeline = figures.pipeline()
    return Snapshot(
        environment=services.settings.mode.value,
        now=now,
        is_simulated=services.queries.is_simulated(),
        newest_attempt=services.queries.freshness().newest_attempt,
        cumulative=figures.cumulative(now),
        windows=figures.windows(now),
        irregular_events=services.ledger.counters(),
        logs=services.log_sync.status(),
        alerts=services.alerts.current(),
        checked=services.alerts.checked(),
        pipeline=pipeline,
    )

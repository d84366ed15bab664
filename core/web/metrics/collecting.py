"""Gathers what one scrape tells. The cost depends on the number of series, never on the traffic."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.access.tokens import Tokens
from core.alerts.alerts import Alerts
from core.alerts.records import AlertStatus
from core.figures.cumulative import Cumulated, read_cumulated
from core.figures.pipeline import Pipeline
from core.figures.queries import Queries
from core.figures.slot_reader import SlotReader
from core.figures.windows import Window, Windowed, read_window
from core.ledger.ledger import Ledger
from core.model.clock import Clock
from core.settings.settings import Settings
from core.tracking.log_sync import LogStatus, LogSync


class MetricsServices(Protocol):
    """What a scrape reads."""

    @property
    def settings(self) -> Settings: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def tokens(self) -> Tokens: ...
    @property
    def slots(self) -> SlotReader: ...
    @property
    def queries(self) -> Queries: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def logs(self) -> LogSync: ...
    @property
    def alerts(self) -> Alerts: ...
    def pipeline(self) -> Pipeline: ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is told, as of `now`. Moments are aware, in UTC; None where there is none yet.

    `irregular` are the ledger's counters of today (UTC); `checked` is the end of the last hour that
    the product's own alerts have judged.
    """

    environment: str
    now: datetime
    is_simulated: bool
    newest_attempt: datetime | None
    cumulated: Cumulated
    windows: dict[Window, Windowed]
    irregular: dict[str, int]
    logs: LogStatus
    alerts: list[AlertStatus]
    checked: datetime | None
    pipeline: Pipeline


def collect(services: MetricsServices) -> Snapshot:
    """Read all of it. Raises StoreUnavailable.

    Nothing is remembered from one scrape to the next, so a counter cannot fall because two
    processes answer in turn.
    """
    now = services.clock.now()
    return Snapshot(
        environment=services.settings.mode.value,
        now=now,
        is_simulated=services.queries.is_simulated(),
        newest_attempt=services.queries.freshness().through,
        cumulated=read_cumulated(services.slots, now),
        windows={window: read_window(services.slots, window, now) for window in Window},
        irregular=services.ledger.counters(),
        logs=services.logs.status(),
        alerts=services.alerts.current(),
        checked=services.alerts.checked(),
        pipeline=services.pipeline(),
    )

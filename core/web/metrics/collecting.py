"""Collects the values of one scrape. The cost depends on the number of series, never on traffic."""

from dataclasses import dataclass
from datetime import datetime

from core.alerts.records import AlertStatus
from core.figures.cumulative import CumulativeFigures
from core.figures.pipeline import Pipeline
from core.figures.windows import Window, WindowFigures
from core.services import Services
from core.tracking.log_sync import LogStatus


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The values of a scrape at `now`. Moments are aware, in UTC; None where there is none yet.

    `irregular_events` are the ledger's counters of today (UTC), by kind; `checked` is the end of
    the last hour that the product's own alerts have checked.
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


def collect(services: Services) -> Snapshot:
    """Read all values, without a cache. Raises StoreUnavailable."""
    now, figures = services.clock.now(), services.figure_export
    return Snapshot(
        environment=services.settings.mode.value,
        now=now,
        is_simulated=services.queries.is_simulated(),
        newest_attempt=services.queries.freshness().through,
        cumulative=figures.cumulative(now),
        windows=figures.windows(now),
        irregular_events=services.ledger.counters(),
        logs=services.logs.status(),
        alerts=services.alerts.current(),
        checked=services.alerts.checked(),
        pipeline=figures.pipeline(),
    )

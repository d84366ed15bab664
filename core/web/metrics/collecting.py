"""Gathers what one scrape tells. The cost depends on the number of series, never on the traffic."""

from dataclasses import dataclass
from datetime import datetime

from core.alerts.records import AlertStatus
from core.figures.cumulative import Cumulated, read_cumulated
from core.figures.pipeline import Pipeline, read_pipeline
from core.figures.slot_reader import SlotReader
from core.figures.windows import Window, Windowed, read_window
from core.services import Services
from core.tracking.log_status import LogStatus


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


def collect(services: Services) -> Snapshot:
    """Read all of it. Raises StoreUnavailable.

    Nothing is remembered from one scrape to the next, so a counter cannot fall because two
    processes answer in turn.
    """
    now = services.clock.now()
    reading = SlotReader(services.client, services.connection.raw, services.keys)
    return Snapshot(
        environment=services.keys.environment,
        now=now,
        is_simulated=services.queries.is_simulated(),
        newest_attempt=services.queries.freshness().through,
        cumulated=read_cumulated(reading, now),
        windows={window: read_window(reading, window, now) for window in Window},
        irregular=services.ledger.counters(),
        logs=services.logs.status(),
        alerts=services.alerts.current(),
        checked=services.alerts.checked(),
        pipeline=read_pipeline(services.client, services.keys),
    )

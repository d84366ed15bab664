"""Builds the objects that read figures. Importing this module loads pandas and numpy."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from core.alerts.alerts import Alerts
from core.alerts.figures import AlertFigures
from core.alerts.notifications import Announcer
from core.figures.export import FigureExport
from core.figures.queries import Queries
from core.figures.ripeness import Ripeness
from core.findings.findings import Findings
from core.ledger.ledger import Ledger
from core.model.clock import Clock
from core.sample.control import SampleControl
from core.sample.loading import Sample
from core.store.client import Client, RawClient
from core.store.keys import Keys


@dataclass(frozen=True)
class Reports:
    """What the Delivery page, the REST API and `/metrics` read."""

    queries: Queries
    findings: Findings
    figure_export: FigureExport
    alerts: Alerts
    sample: Sample


def build_reports(
    client: Client,
    raw: RawClient,
    keys: Keys,
    clock: Clock,
    ledger: Ledger,
    settle: Callable[[], None],
    announcer: Announcer,
    code_life: timedelta,
    sample: SampleControl,
    fold_all: Callable[[], None],
) -> Reports:
    """`settle` brings the figures up to date within a second, `fold_all` takes as long as it must.
    `code_life`: how long a code is valid."""
    ripeness = Ripeness(code_life)
    queries = Queries(client, raw, keys, clock, settle, ripeness)
    alerts = Alerts(client, keys, clock, AlertFigures(client, raw, keys, settle), announcer)
    return Reports(
        queries=queries,
        findings=Findings(queries, clock, lambda: sample.state().status.has_work),
        figure_export=FigureExport(client, raw, keys, settle, ripeness),
        alerts=alerts,
        sample=Sample(sample, client, raw, keys, clock, ledger, fold_all, alerts.forget),
    )

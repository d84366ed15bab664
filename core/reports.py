"""Builds the objects that read figures and lists. Importing this module loads pandas and numpy."""

from collections.abc import Callable
from dataclasses import dataclass

from core.alerts.alerts import Alerts
from core.alerts.hours import HourReader
from core.figures.export import FigureExport
from core.figures.queries import Queries
from core.ledger.explorer import Explorer
from core.ledger.ledger import Ledger
from core.model.clock import Clock
from core.sample.control import SampleControl
from core.sample.loading import Sample
from core.store.client import Client, RawClient
from core.store.keys import Keys


@dataclass(frozen=True)
class Reports:
    """What the Delivery and Attempts pages, the REST API and `/metrics` read."""

    queries: Queries
    figure_export: FigureExport
    alerts: Alerts
    explorer: Explorer
    sample: Sample


def build_reports(
    client: Client,
    raw: RawClient,
    keys: Keys,
    clock: Clock,
    ledger: Ledger,
    settle: Callable[[], None],
    sample: SampleControl,
    fold_all: Callable[[], None],
) -> Reports:
    """`settle` brings the figures up to date, within a second; `fold_all` takes as long as it
    must."""
    return Reports(
        queries=Queries(client, raw, keys, clock, settle),
        figure_export=FigureExport(client, raw, keys, settle),
        alerts=Alerts(client, keys, clock, HourReader(client, raw, keys, settle)),
        explorer=Explorer(ledger),
        sample=Sample(sample, client, raw, keys, clock, ledger, fold_all),
    )

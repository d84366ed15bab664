"""Gives each route of the REST API the objects that it uses, as dependencies of FastAPI."""

from collections.abc import Callable
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import Depends, Request

from core.access.request_limit import RequestLimit
from core.access.tokens import Tokens
from core.alerts.alerts import Alerts
from core.figures.queries import Queries
from core.findings.findings import Findings
from core.ledger.explorer import Explorer
from core.ledger.ledger import Ledger
from core.model.clock import Clock
from core.settings.settings import Settings
from core.store.probe import Probe
from core.verification.service import Verifications

T = TypeVar("T")


class RestServices(Protocol):
    """What the REST API uses."""

    @property
    def settings(self) -> Settings: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def probe(self) -> Probe: ...
    @property
    def tokens(self) -> Tokens: ...
    @property
    def request_limit(self) -> RequestLimit: ...
    @property
    def verifications(self) -> Verifications: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def explorer(self) -> Explorer: ...
    @property
    def queries(self) -> Queries: ...
    @property
    def findings(self) -> Findings: ...
    @property
    def alerts(self) -> Alerts: ...


def _depends_on(pick: Callable[[RestServices], T]) -> Any:
    # `async`, since FastAPI calls other functions in a thread.
    async def dependency(request: Request) -> T:
        return pick(request.app.state.services())

    return Depends(dependency)


SettingsObject = Annotated[Settings, _depends_on(lambda services: services.settings)]
ClockObject = Annotated[Clock, _depends_on(lambda services: services.clock)]
ProbeObject = Annotated[Probe, _depends_on(lambda services: services.probe)]
VerificationsObject = Annotated[Verifications, _depends_on(lambda services: services.verifications)]
LedgerObject = Annotated[Ledger, _depends_on(lambda services: services.ledger)]
ExplorerObject = Annotated[Explorer, _depends_on(lambda services: services.explorer)]
QueriesObject = Annotated[Queries, _depends_on(lambda services: services.queries)]
FindingsObject = Annotated[Findings, _depends_on(lambda services: services.findings)]
AlertsObject = Annotated[Alerts, _depends_on(lambda services: services.alerts)]

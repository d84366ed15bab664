"""What every panel of the Delivery page is drawn from."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from core.alerts.alerts import Alerts
from core.charts.palette import Palette
from core.figures.queries import Queries
from core.findings.findings import Findings
from core.ledger.ledger import Ledger
from core.panels.query_state import QueryState
from core.panels.targets import Targets


@dataclass(frozen=True, slots=True)
class PanelContext:
    """One drawing of the page, at `now`. `simulated`: sample traffic is among the figures."""

    queries: Queries
    alerts: Alerts
    ledger: Ledger
    state: QueryState
    palette: Palette
    simulated: bool
    targets: Targets
    now: datetime
    findings: Findings

    @property
    def files(self) -> dict[str, Any]:
        """What the names of downloads say of their figures: arguments of `panel.csv`."""
        return {"simulated": self.simulated, "about": self.state.file_parts}

    @property
    def files_of_all_carriers(self) -> dict[str, Any]:
        """The same of figures that are not kept by carrier: the names have none."""
        filters = self.state.filters.of_all_carriers
        return {
            "simulated": self.simulated,
            "about": replace(self.state, filters=filters).file_parts,
        }

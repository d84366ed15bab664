"""What is shown: the services, what was asked for, and in which colours."""

from dataclasses import dataclass

from core.charts.palette import Palette
from core.panels.query_state import Choice
from core.services import Services


@dataclass(frozen=True, slots=True)
class Shown:
    """One drawing of the page. `simulated`: sample traffic is among the figures."""

    app: Services
    choice: Choice
    colours: Palette
    simulated: bool

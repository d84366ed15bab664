"""The objects that the view "Sessions" uses, and the guard of its actions."""

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import streamlit as st

from core.lab.chaos import ChaosWatch
from core.lab.endings import SandboxEndings
from core.lab.sessions.recording import Recordings
from core.lab.sessions.store import TestSessions
from core.ledger.exchanges import Exchanges
from core.model.clock import Clock
from core.model.errors import ProductError
from core.panels.zones import zone_of
from core.plivo.pricing import Prices
from core.plivo.provider import PlivoProvider
from core.settings.settings import Settings
from core.verification.service import Verifications
from pages.components.access import current_visitor
from pages.components.shared import plain

_REFUSED = "qa_refused"


@dataclass(frozen=True, slots=True)
class SessionTools:
    """Services, without connections and secrets."""

    sessions: TestSessions
    recordings: Recordings
    verifications: Verifications
    exchanges: Exchanges
    endings: SandboxEndings
    chaos: ChaosWatch
    provider: PlivoProvider
    prices: Prices
    settings: Settings
    clock: Clock

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the viewer."""
        return ZoneInfo(zone_of(None, st.context.timezone))


def act(action: Callable[[], object]) -> bool:
    """Run an action of a tester in a callback; False if it was refused, which `draw_refusal` then
    shows. A callback runs before the page checks the visitor, so this checks it."""
    try:
        if not current_visitor().sees_operator_pages:
            return False
        action()
    except ProductError as error:
        st.session_state[_REFUSED] = error
        return False
    return True


def perform(action: Callable[[], object]) -> None:
    """`act`, as the callback of a button."""
    act(action)


def draw_refusal() -> None:
    """The cause and the remedy of the action that was refused last, once."""
    error: ProductError | None = st.session_state.pop(_REFUSED, None)
    if error is not None:
        st.error(f"**{plain(error.cause)}** {plain(error.remedy)}")

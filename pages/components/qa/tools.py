"""The objects that the view "Sessions" uses, and the guard of its actions."""

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import streamlit as st

from core.lab.endings import SandboxEndings
from core.lab.sessions.recording import Recordings
from core.lab.sessions.store import TestSessions
from core.ledger.exchanges import Exchanges
from core.model.clock import Clock
from core.model.errors import ProductError
from core.panels.chaos_watch import ChaosWatch
from core.panels.zones import zone_of
from core.plivo.pricing import Prices
from core.plivo.provider import PlivoProvider
from core.settings.settings import Settings
from core.verification.service import Verifications
from pages.components.access import current_visitor
from pages.components.session_value import session_value
from pages.components.shared import plain

_REFUSED = "qa_refused"
#: The id of the item that is selected in a checklist.
SELECTED = "qa_selected"
# At the lower edge of the window: near every button of a long checklist, and it moves nothing.
_REFUSAL_STYLE = """<style>
[data-testid="stLayoutWrapper"]:has(> .st-key-qa_refusal) {position: absolute}
.st-key-qa_refusal {background: light-dark(#ffffff, #0e1419); border-radius: 8px; bottom: 16px;
  flex-wrap: nowrap; left: 50%; max-width: calc(100vw - 32px); position: fixed;
  transform: translateX(-50%); width: min(720px, 100vw - 32px); z-index: 999990}
.st-key-qa_refusal:empty {display: none}
</style>"""


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
    refused = session_value(_REFUSED)
    refused.value = None
    try:
        if not current_visitor().sees_operator_pages:
            return False
        action()
    except ProductError as error:
        refused.value = error
        return False
    return True


def perform(action: Callable[[], object]) -> None:
    """`act`, as the callback of a button."""
    act(action)


def forget_refusal() -> None:
    session_value(_REFUSED).value = None


def refusal() -> ProductError | None:
    """Why the last action was refused; None if it was not."""
    error: ProductError | None = session_value(_REFUSED).value
    return error


def draw_refusal() -> None:
    """The cause and the remedy of the action that was refused last, until the next action: a mark
    of another tester reruns this fragment meanwhile."""
    st.html(_REFUSAL_STYLE)
    # Always there: else what is below would be another element of the page, and a part that a
    # tester has opened would close.
    with st.container(key="qa_refusal", horizontal=True, vertical_alignment="center"):
        error = refusal()
        if error is not None:
            st.error(f"**{plain(error.cause)}** {plain(error.remedy)}")
            st.button("Close", key="qa_refusal_close", on_click=forget_refusal)

"""One verification: code field, verdict, handset, timeline and exchanges with Plivo."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.lab.sessions.collector import Collector
from core.ledger.exchanges import Exchanges
from core.model.clock import to_ms
from core.model.errors import StoreUnavailable
from core.model.exchange import Exchange
from core.model.verification import Status, View
from core.panels.chaos_watch import ChaosWatch
from core.panels.evidence import EvidenceReader
from core.panels.exchanges import exchange_lines
from core.plivo.pricing import Prices
from core.settings.settings import Settings
from core.verification.service import Verifications
from core.verification.timeline import timeline as timeline_of
from pages.components.access import current_visitor
from pages.components.exchanges import draw_exchanges
from pages.components.handset import handset
from pages.components.live import live
from pages.components.shared import outage_shown
from pages.components.timeline import timeline
from pages.components.verify.evidence import draw_evidence
from pages.components.verify.layout import columns
from pages.components.verify.task import draw_task

state = st.session_state
_SEEN = "verify_seen"
#: The ids of the verifications that this window has shown since its last reset.
_SHOWN, _MOST_SHOWN = "verify_shown", 50


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run shows. `opens_attempts`: the visitor may open the pages of its attempts."""

    view: View
    exchanges: Sequence[Exchange]
    opens_attempts: bool


@st.fragment
def draw_verification(
    verification: str,
    verifications: Verifications,
    exchanges: Exchanges,
    prices: Prices,
    settings: Settings,
    chaos: ChaosWatch,
    collector: Collector,
) -> None:
    """A fragment: each change of the verification reruns it, and nothing else of the page."""
    with outage_shown(key="verify_try_again_part"):
        seen, outage = _look(verification, verifications, exchanges)
        if seen is None:
            st.rerun()
        view = seen.view
        is_pending = view.verification.status is Status.PENDING
        live(verification, is_running=is_pending, key="verify_live")
        places = columns()
        with places.stage:
            draw_task(view, outage, verifications, prices, settings, collector)
        with places.side:
            # The page has only the masked number: other people may have its link.
            handset(
                view.verification.to.masked,
                phone=f"/phone/{verification}/handset",
                sandbox=settings.is_sandbox,
                length=view.verification.digits,
                brand=settings.brand,
                references=view.references if is_pending else (),
                since_ms=to_ms(view.verification.started_at),
                key="verify_phone",
            )
        with places.rest:
            rows = timeline_of(view)
            lines = exchange_lines(
                seen.exchanges, rows, view.verification.started_at, simulated=settings.is_sandbox
            )
            timeline(rows, key="verify_steps", lines=lines, opens_attempts=seen.opens_attempts)
            if outage is None:
                reader = EvidenceReader(verifications, exchanges, settings, chaos)
                draw_evidence(verification, reader, key="verify_evidence")
            draw_exchanges(lines, key="verify_exchanges")


def _look(
    verification: str, verifications: Verifications, exchanges: Exchanges
) -> tuple[Seen | None, StoreUnavailable | None]:
    """The verification as of now; during an outage as this window saw it last, with the outage.
    None: it is no longer kept."""
    try:
        visitor = current_visitor()
        view = verifications.look(verification, visitor.grant)
        if view is None:
            return None, None
        seen = Seen(view, exchanges.of(verification), visitor.sees_operator_pages)
    except StoreUnavailable as error:
        last: Seen | None = state.get(_SEEN)
        if last is None or last.view.verification.id != verification:
            raise
        return last, error
    state[_SEEN] = seen
    if verification not in shown_verifications():
        state[_SHOWN] = [*shown_verifications(), verification][-_MOST_SHOWN:]
    return seen, None


def shown_verifications() -> list[str]:
    """What a reset of this window is about."""
    return list(state.get(_SHOWN) or [])


def forget_shown() -> None:
    state.pop(_SHOWN, None)

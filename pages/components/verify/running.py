"""One verification: code field, verdict, handset, timeline and exchanges with Plivo."""

import streamlit as st

from core.ledger.exchanges import Exchanges
from core.model.clock import to_ms
from core.model.errors import StoreUnavailable
from core.model.verification import Status, View
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
from pages.components.verify.layout import columns
from pages.components.verify.task import draw_task

state = st.session_state
_VIEW = "verify_view"


@st.fragment
def draw_verification(
    verification: str,
    verifications: Verifications,
    exchanges: Exchanges,
    prices: Prices,
    settings: Settings,
) -> None:
    """A fragment: each change of the verification reruns it, and nothing else of the page."""
    with outage_shown(key="verify_try_again_part"):
        view, outage = _look(verification, verifications)
        if view is None:
            st.rerun()
        is_pending = view.verification.status is Status.PENDING
        live(verification, is_running=is_pending, key="verify_live")
        places = columns()
        with places.stage:
            draw_task(view, outage, verifications, prices, settings)
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
            timeline(timeline_of(view), key="verify_steps")
            behind = st.expander("Behind the scenes", on_change="rerun", key="verify_behind")
            if behind.open and outage is None:
                with behind:
                    draw_exchanges(exchanges.of(verification), to_ms(view.verification.started_at))


def _look(
    verification: str, verifications: Verifications
) -> tuple[View | None, StoreUnavailable | None]:
    """The verification as of now; during an outage as this window saw it last, with the outage."""
    try:
        view = verifications.look(verification, current_visitor().grant)
    except StoreUnavailable as error:
        last: View | None = state.get(_VIEW)
        if last is None or last.verification.id != verification:
            raise
        return last, error
    state[_VIEW] = view
    return view, None

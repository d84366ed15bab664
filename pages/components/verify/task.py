"""The left side of a running verification: its state, the code panel, and the next step."""

import streamlit as st

from core.lab.sessions.collector import Collector
from core.model.clock import to_ms
from core.model.errors import StoreUnavailable
from core.model.verification import CheckOutcome, SendOutcome, Status, View
from core.panels.verdict import verdict_facts
from core.plivo.pricing import Prices
from core.settings.settings import Settings
from core.verification.service import Verifications
from core.wording import verification as words
from pages.components.access import current_visitor
from pages.components.code_panel import (
    CodePanelContent,
    CodePanelEvents,
    NextButton,
    NoticeKind,
    code_panel,
)
from pages.components.shared import outage_shown, rerun_fragment
from pages.components.verdict import verdict
from pages.components.verify.address import show_form
from pages.components.verify.lines import Line, draw_lines

#: The test session did not collect a resend: it was ended, or is full.
_NOT_COLLECTED = "verify_not_collected"

state = st.session_state


def draw_task(
    view: View,
    outage: StoreUnavailable | None,
    verifications: Verifications,
    prices: Prices,
    settings: Settings,
    collector: Collector,
) -> None:
    """The verdict, and the code panel while the verification is pending. `outage`: the view is the
    last one that could be read."""
    verification = view.verification
    lines = [Line(words.budget_warning(over, view.now)) for over in view.over_budgets]
    if outage is not None:
        lines = [Line(f"**{outage.cause}** {outage.remedy}", is_error=True)]
    draw_lines(
        f"{verification.to.masked} · {verification.to.country}", lines, retry=outage is not None
    )
    is_final = verification.status is not Status.PENDING
    verdict(
        words.status_words(view),
        verdict_facts(view, prices.of(verification.to.region)),
        simulated=settings.is_sandbox,
        is_final=is_final,
        key="verify_verdict",
    )
    if is_final:
        if st.button("Verify another number", type="primary", key="verify_next"):
            start_over()
            # The whole page, not only the fragment: the address no longer names a verification.
            st.rerun()
        return
    events = _panel(view, settings.brand)
    # Drawn only when needed: in place of the panel it would move what is below.
    with outage_shown(key="verify_try_again_action"):
        if _handle(events, view, verifications, collector):
            # The line about the test session is outside of the fragment.
            if state.pop(_NOT_COLLECTED, False):
                st.rerun()
            rerun_fragment()


def start_over() -> None:
    """Back to the form."""
    show_form()
    state.pop("notice", None)


def _panel(view: View, brand: str) -> CodePanelEvents:
    verification, offer = view.verification, view.fallback
    notice, kind = _notice(view)
    content = CodePanelContent(
        verification=verification.id,
        digits=verification.digits,
        brand=brand,
        expires_ms=to_ms(verification.expires_at),
        now_ms=to_ms(view.now),
        checks_left=verification.checks_left,
        checks_allowed=verification.checks_allowed,
        resend_ms=to_ms(verification.next_send_at),
        resend_label=words.resend_label(verification.way),
        fallback_ms=to_ms(offer.at) if offer else None,
        fallback_label=words.fallback_label(offer.way) if offer else "",
        fallback_reason=offer.reason if offer else "",
        next_button=_next_button(view),
        notice=notice,
        notice_kind=kind,
    )
    return code_panel(content, key="verify_panel")


def _next_button(view: View) -> NextButton:
    if view.next_way is None:
        return ""
    return "resend" if view.next_way is view.verification.way else "fallback"


def _handle(
    events: CodePanelEvents, view: View, verifications: Verifications, collector: Collector
) -> bool:
    """Whether something happened that the page has to show."""
    verification = view.verification
    if events.entered is not None:
        _check(view, events.entered, verifications)
    elif events.resend or events.fallback:
        state.notice = _resend(view, verifications, collector, fallback=events.fallback)
    elif events.cancel:
        verifications.cancel(verification.id, current_visitor().grant)
    else:
        return events.expired
    return True


def _check(view: View, entered: str, verifications: Verifications) -> None:
    result = verifications.check(
        view.verification.id, entered, current_visitor().grant, address=st.context.ip_address
    )
    if result.outcome is not CheckOutcome.APPROVED:
        text = words.check_words(result, view.verification.digits)
        state.notice = (view.verification.id, f"{text.headline} {text.detail}", "wrong")


def _resend(
    view: View, verifications: Verifications, collector: Collector, *, fallback: bool
) -> tuple[str, str, NoticeKind] | None:
    """Send again; return the notice for the panel, None where there is none."""
    way = view.verification.way
    is_call = way.is_call
    result = verifications.resend(
        view.verification.id,
        grant=current_visitor().grant,
        seen=view.verification.attempts,
        call=fallback and not is_call,
        message=fallback and is_call,
        address=st.context.ip_address,
    )
    if not collector.resent(view.verification, result, way.other if fallback else way):
        state[_NOT_COLLECTED] = True
    if result.outcome in {SendOutcome.SENT, SendOutcome.DUPLICATE}:
        return None
    # The headline already shows what Plivo answered: it comes from the attempt.
    if result.outcome in {SendOutcome.REJECTED, SendOutcome.UNKNOWN}:
        return None
    return view.verification.id, f"{result.cause} {result.remedy}", "warning"


def _notice(view: View) -> tuple[str, NoticeKind]:
    """The last notice, if it is about this verification."""
    notice = state.get("notice")
    if notice is None or notice[0] != view.verification.id:
        return "", "quiet"
    return notice[1], notice[2]

"""The left side of a running verification: its state, the code panel, and the next step."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

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
    CodePanelActions,
    CodePanelContent,
    NextButton,
    NoticeKind,
    code_panel,
)
from pages.components.session_value import SessionValue, session_value
from pages.components.verdict import verdict
from pages.components.verify.address import show_form
from pages.components.verify.lines import Line, draw_lines

#: The headline already shows what Plivo answered: it comes from the attempt.
_WITH_ATTEMPT = {
    SendOutcome.SENT,
    SendOutcome.DUPLICATE,
    SendOutcome.REJECTED,
    SendOutcome.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class PanelNotice:
    """A line of the panel about this verification."""

    verification: str
    text: str
    kind: NoticeKind


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
            show_form()
            # The whole page, not only the fragment: the address no longer names a verification.
            st.rerun()
        return
    _panel(view, settings.brand, _actions(view, verifications, collector))


def _panel(view: View, brand: str, actions: CodePanelActions) -> None:
    verification, offer = view.verification, view.fallback
    notice = _last_notice().value
    if notice is None or notice.verification != verification.id:
        notice = PanelNotice(verification.id, "", "quiet")
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
        notice=notice.text,
        notice_kind=notice.kind,
    )
    code_panel(content, actions, key="verify_panel")


def _next_button(view: View) -> NextButton:
    if view.next_way is None:
        return ""
    return "resend" if view.next_way is view.verification.way else "fallback"


def _actions(view: View, verifications: Verifications, collector: Collector) -> CodePanelActions:
    """What a person can do in the panel that shows `view`."""

    def answered(act: Callable[..., None]) -> Callable[..., None]:
        def action(*entered: str) -> None:
            notice = _last_notice()
            try:
                act(*entered, view, verifications)
            except StoreUnavailable as error:
                notice.value = PanelNotice(
                    view.verification.id, f"{error.cause} {error.remedy}", "warning"
                )

        return action

    return CodePanelActions(
        check=answered(_check),
        resend=answered(partial(_resend, collector, fallback=False)),
        fallback=answered(partial(_resend, collector, fallback=True)),
        cancel=answered(_cancel),
    )


def _check(entered: str, view: View, verifications: Verifications) -> None:
    notice, verification = _last_notice(), view.verification
    result = verifications.check(
        verification.id, entered, current_visitor().grant, address=st.context.ip_address
    )
    if result.outcome is not CheckOutcome.APPROVED:
        text = words.check_words(result, verification.digits)
        notice.value = PanelNotice(verification.id, f"{text.headline} {text.detail}", "wrong")


def _resend(
    collector: Collector, view: View, verifications: Verifications, *, fallback: bool
) -> None:
    notice, verification = _last_notice(), view.verification
    way = verification.way.other if fallback else verification.way
    result = verifications.resend(
        verification.id,
        grant=current_visitor().grant,
        seen=verification.attempts,
        mode=way.mode,
        address=st.context.ip_address,
    )
    notice.value = (
        None
        if result.outcome in _WITH_ATTEMPT
        else PanelNotice(verification.id, f"{result.cause} {result.remedy}", "warning")
    )
    if not collector.resent(verification, result, way):
        # The line about the test session is outside of the fragment.
        st.rerun()


def _cancel(view: View, verifications: Verifications) -> None:
    verifications.cancel(view.verification.id, current_visitor().grant)


def _last_notice() -> SessionValue[PanelNotice | None]:
    """The answer to the last action in the panel."""
    return session_value("verify_notice")

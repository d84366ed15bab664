"""One verification: code field, verdict, handset, timeline and exchanges with Plivo."""

import streamlit as st

from core.ledger.exchanges import Exchanges
from core.model.clock import to_ms
from core.model.verification import CheckOutcome, SendOutcome, Status, View
from core.panels.evidence import EvidenceReader
from core.panels.exchanges import exchange_lines
from core.settings.settings import Settings
from core.verification.service import Verifications
from core.verification.timeline import timeline as timeline_of
from core.wording import verification as words
from core.wording.formats import channel_name
from pages.components.access import current_visitor
from pages.components.code_panel import NoticeKind, code_panel
from pages.components.exchanges import draw_exchanges
from pages.components.handset import handset
from pages.components.live import live
from pages.components.shared import outage_shown, plain
from pages.components.timeline import timeline
from pages.components.verdict import verdict
from pages.components.verify.evidence import draw_evidence
from pages.components.verify.form import COLUMN

state = st.session_state


@st.fragment
def draw_verification(
    verification: str, verifications: Verifications, exchanges: Exchanges, settings: Settings
) -> None:
    """A fragment: each change of the verification reruns it, and nothing else of the page."""
    with outage_shown(key="verify_try_again_part"):
        visitor = current_visitor()
        view = verifications.look(verification, visitor.grant)
        if view is None:
            st.rerun()
        is_pending = view.verification.status is Status.PENDING
        live(verification, is_running=is_pending, key="verify_live")
        grid = st.grid(2, min_column_width=COLUMN, gap="medium")
        with grid.cell():
            _task(view, verifications, settings.brand)
        with grid.cell():
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
        rows = timeline_of(view)
        lines = exchange_lines(
            exchanges.of(verification),
            rows,
            view.verification.started_at,
            simulated=settings.is_sandbox,
        )
        timeline(rows, key="verify_steps", lines=lines, opens_attempts=visitor.sees_operator_pages)
        draw_exchanges(lines, key="verify_exchanges")
        reader = EvidenceReader(verifications, exchanges, settings)
        draw_evidence(verification, reader, key="verify_evidence")


def _task(view: View, verifications: Verifications, brand: str) -> None:
    """The state in words, and the code panel while the verification is pending."""
    verification = view.verification
    channel = channel_name(verification.way.channel)
    st.caption(f"{verification.to.masked} · {verification.to.country} · {channel}")
    for over in view.over_budgets:
        st.warning(plain(words.budget_warning(over, view.now)), icon=":material/speed:")
    is_final = verification.status is not Status.PENDING
    verdict(words.status_words(view), is_final=is_final, key="verify_verdict")
    if is_final:
        if st.button("Verify another number", type="primary"):
            _start_over()
        return
    notice, kind = _notice(view)
    offer = view.call_offer
    events = code_panel(
        verification=verification.id,
        digits=verification.digits,
        brand=brand,
        expires_ms=to_ms(verification.expires_at),
        now_ms=to_ms(view.now),
        checks_left=verification.checks_left,
        checks_allowed=verification.checks_allowed,
        resend_ms=to_ms(verification.next_send_at),
        call_ms=to_ms(offer.at) if offer else None,
        call_reason=offer.reason if offer else "",
        notice=notice,
        notice_kind=kind,
        key="verify_panel",
    )
    if events.entered is not None:
        _check(view, events.entered, verifications)
    elif events.resend or events.call:
        state.notice = _resend(view, verifications, call=events.call)
    elif events.cancel:
        verifications.cancel(verification.id, current_visitor().grant)
    elif not events.expired:
        return
    st.rerun(scope="fragment")


def _check(view: View, entered: str, verifications: Verifications) -> None:
    result = verifications.check(
        view.verification.id, entered, current_visitor().grant, address=st.context.ip_address
    )
    if result.outcome is not CheckOutcome.APPROVED:
        text = words.check_words(result, view.verification.digits)
        state.notice = (view.verification.id, f"{text.headline} {text.detail}", "wrong")


def _resend(
    view: View, verifications: Verifications, *, call: bool
) -> tuple[str, str, NoticeKind] | None:
    """Send again; return the notice for the panel, None where there is none."""
    result = verifications.resend(
        view.verification.id,
        grant=current_visitor().grant,
        seen=view.verification.attempts,
        call=call,
        address=st.context.ip_address,
    )
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


def _start_over() -> None:
    st.query_params.clear()
    state.pop("notice", None)
    # The whole page, not only the fragment: the address no longer names a verification.
    st.rerun()

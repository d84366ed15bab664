"""One attempt: its state in words, its timeline, and every event that was received for it."""

from zoneinfo import ZoneInfo

import streamlit as st

from core.ledger.exchanges import Exchanges
from core.ledger.ledger import Ledger
from core.model.attempt import Attempt, EventKind, State
from core.model.errors import ProviderRead
from core.panels.attempts import event_table, facts
from core.panels.chaos_watch import ChaosWatch
from core.panels.evidence import EvidenceReader
from core.panels.exchanges import exchange_lines
from core.settings.settings import Settings
from core.tracking.attempt_poller import AttemptPoller
from core.verification.service import Verifications
from core.verification.timeline import attempt_timeline
from core.wording.formats import channel_name
from core.wording.verification import attempt_words
from pages.components.access import current_visitor
from pages.components.attempts.address import back
from pages.components.exchanges import draw_exchanges
from pages.components.panel import number
from pages.components.session_value import session_value
from pages.components.shared import plain
from pages.components.timeline import timeline
from pages.components.verify.evidence import draw_evidence

#: The theme's names of the states' colours.
_COLOURS = {
    State.DELIVERED: "green",
    State.UNDELIVERED: "red",
    State.FAILED: "red",
    State.REJECTED: "orange",
    State.UNCLEAR: "violet",
    State.UNKNOWN: "violet",
}


#: What Plivo has answered last, with the attempt's id, until a run shows it.
_LAST_POLL = "attempts_last_poll"


def draw_attempt(
    attempt_id: str,
    ledger: Ledger,
    verifications: Verifications,
    poller: AttemptPoller,
    exchanges: Exchanges,
    settings: Settings,
    chaos: ChaosWatch,
    zone: ZoneInfo,
) -> None:
    attempt = ledger.attempt(attempt_id)
    with st.container(horizontal=True):
        st.button("All attempts", icon=":material/arrow_back:", on_click=back)
        must_poll = attempt is not None and _poll_button(attempt)
        if attempt is not None:
            _verification_controls(
                attempt, verifications, EvidenceReader(verifications, exchanges, settings, chaos)
            )
    if attempt is None:
        st.info("This attempt is no longer kept. Its figures are.", icon=":material/inbox:")
        return
    if must_poll:
        attempt = _poll(attempt, ledger, poller)
    _draw_poll(attempt)
    words = attempt_words(attempt)
    st.header(f"{channel_name(attempt.way.channel)} to {attempt.to_masked}", anchor=False)
    if attempt.is_sample:
        st.badge("Sample traffic: invented, never sent", icon=":material/science:", color="violet")
    sign = f":{_COLOURS[attempt.state]}[{words.mark}]" if attempt.state in _COLOURS else words.mark
    st.markdown(f"{sign} **{plain(words.headline)}** {plain(words.detail)}")
    row, requested_at = attempt_timeline(attempt), attempt.moments[EventKind.REQUESTED]
    own = [e for e in exchanges.of(attempt.verification) if e.attempt in {"", attempt.id}]
    lines = exchange_lines(own, row, requested_at, simulated=settings.is_sandbox)
    timeline(row, key="attempts_steps", lines=lines)
    draw_exchanges(lines, key="attempts_exchanges")
    rows = {name: plain(value) for name, value in facts(attempt).items()}
    st.table(rows, border="horizontal")
    st.header("All events", anchor=False)
    st.dataframe(
        event_table(ledger.events(attempt.id), attempt, zone),
        hide_index=True, key="attempts_events",
        column_config={
            "what": "What", "at": f"At ({zone.key})", "after_s": number("After", "%.1f s"),
            "from": "From", "received_s": number("Received after", "%.1f s"), "note": "Note",
        },
    )  # fmt: skip


def _verification_controls(
    attempt: Attempt, verifications: Verifications, reader: EvidenceReader
) -> None:
    """Opens the verification on Verify, and its evidence, where this visitor may see it."""
    if verifications.look(attempt.verification, current_visitor().grant) is None:
        return
    # Not st.page_link: it must find the page's file, which only the running application has.
    if st.button("Open its verification", icon=":material/verified_user:"):
        query = {"verification": attempt.verification}
        st.switch_page("pages/verify.py", query_params=query)
    draw_evidence(attempt.verification, reader, key="attempts_evidence")


def _poll_button(attempt: Attempt) -> bool:
    no_reference = "Plivo's id for this attempt is not known; reading its logs may find it."
    return st.button(
        "Ask Plivo now",
        icon=":material/sync:",
        disabled=not attempt.reference,
        help=None if attempt.reference else no_reference,
    )


def _poll(attempt: Attempt, ledger: Ledger, poller: AttemptPoller) -> Attempt:
    """Ask Plivo for the attempt; return the attempt as it is afterwards."""
    last = session_value(_LAST_POLL)
    try:
        events = poller.poll(attempt)
    except ProviderRead as error:
        last.value = attempt.id, error
        return attempt
    words = "Plivo's record was read." if events else "Plivo does not have it yet."
    last.value = attempt.id, words
    return ledger.attempt(attempt.id) or attempt


def _draw_poll(attempt: Attempt) -> None:
    """What Plivo has answered last, if it is about this attempt."""
    last = session_value(_LAST_POLL)
    polled, answer = last.value or ("", "")
    if polled == attempt.id:
        if isinstance(answer, ProviderRead):
            st.error(f"**{plain(answer.cause)}** {plain(answer.remedy)}")
        else:
            st.toast(answer)
    last.value = None

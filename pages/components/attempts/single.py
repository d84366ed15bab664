"""One attempt: what became of it in words, its timeline, and all that was heard of it."""

from zoneinfo import ZoneInfo

import streamlit as st

from core.model.attempt import Attempt, EventKind, State
from core.model.clock import to_ms
from core.model.errors import ProviderRead
from core.panels.attempts import facts, heard_table
from core.services import Services
from core.verification.timeline import attempt_timeline
from core.wording.formats import channel_name
from core.wording.verification import attempt_words
from pages.components.attempts.address import back
from pages.components.panel import number
from pages.components.scenes import scenes
from pages.components.shared import plain
from pages.components.timeline import timeline

#: As the theme names the colours of the states.
_COLOURS = {
    State.DELIVERED: "green",
    State.UNDELIVERED: "red",
    State.FAILED: "red",
    State.REJECTED: "orange",
    State.UNKNOWN: "violet",
}


def single(app: Services, chosen: str, zone: ZoneInfo) -> None:
    attempt = app.ledger.attempt(chosen)
    with st.container(horizontal=True):
        st.button("All attempts", icon=":material/arrow_back:", on_click=back)
        asked = attempt is not None and _ask_button(attempt)
    if attempt is None:
        st.info("This attempt is no longer kept. Its figures are.", icon=":material/inbox:")
        return
    if asked:
        attempt = _ask(app, attempt)
    words = attempt_words(attempt)
    st.subheader(f"{channel_name(attempt.way.channel)} to {attempt.to_masked}", anchor=False)
    sign = f":{_COLOURS[attempt.state]}[{words.mark}]" if attempt.state in _COLOURS else words.mark
    st.markdown(f"{sign} **{plain(words.headline)}** {plain(words.detail)}")
    timeline(attempt_timeline(attempt), key="attempts_steps")
    told = {name: plain(value) for name, value in facts(attempt).items()}
    st.table(told, border="horizontal")
    st.subheader("All that was heard", anchor=False)
    st.dataframe(
        heard_table(app.ledger.heard(attempt.id), attempt, zone),
        hide_index=True, key="attempts_heard",
        column_config={
            "what": "What", "at": f"At ({zone.key})", "after_s": number("After", "%.1f s"),
            "from": "From", "heard_s": number("Heard after", "%.1f s"), "note": "Note",
        },
    )  # fmt: skip
    with st.expander("Behind the scenes: what went to Plivo and came from it, masked"):
        began = to_ms(attempt.moments[EventKind.REQUESTED])
        scenes(app.exchanges.of(attempt.verification), began)


def _ask_button(attempt: Attempt) -> bool:
    unnamed = "Plivo never said under which id it has this one; its logs may tell."
    return st.button(
        "Ask Plivo now",
        icon=":material/sync:",
        disabled=not attempt.reference,
        help=None if attempt.reference else unnamed,
    )


def _ask(app: Services, attempt: Attempt) -> Attempt:
    """The attempt as it stands after Plivo was asked."""
    try:
        news = app.poller.poll(attempt)
    except ProviderRead as error:
        st.error(f"**{plain(error.cause)}** {plain(error.remedy)}")
        return attempt
    st.toast("Plivo told what it knows." if news else "Plivo does not have it yet.")
    return app.ledger.attempt(attempt.id) or attempt

"""API: a token, examples to paste, and the events that could not be told."""

from zoneinfo import ZoneInfo

import streamlit as st

from core.panels import api
from core.panels.query_state import zone_of
from pages.components.access import require_admin
from pages.components.panel import grid, number, question, text
from pages.components.shared import outage_shown, plain, services, title

MAKE = ".venv/bin/python -m core tokens make qa --scope verify --scope read"

require_admin("/api")
app = services()
base = api.address(st.context.url, app.settings.public_url)
zone = ZoneInfo(zone_of(None, st.context.timezone))


def main() -> None:
    """Who may call, how to, and what we tell others."""
    title("API", simulated=False)
    st.markdown(
        "Verifications, delivery figures and attempts can also be asked for over HTTP. "
        f"[Documentation]({base}/api/v1/docs) · [OpenAPI]({base}/api/v1/openapi.json) · "
        f"Prometheus scrapes `{base}/metrics`"
    )
    with outage_shown(key="api_try_again"):
        _tokens()
        _examples()
        _events()


def _tokens() -> None:
    question("Who may call?")
    token = app.tokens.sandbox_token
    if token is not None:
        st.caption("The sandbox has a token that may do everything. It opens nothing when live.")
        st.code(f"TOKEN={token}", language="bash", wrap_lines=True)
    made = app.tokens.all()
    if made:
        columns = {
            "name": text("Name"), "scopes": text("May"), "made": text("Made"), "ends": text("Ends"),
        }  # fmt: skip
        grid(api.token_table(made, zone), "api_tokens", columns)
    elif token is None:
        st.info("Nobody yet. Make a token; it is shown once.", icon=":material/key:")
    st.caption("Make one for each program, with what it needs: verify, read or admin.")
    st.code(MAKE, language="bash", wrap_lines=True)


def _examples() -> None:
    question("How do I call it?")
    st.caption("Paste these one after the other into a shell in which TOKEN is set.")
    number = app.verifications.example_e164()
    steps = api.walk_through(base, number)
    if app.settings.is_sandbox:
        steps.insert(2, api.handset(base, number))
    for step in steps:
        st.markdown(step.title)
        st.code(step.lines, language="bash", wrap_lines=True)


def _events() -> None:
    question("What do we tell others?")
    if app.outbox.receiver is None:
        st.info(
            "Nothing. Set WEBHOOK_URL, and each outcome of a verification is posted there, signed: "
            "requested, delivered, verified, failed, expired.",
            icon=":material/webhook:",
        )
        return
    counts = app.outbox.counts()
    st.markdown(
        f"Outcomes of verifications go to **{plain(app.outbox.receiver)}**. "
        f"{counts.delivered_today:,} delivered today, {counts.waiting:,} queued."
    )
    letters = app.outbox.dead_letters()
    if not letters:
        st.caption("None was given up: every event was taken, or is still tried.")
        return
    st.warning(
        f"**{api.given_up(len(letters))}**, after a day of tries or because the receiver said so. "
        "Mend the receiver, then send again.",
        icon=":material/markunread_mailbox:",
    )
    frame = api.dead_table(letters, zone)
    picked = grid(
        frame, "dead",
        {
            "given_up": text("Given up"), "type": text("Outcome"), "tries": number("Tries", "%d"),
            "answer": text("Answer"), "cause": text("Cause"), "event": text("Event"),
        },
        on_select="rerun", selection_mode="multi-row",
    )  # fmt: skip
    chosen = frame["event"].iloc[picked.selection.rows].tolist()
    words = f"Send {len(chosen)} again" if chosen else "Send all again"
    if st.button(words, icon=":material/replay:", type="primary"):
        outbox = app.outbox
        sent = sum(map(outbox.resend, chosen)) if chosen else outbox.resend_all()
        st.toast(api.sent_again(sent))
        st.rerun()


main()

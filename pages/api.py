"""The API page: tokens, examples to paste, and webhook events that were not delivered."""

from zoneinfo import ZoneInfo

import streamlit as st

from core.panels import api
from core.panels.zones import zone_of
from pages.components.access import require_admin
from pages.components.panel import grid, number, question, table_key, text
from pages.components.shared import outage_shown, plain, services, title

MAKE = ".venv/bin/python -m core tokens make qa --scope verify --scope read"

require_admin("/api")
app = services()
base = api.base_address(st.context.url, app.settings.public_url)
zone = ZoneInfo(zone_of(None, st.context.timezone))


def main() -> None:
    """Tokens, examples, and webhooks."""
    title("API")
    st.markdown(
        "Verifications, delivery figures and attempts are also available over HTTP. "
        f"[Documentation]({base}/api/v1/docs) · [OpenAPI]({base}/api/v1/openapi.json) · "
        f"Prometheus scrapes `{base}/metrics`"
    )
    with outage_shown(key="api_try_again"):
        _tokens()
        _examples()
        _events()


def _tokens() -> None:
    question("Tokens")
    token = app.tokens.sandbox_token
    if token is not None:
        st.caption("The sandbox has a token with every scope. It is not valid live.")
        st.code(f"TOKEN={token}", language="bash", wrap_lines=True)
    tokens = app.tokens.all()
    if tokens:
        columns = {
            "name": text("Name"), "scopes": text("May"), "made": text("Made"), "ends": text("Ends"),
        }  # fmt: skip
        grid(api.token_table(tokens, zone), "api_tokens", columns)
    elif token is None:
        st.info("No tokens yet. Make one; it is shown once.", icon=":material/key:")
    st.caption("Make one token for each program, with the scopes it needs: verify, read or admin.")
    st.code(MAKE, language="bash", wrap_lines=True)


def _examples() -> None:
    question("Examples")
    st.caption("Set TOKEN in a shell, then paste these in order.")
    number = app.verifications.numbers.example_e164()
    steps = api.walk_through(base, number)
    if app.settings.is_sandbox:
        steps.insert(2, api.handset(base, number))
    for step in steps:
        st.markdown(step.title)
        st.code(step.lines, language="bash", wrap_lines=True)


def _events() -> None:
    question("Webhooks")
    alert_services = len(app.settings.alert_urls)
    if app.outbox.receiver is None and not alert_services:
        st.info(
            "None. Set WEBHOOK_URL, and each outcome of a verification is posted there, signed: "
            "requested, delivered, verified, failed, expired; and each alert.",
            icon=":material/webhook:",
        )
        return
    counts = app.outbox.counts()
    host = plain(app.outbox.receiver) if app.outbox.receiver else None
    receivers = api.receivers_text(host, alert_services)
    st.markdown(
        f"{receivers} {counts.delivered_today:,} delivered today, {counts.waiting:,} queued."
    )
    letters = app.outbox.dead_letters()
    if not letters:
        st.caption("No event was given up: each was delivered, or will be tried again.")
        return
    st.warning(
        f"**{api.given_up_text(len(letters))}**, after a day of tries or because the receiver "
        "refused it permanently. Repair the receiver, then send again.",
        icon=":material/markunread_mailbox:",
    )
    frame = api.dead_letter_table(letters, zone)
    selected = grid(
        frame, table_key("dead", frame["event"]),
        {
            "given_up": text("Given up"), "type": text("Outcome"), "tries": number("Tries", "%d"),
            "answer": text("Answer"), "cause": text("Cause"), "event": text("Event"),
        },
        on_select="rerun", selection_mode="multi-row",
    )  # fmt: skip
    events = frame["event"].iloc[selected.selection.rows].tolist()
    words = f"Send {len(events)} again" if events else "Send all again"
    if st.button(words, icon=":material/replay:", type="primary"):
        outbox = app.outbox
        count = sum(map(outbox.resend, events)) if events else outbox.resend_all()
        st.toast(api.sent_again_text(count))
        st.rerun()


main()

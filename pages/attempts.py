"""Attempts: find one person's message or call, and see all that was heard of it."""

from zoneinfo import ZoneInfo

import streamlit as st

from core import panels
from core.clock import from_ms, to_ms
from core.delivery.attempt import Attempt, EventKind, State
from core.delivery.explorer import PAGE, Wanted, table
from core.errors import CursorRefused, NumberRefused, ProviderRead
from core.verification.number import parse_number
from core.verification.words import attempt_words
from pages.components.access import require_admin
from pages.components.scenes import scenes
from pages.components.shared import outage_shown, plain, services

MARKS = {
    State.DELIVERED: "● delivered", State.UNDELIVERED: "▲ undelivered", State.FAILED: "✕ failed",
    State.REJECTED: "■ rejected", State.UNKNOWN: "◇ unknown",
}  # fmt: skip
OUTCOMES = {
    "applied": "", "fact": "", "late": "came late: kept, changed nothing",
    "repeated": "heard before: changed nothing",
}  # fmt: skip

require_admin("/attempts")
app = services()
query = st.query_params
zone = ZoneInfo(st.context.timezone or "UTC")


def main() -> None:
    """One attempt, or the list of them."""
    st.title("Attempts", anchor=False)
    with outage_shown():
        if app.settings.is_sandbox and app.queries.is_simulated():
            st.info("**Simulated traffic** is among these attempts.", icon=":material/science:")
        if chosen := query.get("attempt"):
            _one(chosen)
        else:
            _list()


def _list() -> None:
    with st.form("find", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.text_input(
            "Find", placeholder="Phone number, verification id or message uuid", type="search"
        )
        if st.form_submit_button("Find attempts", type="primary"):
            _search(typed)
    known = app.queries.known()
    grid = st.grid(4, min_column_width=150, gap="small")
    states = {"": "All", **{str(one): MARKS.get(one, f"◌ {one}") for one in State}}
    _filter(grid.cell(), "State", "state", states)
    _filter(grid.cell(), "Channel", "channel", {"": "All", **panels.CHANNELS})
    _filter(grid.cell(), "Country", "country", {"": "All"} | {c: c for c in known.countries})
    with grid.cell():
        st.text_input("Error code", key="error", bind="query-params", placeholder="All")
    said = f"Times in {zone.key}. Kept: the newest {app.settings.attempts_kept:,} attempts, for "
    said += f"{app.settings.attempt_retention_days} days; older ones live on as figures only."
    st.caption(said)
    if found := _found():
        st.button("Show all attempts", icon=":material/arrow_back:", on_click=_forget)
        _table(found[1], found[0])
        return
    state = st.session_state
    wanted = Wanted(*(state.get(k) or "" for k in ("state", "channel", "country", "error")))
    before = query.get("before")
    try:
        listed = app.explorer.page(wanted, before)
    except CursorRefused:
        listed = app.explorer.page(wanted)
    _table(listed.attempts, "No attempt matches. Clear a filter, or look at a later time.")
    if listed.is_cut:
        st.caption("Looked through the newest 5,000 from here. Go on with older ones, or narrow.")
    with st.container(horizontal=True):
        if before:
            st.button("Newest", icon=":material/first_page:", on_click=_forget)
        if listed.cursor is not None:
            older = {"before": listed.cursor}
            st.button("Older", icon=":material/chevron_right:", on_click=_go, kwargs=older)


def _search(typed: str) -> None:
    """The number becomes its digest before it goes anywhere: it must not be in an address."""
    if not typed.strip():
        return
    if app.explorer.find(typed):
        _go(find=typed.strip().lower())
        st.rerun()
    try:
        number = parse_number(typed, default_region=app.settings.default_region)
    except NumberRefused:
        st.warning(
            "Nothing is kept under that id, and it is no full phone number. Write a number with "
            "its country code, such as +1 415 555 0123."
        )
        return
    _go(number=app.keyring.index("number", number.e164))
    st.rerun()


def _found() -> tuple[str, list[Attempt]] | None:
    if number := query.get("number"):
        return "No attempt to that number is kept.", app.explorer.of_number(number)
    if known := query.get("find"):
        return "Nothing is kept under that id.", app.explorer.find(known)
    return None


def _filter(place: object, label: str, key: str, options: dict[str, str]) -> None:
    with place:  # type: ignore[attr-defined]
        st.selectbox(
            label, list(options), key=key, bind="query-params",
            format_func=lambda one: options.get(one, str(one)),
        )  # fmt: skip


def _table(attempts: list[Attempt], empty: str) -> None:
    if not attempts:
        st.info(empty, icon=":material/inbox:")
        return
    frame = table(attempts)
    shown = frame.drop(columns="attempt")
    shown["requested"] = shown["requested"].dt.tz_convert(zone).dt.strftime("%d %b %H:%M:%S")
    shown["channel"] = shown["channel"].map(panels.CHANNELS)
    shown["state"] = [MARKS.get(one.state, f"◌ {one.state}") for one in attempts]
    picked = st.dataframe(
        shown, key="list", hide_index=True, on_select="rerun", selection_mode="single-row",
        height=min(36 * (len(shown) + 1) + 2, 36 * (PAGE + 1)),
        column_config={
            "requested": "Requested", "to": "To", "channel": "Channel", "country": "Country",
            "carrier": "Carrier", "state": "State", "error": "Error",
            "seconds": st.column_config.NumberColumn("Delivered after", format="%.1f s"),
        },
    )  # fmt: skip
    if picked.selection.rows:
        _go(attempt=frame["attempt"].iloc[picked.selection.rows[0]])
        st.rerun()
    st.download_button(
        "CSV", frame.to_csv(index=False).encode(), "attempts.csv", "text/csv",
        icon=":material/download:", on_click="ignore", type="tertiary",
    )  # fmt: skip


def _one(chosen: str) -> None:
    st.button("All attempts", icon=":material/arrow_back:", on_click=_back)
    attempt = app.ledger.attempt(chosen)
    if attempt is None:
        st.info("This attempt is no longer kept. Its figures are.", icon=":material/inbox:")
        return
    words = attempt_words(attempt)
    channel = panels.CHANNELS[attempt.channel]
    st.subheader(f"{channel} to {attempt.to_masked}", anchor=False)
    st.markdown(f"**{plain(words.headline)}** {plain(words.detail)}")
    facts = {
        "State": MARKS.get(attempt.state, f"◌ {attempt.state}"), "Country": attempt.region,
        "Carrier": attempt.carrier, "Network": f"{attempt.mcc} {attempt.mnc}".strip(),
        "Sent as": attempt.origin, "Parts": str(attempt.units or ""),
        "Cost": panels.dollars(attempt.cost_micros / 1e6) if attempt.cost_micros else "",
        "Plivo's uuid": attempt.reference, "Verification": attempt.verification,
    }  # fmt: skip
    st.table({name: value for name, value in facts.items() if value}, border="horizontal")
    if st.button("Ask Plivo now", icon=":material/sync:", disabled=not attempt.reference):
        try:
            news = app.follower.ask(attempt)
        except ProviderRead as error:
            st.error(f"**{plain(error.cause)}** {plain(error.remedy)}")
        else:
            st.toast("Plivo told what it knows." if news else "Plivo does not have it yet.")
            attempt = app.ledger.attempt(chosen) or attempt
    if not attempt.reference:
        st.caption("Plivo never said under which id it has this one; its logs may tell.")
    st.subheader("All that was heard", anchor=False)
    _heard(attempt)
    with st.expander("Behind the scenes: what went to Plivo and came from it, masked"):
        began = to_ms(attempt.moments[EventKind.REQUESTED])
        scenes(app.exchanges.of(attempt.verification), began)


def _heard(attempt: Attempt) -> None:
    began = attempt.moments[EventKind.REQUESTED]
    rows = [
        {
            "At": from_ms(one["at_ms"]).astimezone(zone).strftime("%H:%M:%S.%f")[:-3],
            "After": f"{(from_ms(one['at_ms']) - began).total_seconds():.1f} s",
            "What": one["kind"],
            "From": one["source"],
            "Heard after": f"{(from_ms(one['heard_ms']) - began).total_seconds():.1f} s",
            "Note": OUTCOMES.get(one["outcome"], one["outcome"]),
        }
        for one in app.ledger.heard(attempt.id)
    ]
    st.dataframe(rows, hide_index=True, key="heard")


def _go(**where: str) -> None:
    for name in ("attempt", "number", "find", "before"):
        query.pop(name, None)
    query.update(where)


def _back() -> None:
    query.pop("attempt", None)


def _forget() -> None:
    _go()


main()

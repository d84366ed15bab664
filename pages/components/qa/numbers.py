"""The view "Numbers" of the QA page: numbers that belong to one test, and fixed codes."""

from zoneinfo import ZoneInfo

import streamlit as st

from core.lab.endings import SandboxEnding, SandboxEndings
from core.lab.sandbox_client import Lease, SandboxClient, SandboxError
from core.model.errors import SandboxUnavailable
from core.panels.leases import lease_countries, lease_words, number_words
from core.panels.zones import zone_of
from core.settings.settings import Settings
from pages.components.access import guarded, may_reach_sandbox
from pages.components.copy_button import copy_button
from pages.components.session_value import session_value
from pages.components.shared import once, plain

state = st.session_state

#: Rows of a lease; of a larger one, the rest is in the copied list.
_ROWS = 5
_REFRESH_SECONDS = 5
_PROBLEM = "qa_numbers_problem"
#: Set by a click that leaves the view: its fragment then reruns the page.
_LEAVES = "qa_numbers_leaves"
_OPENS_VERIFY = "qa_numbers_opens_verify"
_CLOSED = (
    "The sandbox's numbers are open on this machine only. From elsewhere, set VERIFY_ACCESS and "
    "sign in as the operator."
)


def draw_numbers(sandbox: SandboxClient, endings: SandboxEndings, settings: Settings) -> None:
    """Draw the view."""
    if not settings.is_sandbox:
        st.info(
            "Leased numbers and fixed codes exist in the sandbox only.", icon=":material/science:"
        )
        return
    if not may_reach_sandbox():
        st.info(_CLOSED, icon=":material/lock:")
        return
    st.caption(
        "Leased numbers and numbers with a fixed code meet no budget and use none up. Programs "
        "lease them by `POST /sandbox/numbers`: see the README of core/lab."
    )
    try:
        table = endings.table().endings
        st.header("Lease numbers", anchor=False)
        _form(sandbox, table, settings)
        st.header("Leased numbers", anchor=False)
        titles = {ending.suffix: ending.title for ending in table}
        zone = ZoneInfo(zone_of(None, st.context.timezone))
        # A lease ends by itself, and programs make leases too.
        list_leases = guarded(lambda: _leases(sandbox, titles, zone))
        st.fragment(list_leases, run_every=_REFRESH_SECONDS)()
    except SandboxUnavailable as error:
        st.error(f"**{error.cause}** {error.remedy}", icon=":material/cloud_off:")
        st.button("Try again", icon=":material/refresh:", key="qa_numbers_try_again")
    st.header("Fixed codes", anchor=False)
    _fixed_codes(settings)


def _form(sandbox: SandboxClient, table: tuple[SandboxEnding, ...], settings: Settings) -> None:
    by_suffix = {ending.suffix: ending for ending in table}
    countries = lease_countries(settings.allowed_countries)

    def lease() -> None:
        problem = session_value(_PROBLEM)
        problem.value = None
        try:
            sandbox.lease(
                ending=state.get("qa_lease_ending", "5555"),
                country=state.get("qa_lease_country", "US"),
                count=state.get("qa_lease_count", 1),
                seconds=60 * state.get("qa_lease_minutes", 10),
            )
        except SandboxError as error:
            problem.value = f"Nothing was leased: {error}."

    def label_of(suffix: str) -> str:
        ending = by_suffix[suffix]
        return f"{ending.pattern[:1].upper()}{ending.pattern[1:]} · {ending.title}"

    with st.form("qa_lease", border=False):
        ending, country, count, minutes, button = st.columns(
            (4, 3, 2, 2, 2), vertical_alignment="bottom"
        )
        ending.selectbox(
            "Ending", list(by_suffix), format_func=label_of, key="qa_lease_ending",
            help="The last four digits decide how a send to the number ends.",
        )  # fmt: skip
        country.selectbox(
            "Country", list(countries), format_func=countries.__getitem__, key="qa_lease_country"
        )
        count.number_input("How many", 1, 100, 1, key="qa_lease_count")
        minutes.number_input("For minutes", 1, 1440, 10, key="qa_lease_minutes")
        button.form_submit_button("Lease numbers", type="primary", on_click=once("qa_lease", lease))


def _leases(sandbox: SandboxClient, titles: dict[str, str], zone: ZoneInfo) -> None:
    if state.pop(_LEAVES, False):
        st.rerun()
    try:
        leases = sandbox.leases()
    except SandboxError as error:
        st.error(plain(str(error)), icon=":material/cloud_off:")
        return
    # Until the next action: this list is drawn again by itself.
    if problem := session_value(_PROBLEM).value:
        st.warning(plain(problem), icon=":material/info:")
    if not leases:
        st.caption("No number is leased now. Lease one above, or let your tests lease them.")
    for lease in leases:
        with st.container(border=True, key=f"qa_lease_{lease.id}"):
            _lease(sandbox, lease, lease_words(lease, titles, zone))


def _lease(sandbox: SandboxClient, lease: Lease, words: str) -> None:
    def call(action: str) -> None:
        problem = session_value(_PROBLEM)
        problem.value = None
        try:
            if action == "release":
                sandbox.release(lease.id)
            else:
                lease.renew()
        except SandboxError as error:
            problem.value = f"Nothing was changed: {error}."

    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(words)}**", width="stretch")
        with st.container(horizontal=True, width="content"):
            if len(lease.numbers) > 1:
                with st.container(width=110):
                    copy_button("Copy all", "\n".join(lease.numbers), key=f"qa_copy_{lease.id}")
            st.button(
                "Renew", key=f"qa_renew_{lease.id}", on_click=call, args=("renew",),
                help="The lease then ends in 10 minutes.",
            )  # fmt: skip
            key = f"qa_release_{lease.id}"
            st.button("Release", key=key, on_click=once(key, call), args=("release",))
    for number in lease.numbers[:_ROWS]:
        _row(number)
    if len(lease.numbers) > _ROWS:
        st.caption(f"and {len(lease.numbers) - _ROWS} more")


def _fixed_codes(settings: Settings) -> None:
    if not settings.test_numbers:
        st.caption(
            "No number has a fixed code. Start the app with "
            "`TEST_NUMBERS=+14155550199=123456`, and each verification of that number has the "
            "code 123456."
        )
    for entry in settings.test_numbers:
        _row(entry.number, f" · code **{entry.code.get_secret_value()}**")


def _row(number: str, more: str = "") -> None:
    """A number with what can be done with it. No address gets the number."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{plain(number_words(number))}{more}", width="stretch")
        with st.container(horizontal=True, width="content"):
            with st.container(width=84):
                copy_button("Copy", number, key=f"qa_copy_{number}")
            st.button(
                "Verify", key=f"qa_verify_{number}", on_click=_open_verify, args=(number,),
                help="Open the Verify page with it.",
            )  # fmt: skip
            st.button(
                "Inbox", key=f"qa_inbox_{number}", on_click=_open_inbox, args=(number,),
                help="Show what arrived on it.",
            )  # fmt: skip


def _open_inbox(number: str) -> None:
    state.qa_inbox_search = number
    state.qa_view, state[_LEAVES] = "inbox", True


def _open_verify(number: str) -> None:
    state.verify_typed = number
    # Streamlit opens no other page while the address names a view: the first one is not named.
    state.qa_view, state[_LEAVES], state[_OPENS_VERIFY] = "sessions", True, True


def leave_for_verify() -> None:
    """Open the Verify page if a number was chosen for it. To be called after the choice of the view
    is drawn."""
    if state.pop(_OPENS_VERIFY, False):
        st.switch_page("pages/verify.py")

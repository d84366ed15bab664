"""The Access page: invite links, which allow sends without the password, and sessions."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
import streamlit as st

from core.access.invites import MAX_LIFETIME, MAX_SENDS, Invite
from core.access.password import AccessState
from core.model.errors import InviteRefused
from core.model.regions import country_of
from core.panels import api
from core.panels.invite_table import invite_table
from core.panels.zones import zone_of
from core.settings.choices import VerifyAccess
from pages.components.access import current_visitor, require_admin
from pages.components.panel import grid, question, table_key, text
from pages.components.shared import once, outage_shown, plain, services, title

MODES = {
    VerifyAccess.PASSWORD: "VERIFY_ACCESS is `password`: only the operator may send. Set it to "
    "`invite` to make invites valid.",
    VerifyAccess.INVITE: "VERIFY_ACCESS is `invite`: the operator and invited people may send.",
    VerifyAccess.OPEN: "VERIFY_ACCESS is `open`: every visitor of the Verify page may send, and "
    "invites have no effect. Set it to `invite` to require one.",
}

#: The invite that the last click has made, or why it was refused.
_MADE = "access_made"

require_admin("/access")
state = st.session_state
app = services()
zone = ZoneInfo(zone_of(None, st.context.timezone))


def main() -> None:
    """The mode, a form for a new invite, the invites, and the sessions."""
    title("Access")
    st.markdown(MODES[app.settings.effective_access])
    with outage_shown(key="access_try_again"):
        question("Make an invite")
        _invite_form()
        question("Invites")
        _invites()
        _sessions()


def _invite_form() -> None:
    st.caption(
        "Anyone with the link of an invite can send codes from the Verify page, and check them. "
        "The operator's pages stay closed to them."
    )
    now = app.clock.now().astimezone(zone)
    with st.form("invite", border=False):
        columns = st.grid(2, min_column_width=260, gap="small")
        with columns.cell():
            label = st.text_input("For", key="invite_label", placeholder="Demo at Example Ltd")
        with columns.cell():
            sends = st.number_input("Sends", 1, MAX_SENDS, 10, key="invite_sends",
                                    help="Messages and calls in all.")  # fmt: skip
        with columns.cell():
            ends = st.datetime_input(
                f"Ends ({zone.key})", (now + timedelta(days=1)).replace(tzinfo=None, second=0),
                min_value=now.replace(tzinfo=None, second=0, microsecond=0),
                max_value=(now + MAX_LIFETIME).replace(tzinfo=None), key="invite_ends",
            )  # fmt: skip
        with columns.cell():
            countries = st.multiselect(
                "Countries", _allowed_regions(), format_func=country_of, key="invite_countries",
                placeholder="All that COUNTRIES allows",
            )  # fmt: skip
        submitted = st.form_submit_button("Make invite", type="primary", icon=":material/add_link:")
    if not submitted:
        state.pop(_MADE, None)
    elif ends is not None:
        once("invite", _make)(label, int(sends), ends, countries)
    _draw_made()


def _allowed_regions() -> list[str]:
    allowed = app.settings.allowed_countries
    return sorted(allowed or phonenumbers.SUPPORTED_REGIONS, key=country_of)


def _make(label: str, sends: int, ends: datetime, countries: list[str]) -> None:
    ends_at = ends if ends.tzinfo else ends.replace(tzinfo=zone)
    try:
        state[_MADE] = app.invites.make(label, sends=sends, ends_at=ends_at, countries=countries)
    except InviteRefused as error:
        state[_MADE] = error


def _draw_made() -> None:
    invite = state.get(_MADE)
    if isinstance(invite, InviteRefused):
        st.error(f"**{invite.cause}** {invite.remedy}")
    elif invite is not None:
        st.markdown(f"The link for **{plain(invite.label)}**. Anyone who has it can use it.")
        _link(invite)


def _link(invite: Invite) -> None:
    base = api.base_address(st.context.url, app.settings.public_url)
    st.code(f"{base}/invite/{app.invites.token(invite)}", language=None, wrap_lines=True)


def _invites() -> None:
    invites = app.invites.all()
    if not invites:
        st.info("No invites yet. Make one above.", icon=":material/key:")
        return
    selected = grid(
        invite_table(invites, app.clock.now(), zone),
        table_key("invites", (invite.id for invite in invites)),
        {
            "label": text("For"), "state": text("State"), "sends": text("Sends used"),
            "countries": text("Countries"), "ends": text("Ends"), "last": text("Last used"),
        },
        on_select="rerun", selection_mode="single-row",
    )  # fmt: skip
    if not selected.selection.rows:
        st.caption(f"Tick a row to copy its link or to revoke it. Times in {zone.key}.")
        return
    invite = invites[selected.selection.rows[0]]
    _link(invite)
    if invite.revoked_at is None and st.button("Revoke invite", icon=":material/link_off:"):
        app.invites.revoke(invite.id)
        st.toast(f"{plain(invite.label)}: the invite is revoked.")
        st.rerun()


def _sessions() -> None:
    if current_visitor().gate is not AccessState.SIGNED_IN:
        return
    question("Sessions")
    st.caption("This ends your session in every browser, this one included.")
    st.html(
        '<form method="post" action="/admin/sign-out-everywhere"><button type="submit" style="'
        "font: inherit; color: inherit; background: transparent; border: 1px solid #7A8794;"
        'border-radius: 8px; padding: 10px 20px; min-height: 44px; cursor: pointer">'
        "Sign out everywhere</button></form>"
    )


main()

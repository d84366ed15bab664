"""Who looks at a page, and the doors of those that not everybody may use."""

from collections.abc import Callable
from functools import wraps
from html import escape
from urllib.parse import urlencode

import streamlit as st

from core.access.admission import BrowserAccess
from core.access.invites import COOKIE as INVITE_COOKIE
from core.access.invites import REFUSALS
from core.access.password import COOKIE, WINDOW, AccessState
from core.model.errors import StoreUnavailable
from pages.components.shared import outage_shown, services

_SAID = {
    "wrong": "That is not the password. Try again.",
    "wait": f"Too many tries. Wait {int(WINDOW.total_seconds()) // 60} minutes, then try again.",
}
_FIELD = (
    "font: inherit; color: inherit; background: transparent; border: 1px solid #7A8794;"
    "border-radius: 8px; padding: 10px 12px; min-height: 44px; box-sizing: border-box;"
)
_BUTTON = (
    "font: inherit; font-weight: 600; color: #FFFFFF; background: #0A6B57; border: 0;"
    "border-radius: 8px; padding: 10px 20px; min-height: 44px; cursor: pointer;"
)


def asker() -> BrowserAccess:
    """What this browser may do, as of now: its cookies are those of the page's load, so they are
    looked up in every run. Raises StoreUnavailable."""
    cookies = st.context.cookies
    return services().admission.admit(cookies.get(COOKIE), cookies.get(INVITE_COOKIE))


def require_admin(page: str) -> None:
    """Go on only for an operator; `page` is the path to come back to. Every such page calls this
    first, because Streamlit's menu protects nothing; its fragments are `guarded`.

    Open in the sandbox. The form posts to a route, since only an answer of HTTP can set a cookie
    that scripts of the page do not see.
    """
    with outage_shown(key=f"try_again_access_{page}"):
        gate = _gate()
        if gate in {AccessState.OPEN, AccessState.SIGNED_IN}:
            return
        st.title("Not set up yet" if gate is AccessState.UNSET else "Sign in", anchor=False)
        sign_in(gate, page)
    st.stop()


def guarded(run: Callable[[], None]) -> Callable[[], None]:
    """The body of a fragment of such a page: it looks at the session in each of its runs, which
    Streamlit starts without the page around it."""

    # Streamlit tells fragments apart by the name of their function.
    @wraps(run)
    def checked() -> None:
        try:
            gate = _gate()
        except StoreUnavailable as error:
            st.error(f"**{error.cause}** {error.remedy}", icon=":material/cloud_off:")
            return
        if gate not in {AccessState.OPEN, AccessState.SIGNED_IN}:
            st.rerun()  # the whole page, which then asks for the password
        run()

    return checked


def sign_in(gate: AccessState, page: str) -> None:
    """The form, which comes back to this page with its query; or what must be set up first."""
    if gate is AccessState.UNSET:
        st.error(
            "**This page shows live traffic, and no password guards it.** Make one with "
            "`python -m core hash-password`, set ADMIN_PASSWORD_HASH to what it prints, and "
            "start again."
        )
        return
    if said := _SAID.get(str(st.query_params.get("sign-in"))):
        st.error(said)
    query = {name: st.query_params.get_all(name) for name in st.query_params}
    kept = urlencode({k: v for k, v in query.items() if k not in {"sign-in", "invite"}}, doseq=True)
    address = f"{page}?{kept}" if kept else page
    st.html(
        '<form method="post" action="/admin/sign-in" style="display: grid; gap: 16px;'
        ' max-width: 320px">'
        f'<input type="hidden" name="next" value="{escape(address, quote=True)}">'
        '<label style="display: grid; gap: 4px">Password'
        f'<input style="{_FIELD}" type="password" name="password" required'
        ' autocomplete="current-password"></label>'
        f'<button style="{_BUTTON}" type="submit">Sign in</button></form>'
    )


def invite_refused() -> tuple[str, str] | None:
    """Cause and remedy where this page was reached by an invite link that does not work."""
    return next(
        (said for state, said in REFUSALS.items() if state == st.query_params.get("invite")), None
    )


def _gate() -> AccessState:
    return services().access.gate(st.context.cookies.get(COOKIE))

"""The visitor of a page: what they may do, the sign-in form, and the guard of operator pages."""

from collections.abc import Callable
from functools import wraps
from html import escape
from typing import cast
from urllib.parse import urlencode

import streamlit as st

from core.access.admission import BrowserAccess
from core.access.invites import COOKIE as INVITE_COOKIE
from core.access.invites import REFUSALS
from core.access.local import is_local
from core.access.password import COOKIE, WINDOW, AccessState
from core.model.errors import StoreUnavailable
from core.wording.formats import wait_time
from pages.components.shared import outage_shown, services

_LAST_GATE, _GATE_ERROR = "last_gate", "gate_error"
_SIGN_IN_ERRORS = {
    "wrong": "That is not the password. Try again.",
    "wait": f"Too many tries. Wait {wait_time(WINDOW)}, then try again.",
}
_FIELD = (
    "font: inherit; color: inherit; background: transparent; border: 1px solid #7A8794;"
    "border-radius: 8px; padding: 10px 12px; min-height: 44px; box-sizing: border-box;"
)
_BUTTON = (
    "font: inherit; font-weight: 600; color: #FFFFFF; background: #0A6B57; border: 0;"
    "border-radius: 8px; padding: 10px 20px; min-height: 44px; cursor: pointer;"
)


def current_visitor() -> BrowserAccess:
    """What this browser may do now. Its cookies are those of the page load, so their session and
    invite are checked in every run. Raises StoreUnavailable."""
    cookies = st.context.cookies
    return services().admission.admit(cookies.get(COOKIE), cookies.get(INVITE_COOKIE))


def may_reach_sandbox() -> bool:
    """Whether this browser may read the sandbox's handsets: on this machine, or as the operator.
    The rule of `core.web.sandbox_guard`, for pages, which read them with the account's credentials.
    Raises StoreUnavailable."""
    return is_local(st.context.ip_address, st.context.headers) or current_visitor().is_operator


def require_admin(page: str, *, keeps: bool = False) -> None:
    """Stop the script unless the visitor is the operator or the sandbox is open; `page` is the path
    to return to. Every operator page calls this first, because a page can be opened without the
    menu; its fragments are `guarded`. `keeps`: a visitor who was admitted in this session stays
    admitted while Redis cannot be asked; the page then shows only what it has shown before.

    The form posts to a route: only an HTTP response can set a cookie that is HttpOnly.
    """
    with outage_shown(key=f"try_again_access_{page}"):
        gate = _kept_gate() if keeps else _gate()
        if gate.admits:
            return
        st.title("Not set up yet" if gate is AccessState.UNSET else "Sign in", anchor=False)
        sign_in(gate, page)
    st.stop()


def guarded(run: Callable[[], None], *, keeps: bool = False) -> Callable[[], None]:
    """Guard the body of a fragment of an operator page: Streamlit reruns it without the page, so it
    checks the session itself. `keeps` as in `require_admin`."""

    # Streamlit identifies a fragment by the name of its function.
    @wraps(run)
    def checked() -> None:
        try:
            gate = _kept_gate() if keeps else _gate()
            if not gate.admits:
                st.rerun()  # the whole page, which then shows the sign-in form
            run()
        except StoreUnavailable as error:
            # In a fragment within another one Streamlit would raise an error of its own from it.
            st.error(f"**{error.cause}** {error.remedy}", icon=":material/cloud_off:")

    return checked


def sign_in(gate: AccessState, page: str) -> None:
    """The sign-in form, which returns to this page with its query; or how to set a password."""
    if gate is AccessState.UNSET:
        st.error(
            "**No operator password is set, so sign-in is not possible.** Run `python -m core "
            "hash-password`, set ADMIN_PASSWORD_HASH to its output, and restart the application."
        )
        return
    if error := _SIGN_IN_ERRORS.get(str(st.query_params.get("sign-in"))):
        st.error(error)
    query = {name: st.query_params.get_all(name) for name in st.query_params}
    rest = urlencode({k: v for k, v in query.items() if k not in {"sign-in", "invite"}}, doseq=True)
    address = f"{page}?{rest}" if rest else page
    st.html(
        '<form method="post" action="/admin/sign-in" style="display: grid; gap: 16px;'
        ' max-width: 320px">'
        f'<input type="hidden" name="next" value="{escape(address, quote=True)}">'
        '<label style="display: grid; gap: 4px">Password'
        f'<input style="{_FIELD}" type="password" name="password" required'
        ' autocomplete="current-password"></label>'
        f'<button style="{_BUTTON}" type="submit">Sign in</button></form>'
    )


def invite_refusal() -> tuple[str, str] | None:
    """Cause and remedy if this page was reached by an invite link that cannot be used."""
    invite = st.query_params.get("invite")
    return next((words for state, words in REFUSALS.items() if state == invite), None)


def gate_answered() -> None:
    """Raises StoreUnavailable if Redis could not say whether this visitor is still signed in."""
    if error := st.session_state.get(_GATE_ERROR):
        raise error


def _kept_gate() -> AccessState:
    """The gate; while Redis is away, that of this session's last run, if there was one."""
    st.session_state[_GATE_ERROR] = None
    try:
        gate = st.session_state[_LAST_GATE] = _gate()
    except StoreUnavailable as error:
        if _LAST_GATE not in st.session_state:
            raise
        st.session_state[_GATE_ERROR] = error
        return cast(AccessState, st.session_state[_LAST_GATE])
    return gate


def _gate() -> AccessState:
    return services().access.gate(st.context.cookies.get(COOKIE))

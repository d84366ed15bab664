"""The door of the operator's pages."""

from html import escape

import streamlit as st

from core.access.password import COOKIE, WINDOW, Gate
from pages.components.shared import services

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


def require_admin(page: str) -> None:
    """Go on only for an operator; `page` is the path to come back to. Every such page calls this
    first, because Streamlit's menu protects nothing.

    Open in the sandbox. The form posts to a route, since only an answer of HTTP can set a cookie
    that scripts of the page do not see.
    """
    gate = services().access.gate(st.context.cookies.get(COOKIE))
    match gate:
        case Gate.OPEN:
            return
        case Gate.SIGNED_IN:
            with st.sidebar:
                st.html(
                    '<form method="post" action="/admin/sign-out">'
                    f'<button style="{_FIELD}" type="submit">Sign out</button></form>'
                )
            return
        case Gate.UNSET:
            st.title("Not set up yet", anchor=False)
            st.error(
                "**This page shows live traffic, and no password guards it.** Make one with "
                "`python -m core.access hash`, set ADMIN_PASSWORD_HASH to what it prints, and "
                "start again."
            )
        case Gate.CLOSED:
            _form(page)
    st.stop()


def _form(page: str) -> None:
    st.title("Sign in", anchor=False)
    if said := _SAID.get(str(st.query_params.get("sign-in"))):
        st.error(said)
    st.html(
        '<form method="post" action="/admin/sign-in" style="display: grid; gap: 16px;'
        ' max-width: 320px">'
        f'<input type="hidden" name="next" value="{escape(page, quote=True)}">'
        '<label style="display: grid; gap: 4px">Password'
        f'<input style="{_FIELD}" type="password" name="password" required'
        ' autocomplete="current-password"></label>'
        f'<button style="{_BUTTON}" type="submit">Sign in</button></form>'
    )

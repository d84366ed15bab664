"""The bar above every page: sandbox or live, what a send costs, and the operator's sign-out."""

from html import escape

import streamlit as st

from core.access.password import AccessState
from core.model.errors import StoreUnavailable
from core.panels.spending import Badge, badge_of
from pages.components.access import current_visitor
from pages.components.shared import services

_PLACE, _REGION = "badge_place", "badge_region"
# On a wide screen it is in the row of the menu, which is 60 px high. Otherwise it has a row of its
# own: one line from 720 px on, two below that. Its height is fixed, so the text moves nothing.
_STYLE = """<style>
.mode-bar {align-items: center; column-gap: 16px; display: flex; font-size: 14px; line-height: 20px;
  min-height: 32px; justify-content: space-between}
.mode-bar p {align-items: center; display: flex; margin: 0}
.mode-bar b {border: 1px solid currentcolor; border-radius: 8px; flex: none; margin-right: 8px;
  padding: 1px 8px}
.mode-bar.live b {background: #C24E00; border-color: #C24E00; color: #FFFFFF}
.mode-bar form {flex: none; margin: 0}
.mode-bar button {background: transparent; border: 1px solid #7A8794; border-radius: 8px;
  color: inherit; cursor: pointer; font: inherit; min-height: 30px; padding: 2px 12px}
@media (max-width: 719px) {.mode-bar {min-height: 44px} .mode-bar button {min-height: 44px}}
@media (min-width: 1200px) {[data-testid="stElementContainer"]:has(.mode-bar) {align-items: center;
  display: flex; height: 60px; max-width: calc(100vw - 620px); position: fixed; right: 80px; top: 0;
  width: auto; z-index: 999991}}
</style>"""
_SIGN_OUT = (
    '<form method="post" action="/admin/sign-out"><button type="submit">Sign out</button></form>'
)


def badge_bar() -> None:
    """Call once a run, before the page: it first shows the text of the last run."""
    st.session_state[_PLACE] = st.empty()
    _draw(st.session_state.get(_REGION))


def badge_for(region: str | None) -> None:
    """Called by a page that knows the country of the send; None: not known yet."""
    if region != st.session_state.get(_REGION) and _PLACE in st.session_state:
        st.session_state[_REGION] = region
        _draw(region)


def _draw(region: str | None) -> None:
    app = services()
    badge = badge_of(app.settings, app.verifications, app.prices, region)
    try:
        signed_in = current_visitor().gate is AccessState.SIGNED_IN
    except StoreUnavailable:
        # The page reports the outage itself.
        signed_in = False
    st.session_state[_PLACE].html(_html(badge, signed_in=signed_in))


def _html(badge: Badge, *, signed_in: bool) -> str:
    kind = "live" if badge.is_live else "sandbox"
    return (
        f'{_STYLE}<div class="mode-bar {kind}"><p role="note"><b>{escape(badge.mark)}</b>'
        f"{escape(badge.words)}</p>{_SIGN_OUT if signed_in else ''}</div>"
    )

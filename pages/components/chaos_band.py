"""The band on every page while chaos is on in the sandbox: what it does, and a button to end it."""

import streamlit as st

from core.lab.sandbox_client import SandboxError
from core.model.errors import StoreUnavailable
from core.panels.chaos_watch import ChaosWatch
from pages.components.access import current_visitor
from pages.components.assets import script, style

_BAND = st.components.v2.component("chaos_band", js=script("chaos_band"), css=style("chaos_band"))
# The script marks the document while chaos is on. On a wide screen the band is in the row of the
# menu, below the text of the mode, so that nothing moves; otherwise it has a row of its own.
_STYLE = """<style>
html:not([data-chaos]) [data-testid="stLayoutWrapper"]:has(> .st-key-chaos_place) {
  position: absolute}
.st-key-chaos_place {gap: 0}
@media (min-width: 1200px) {
  html[data-chaos] [data-testid="stElementContainer"]:has(.mode-bar) {height: 32px}
  [data-testid="stLayoutWrapper"]:has(> .st-key-chaos_place) {max-width: calc(100vw - 620px);
    position: fixed !important; right: 80px; top: 30px; width: auto; z-index: 999991}
}
</style>"""


def chaos_band(chaos: ChaosWatch) -> None:
    """Call once a run, before the page is drawn. The window itself follows `/live-chaos`; only the
    first drawing needs `chaos.latest`."""

    def turn_off() -> None:
        if not _may_turn_off():
            return
        try:
            chaos.turn_off()
        except SandboxError as error:
            st.toast(f"Chaos is still on. {error}", icon=":material/error:")

    with st.container(key="chaos_place"):
        st.html(_STYLE)
        _BAND(
            data={"words": chaos.latest, "may_turn_off": _may_turn_off()},
            key="chaos_band",
            on_turn_off_change=turn_off,
        )


def _may_turn_off() -> bool:
    try:
        return current_visitor().sees_operator_pages
    except StoreUnavailable:
        return False  # the page reports the outage itself

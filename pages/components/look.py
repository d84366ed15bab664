"""Styles that the theme cannot express: text on buttons, and the typography of figures."""

import base64

import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.PageConfig_pb2 import PageConfig
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.components.assets import read_asset

_ICON = base64.b64encode(read_asset("icon.svg").encode()).decode()

# Streamlit writes white on the primary colour: 1.9:1 on the dark theme's mint. This is 9.7:1.
_DARK_ON_MINT = '[data-testid^="stBaseButton-primary"]:not(:disabled) {color: #0E1419}'

# Figures that change keep their width; the confirmed rate is the largest element of its page.
# The interval is below the change and never cut; a card without a change has the same height.
_FIGURES = (
    '[data-testid="stMetricValue"] {font-variant-numeric: tabular-nums}'
    '[data-testid="stMetric"] div:has(> [data-testid="stMetricDeltaDescription"])'
    "{align-content: start; flex-wrap: wrap; min-height: 52px; row-gap: 4px}"
    '[data-testid="stMetricDeltaDescription"] {flex-basis: 100%}'
    '[data-testid="stMetricDeltaDescription"], [data-testid="stMetricDeltaDescription"] *'
    "{white-space: normal; overflow: visible}"
    '.st-key-largest [data-testid="stMetricValue"] {font-size: 4rem; line-height: 1.2}'
)


def apply_look() -> None:
    """Call once a run, before the page is drawn."""
    dark = st.context.theme.type == "dark"
    st.html(f"<style>{_FIGURES}{_DARK_ON_MINT if dark else ''}</style>")


def set_page_icon() -> None:
    """Show `icon.svg` in the browser's tab; call it before `st.navigation`.

    In place of the argument `page_icon` of `st.set_page_config`: that fetches the icons that have
    names from a server of Google's, and loads numpy and Pillow for a file.
    """
    message = ForwardMsg()
    config = message.page_config_changed
    config.favicon = f"data:image/svg+xml;base64,{_ICON}"
    config.layout = PageConfig.LAYOUT_UNSET
    config.initial_sidebar_state = PageConfig.SIDEBAR_UNSET
    context = get_script_run_ctx()
    if context is not None:
        context.enqueue(message)

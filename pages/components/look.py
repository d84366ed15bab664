"""The look of all pages beyond the theme: contrast, figures, sizes of controls, icon."""

import base64

import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.PageConfig_pb2 import PageConfig
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.components.assets import page_style, read_asset

_ICON = base64.b64encode(read_asset("icon.svg").encode()).decode()
_STYLE = page_style("look")


def apply_look() -> None:
    """Call once a run, before the page is drawn."""
    st.html(f"<style>{_STYLE}</style>")


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

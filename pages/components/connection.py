"""The bar that an open page shows while its connection to the server is lost."""

import streamlit as st

_WORDS = "Connection lost. Trying again. Your verification is kept."

# Streamlit writes the state of its connection on its outermost element. The bar waits for a second,
# because shorter interruptions do not matter. Streamlit's own sign beside the menu is hidden.
_STYLE = """
.connection-lost {display: none}
.stApp:not([data-test-connection-state="CONNECTED"]) .connection-lost {
  display: block; position: fixed; inset: 0 0 auto 0; z-index: 1000000; padding: 12px 24px;
  text-align: center; font-weight: 600; color: #14202B; background: #E69F00;
  animation: connection-lost 1s step-end;
}
@keyframes connection-lost {from {visibility: hidden} to {visibility: visible}}
[data-testid="stLayoutWrapper"]:has(> .st-key-connection_bar) {position: absolute}
[data-testid="stConnectionStatus"] {display: none}
"""


def connection_bar() -> None:
    """Call once a run, before the page is drawn."""
    with st.container(key="connection_bar"):
        st.html(f'<style>{_STYLE}</style><div class="connection-lost" role="alert">{_WORDS}</div>')

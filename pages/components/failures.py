"""The error on a page whose script failed, in place of Streamlit's."""

import logging
from secrets import choice

import streamlit as st

from core.model.errors import ProductError, StoreUnavailable
from pages.components.shared import plain

log = logging.getLogger(__name__)

#: Without letters and digits that look similar.
_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


def show_failure(error: Exception) -> bool:
    """The `on_script_error` of `st.App`: called in the failed page, fragment or callback, after
    Streamlit has logged the traceback. True: Streamlit shows nothing itself."""
    if isinstance(error, StoreUnavailable):
        st.error(f"**{error.cause}** {error.remedy}", icon=":material/cloud_off:")
        return True
    reference = "".join(choice(_ALPHABET) for _ in range(6))
    log.error("page failed", extra={"reference": reference, "error": type(error).__name__})
    if isinstance(error, ProductError):
        words = f"**{plain(error.cause)}** {plain(error.remedy)}"
    else:
        words = (
            "**This part of the page failed: an error in this application.** Reload the page. "
            "If it fails again, give the operator this reference:"
        )
    st.error(f"{words} `{reference}`", icon=":material/error:")
    return True

"""An invisible listener for pushed changes, which reruns the fragment around it."""

import streamlit as st

from pages.components.assets import script
from pages.components.events import ignore

_LIVE = st.components.v2.component("live", js=script("live"))


def live(verification: str, *, is_running: bool, key: str) -> bool:
    """Rerun this fragment at every change of the verification (`/live/{id}`, 80 ms apart at least),
    or of several, as their ids with commas between them.

    True in a rerun that a change caused. Each opening of the stream counts as a change, as earlier
    changes were missed: one rerun after the first drawing, one after a lost connection, one when a
    tab returns from the background, where it is not rerun. While the verification is running, the
    window stores it for `number_form`.
    """
    data = {"verification": verification, "is_running": is_running}
    result = _LIVE(data=data, key=key, on_changed_change=ignore)
    return result.changed is not None

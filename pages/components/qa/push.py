"""The list of messages and calls of the sandbox, with a button for each status that can follow."""

from zoneinfo import ZoneInfo

import streamlit as st

from core.lab.sandbox_client import SandboxClient, SandboxError
from core.panels.chaos_sends import MAX_ROWS, SendRow, send_rows
from core.wording.chaos import CAUSES, cause_words
from pages.components.session_value import session_value
from pages.components.shared import once

_NOTE = "qa_push_note"
#: The message or call that the list begins with while it can change: it was opened from the inbox.
PUSH_FIRST = "qa_push_first"
_FAILED = {"undelivered", "failed"}


def push_list(sandbox: SandboxClient, zone: ZoneInfo) -> None:
    """Draw the list as it is now."""
    st.caption(
        f"The newest {MAX_ROWS} that can change, those under way first. Log, handset and callbacks "
        "follow as if the carrier had reported it."
    )
    with st.container(horizontal=True, gap="medium"):
        st.number_input(
            "Error code", 1, 9999, 20, key="qa_push_error", width=160,
            help="For messages that fail or are undelivered.",
        )  # fmt: skip
        st.selectbox(
            "Ended calls", list(CAUSES), format_func=cause_words, key="qa_push_cause", width=240
        )
    # Callbacks of a fragment draw nothing; the note stays until the next push.
    st.caption(session_value(_NOTE).value or "Choose a status to push.")
    try:
        rows = send_rows(sandbox.sends(), zone, st.session_state.get(PUSH_FIRST, ""))
    except SandboxError as error:
        st.error(f"**{error}** Start the sandbox, or check SANDBOX_URL.", icon=":material/error:")
        return
    if not rows:
        st.caption("No message or call can change. Send a code on the Verify page.")
    for at, row in enumerate(rows):
        with st.container(horizontal=True, vertical_alignment="center", key=f"qa_push_row_{at}"):
            st.markdown(row.words, width="stretch")
            for status in row.next:
                key = f"qa_push_{row.uuid}_{status}"
                st.button(
                    status, key=key, on_click=once(key, _push),
                    args=(sandbox, row, status), help=f"Push the status {status}",
                )  # fmt: skip


def _push(sandbox: SandboxClient, row: SendRow, status: str) -> None:
    note, more = session_value(_NOTE), {}
    if status in _FAILED:
        more["error_code"] = st.session_state.get("qa_push_error", 20)
    if status == "ended":
        more["hangup_cause_code"] = st.session_state.get("qa_push_cause", 3010)
    try:
        sandbox.push_status(row.channel, row.uuid, status, **more)
    except SandboxError as error:
        note.value = f"Nothing was pushed: {error}."
    else:
        note.value = f"Pushed {status}: {row.words}."
